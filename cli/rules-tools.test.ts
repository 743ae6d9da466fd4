import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runLanner } from '#testing/run-lanner.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lanner-tools-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function write(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

async function lanner(...args: string[]) {
  const { code, out, err } = await runLanner(...args)
  return { code, out: () => out, err: () => err, json: () => JSON.parse(out) }
}

const body = (condition: string, more = '') =>
  `  desc: what it is\n  condition: ${condition}\n  output: by %proc.name\n  priority: WARNING\n${more}`
const rule = (name: string, condition: string, more = '') =>
  `- rule: ${name}\n${body(condition, more)}`
const shells =
  '- list: shells\n  items: [bash, sh]\n- macro: is_shell\n  condition: proc.name in (shells)\n'
const exception =
  '  exceptions:\n    - name: known\n      fields: [proc.pname]\n      values: [[sshd]]\n'

describe('lanner rules check', () => {
  it('names rules that cannot fire, with what is missing', async () => {
    const path = write(
      'a.yaml',
      rule('Network', 'evt.type=execve and container.cni.json = y') +
        rule('Async', 'evt.type=container and proc.name=x') +
        rule('Sent', 'evt.type=sendto and evt.arg.data contains x') +
        rule('Both', 'evt.type=open and proc.name=a and proc.name=b') +
        rule('Wide', 'evt.type=open') +
        rule('Narrow', 'evt.type=open and proc.name=a') +
        rule('Typo', 'evt.type=close and proc.name=proc.nmae') +
        rule('Off', 'evt.type=open and container.cni.json = y', '  enabled: false\n') +
        rule('Audit', 'ka.verb=get', '  source: k8s_audit\n'),
    )
    const { code, err, out } = await lanner('rules', 'check', path)
    expect(code).toBe(0)
    expect(out()).toContain('8 rules (7 enabled, 1 inactive)')
    for (const line of [
      'inactive: Audit: source not supported',
      'never fires: Network: container.cni.json has no value here',
      'never fires: Async: events of type container are not delivered',
      'never fires: Sent: evt.arg.data is not delivered with events of type sendto',
      'never fires: Both: the rule can never fire: proc.name = a and proc.name = b exclude',
      'never fires: Narrow: the rule never fires where the first match counts: "Wide"',
      'limited: Typo: "proc.nmae" is a constant; if the field proc.name is meant',
    ]) {
      expect(err()).toContain(line)
    }
    expect(err()).not.toContain('Off')
    const all = await lanner('rules', 'check', '--json', '--rule-matching', 'all', path)
    expect(all.json()).toMatchObject({
      falco_load_results: [{ successful: true, schema_valid: true }],
      inactive_rules: [{ name: 'Audit' }],
    })
    expect(JSON.stringify(all.json().rule_warnings)).not.toContain('Narrow')
    expect((await lanner('rules', 'check', '--strict-compat', path)).code).toBe(1)
  })
})

describe('lanner rules explain', () => {
  it('shows a rule in full', async () => {
    const path = write('a.yaml', shells + rule('Shell', 'evt.type=execve and is_shell', exception))
    write('a.md', '# What to do\n')
    const { code, out } = await lanner('rules', 'explain', 'Shell', path)
    expect(code).toBe(0)
    expect(out()).toContain(
      '(evt.type = execve and proc.name in (bash, sh)) and not proc.pname = sshd',
    )
    expect(out()).toContain('proc.pname (CHARBUF)')
    expect(out()).toContain('from the process table')
    expect(out()).toContain('  # What to do')
    const machine = await lanner('rules', 'explain', 'Shell', path, '--json')
    expect(machine.json()).toMatchObject({
      events: [{ name: 'execve', delivered: true }],
      exceptions: ['known'],
      runbook: join(directory, 'a.md'),
    })
  })

  it('says what there is instead of a rule that is not there', async () => {
    const path = write('a.yaml', rule('Shell', 'evt.type=execve'))
    const { code, err } = await lanner('rules', 'explain', 'Shel', path)
    expect(code).toBe(1)
    expect(err()).toContain('there is no rule "Shel"; did you mean "Shell"?')
    expect((await lanner('rules', 'explain')).code).toBe(2)
  })
})

describe('lanner rules diff', () => {
  const old =
    shells +
    rule('A', 'evt.type in (open, close) and is_shell', '  tags: [t]\n') +
    rule('B', 'evt.type=bind')
  const diff = async (text: string) => {
    const { code, json } = await lanner(
      'rules',
      'diff',
      '--json',
      write('a.yaml', old),
      write('b.yaml', text),
    )
    expect(code).toBe(0)
    const { change, changes } = json()
    return [
      change,
      ...changes.map(
        (one: Record<string, string>) => `${one['level']} ${one['name']}: ${one['what']}`,
      ),
    ]
  }

  it.each([
    ['', '', ['none']],
    ['[bash, sh]', '[bash, zsh]', ['patch', 'patch shells: added zsh; removed sh']],
    ['by %proc.name', 'by', ['patch', 'patch A: other output']],
    [
      'is_shell\n  output',
      'is_shell and fd.num=1\n  output',
      ['patch', 'patch A: other condition'],
    ],
    ['[t]', '[t, u]', ['patch', 'patch A: with the tags u']],
    ['[t]', '[]', ['major', 'major A: without the tags t']],
    ['WARNING', 'ERROR', ['patch', 'patch A: priority Warning became Error']],
    ['WARNING', 'INFO', ['major', 'major A: priority Warning became Informational']],
    ['(open, close)', '(open)', ['major', 'major A: looks at fewer types of events']],
    ['[t]', '[t]\n  enabled: false', ['major', 'major A: disabled']],
    ['proc.name in', 'proc.exe in', ['major', 'major is_shell: matches other events']],
    ['rule: A', 'rule: C', ['major', 'major A: renamed to C', 'minor C: added, as A was']],
    [
      '- list',
      '- required_engine_version: 0.5.0\n- list',
      ['minor', 'minor required_engine_version: none became 0.5.0'],
    ],
  ])('%j to %j', async (from, to, expected) => {
    expect(await diff(old.replace(from, to))).toEqual(expected)
  })

  it('counts a new rule as minor, a removed one as major', async () => {
    expect(await diff(old + rule('C', 'evt.type=dup'))).toEqual(['minor', 'minor C: added'])
    expect(await diff(old.slice(0, old.indexOf('- rule: B')))).toEqual([
      'major',
      'major B: removed',
    ])
  })

  it('needs two rule sets that load', async () => {
    const path = write('a.yaml', old)
    expect((await lanner('rules', 'diff', path)).code).toBe(2)
    expect((await lanner('rules', 'diff', path, join(directory, 'no'))).code).toBe(2)
    expect((await lanner('rules', 'diff', path, write('c.yaml', '- rule: x\n'))).code).toBe(1)
  })
})

describe('lanner eval --why', () => {
  const rules =
    shells +
    rule('Shell', 'evt.type=execve and is_shell', exception) +
    rule('Any', 'evt.type=execve')

  it('shows the deciding part, the exception or the earlier rule', async () => {
    const path = write('a.yaml', rules)
    const why = async (event: object, ...more: string[]) =>
      (
        await lanner(
          'eval',
          '--why',
          '--rules',
          path,
          '--events',
          write('e', JSON.stringify(event)),
          ...more,
        )
      ).out()
    const fires = await why({ 'evt.type': 'execve', 'proc.name': 'sh', 'proc.pname': 'x' })
    expect(fires).toContain('Shell: fires\n    true and\n')
    expect(fires).toContain('true proc.name in (bash, sh)  [proc.name is "sh"]  (macro is_shell)')
    expect(fires).toContain('Any: matches, but "Shell" comes earlier and won')
    const excepted = await why({ 'evt.type': 'execve', 'proc.name': 'sh', 'proc.pname': 'sshd' })
    expect(excepted).toContain('Shell: silent\n    the exception known applies')
    expect(excepted).toContain('Any: fires')
    const other = await why({ 'evt.type': 'execve' }, '--rule', 'Sh*')
    expect(other).toContain(
      'false proc.name in (bash, sh)  [proc.name has no value]  (macro is_shell)  <- decides',
    )
    expect(other).not.toContain('Any')
    const machine = JSON.parse(await why({ 'evt.type': 'execve' }, '--json'))
    expect(machine).toMatchObject({
      line: 1,
      rules: [
        {
          rule: 'Shell',
          matches: false,
          because: expect.stringContaining('proc.name in (bash, sh) is false'),
        },
        { rule: 'Any', fires: true, condition: { kind: 'check', decides: true } },
      ],
    })
  })
})

describe('lanner rules test', () => {
  const trace = fileURLToPath(new URL('recorded/attack.trace', import.meta.url))
  const tests = (rules: string) => `- rule: Exec
  tests:
    - { name: one, fires: { evt.type: execve } }
    - { name: none, silent: { evt.type: close } }
    - { name: "an <attack>", trace: ${trace}, rules: [${rules}] }
`
  const setUp = (rules: string) => {
    write('a.test.yaml', tests(rules))
    return write('a.yaml', rule('Exec', 'evt.type=execve'))
  }

  it('tries rules on a recorded trace', async () => {
    expect((await lanner('rules', 'test', setUp('Exec'))).code).toBe(0)
    const { code, err } = await lanner('rules', 'test', setUp(''))
    expect(code).toBe(1)
    expect(err()).toContain('Exec: an <attack>: "Exec" should be silent, but fires')
  })

  it('writes tables, JUnit and TAP', async () => {
    const path = setUp('')
    const table = await lanner('rules', 'test', path, '--format', 'table')
    expect(table.out()).toMatch(
      /^ok {6}Exec {2}one\n.*\nfailed {2}Exec {2}an <attack> {2}"Exec" should/,
    )
    const junit = (await lanner('rules', 'test', path, '--format', 'junit')).out()
    expect(junit).toContain('<testsuites tests="3" failures="1">')
    expect(junit).toContain('name="an &lt;attack&gt;"')
    expect(junit).toContain('<failure message="&quot;Exec&quot; should be silent, but fires"/>')
    const tap = (await lanner('rules', 'test', path, '--format', 'tap')).out()
    expect(tap).toMatch(/^TAP version 13\n1\.\.3\nok 1 - Exec: one\n/)
    expect(tap).toContain('not ok 3 - Exec: an <attack>\n  ---\n')
    expect((await lanner('rules', 'test', path, '--format', 'xml')).code).toBe(2)
  })
})

describe('lanner compare', () => {
  const alert = (name: string, time: string, pid: number, more = {}) =>
    JSON.stringify({
      rule: name,
      time: `2026-01-01T00:00:${time}Z`,
      output_fields: { 'proc.pid': pid, 'proc.cmdline': 'sh', ...more },
    })

  it('pairs alerts and names the cause of those that stay alone', async () => {
    const rules = write(
      'a.yaml',
      rule('Network', 'evt.type=open and container.cni.json = y') +
        rule('Audit', 'ka.verb=get', '  source: k8s_audit\n') +
        rule('Open', 'evt.type=open') +
        rule('Shell', 'evt.type=execve'),
    )
    const falco = write(
      'falco.jsonl',
      [
        alert('Open', '01.5', 1),
        alert('Open', '01.000000001', 2),
        alert('Network', '02', 3),
        alert('Audit', '02', 4),
        alert('Gone', '02', 5),
        alert('Shell', '30', 6),
      ].join('\n'),
    )
    const lannerAlerts = write(
      'lanner.jsonl',
      [alert('Open', '01', 2), alert('Open', '01', 1), alert('Shell', '01', 1), 'nonsense'].join(
        '\n',
      ),
    )
    const args = ['compare', '--falco', falco, '--lanner', lannerAlerts, '--rules', rules]
    const { code, out, err } = await lanner(...args)
    expect(code).toBe(1)
    expect(err()).toContain(`${lannerAlerts}:4: error: no JSON`)
    expect(out()).toContain('only Falco: Network: sh (3) at 2026-01-01T00:00:02Z')
    expect(out()).toContain('field unavailable: container.cni.json has no value here')
    expect(out()).toContain('inactive rule: source not supported')
    expect(out()).toContain('the rule is not loaded')
    expect(out()).toContain('Falco stops at the first rule that matches, and reports it by: Open')
    expect(out()).toContain(
      'both: 2, only Falco: 4, only Lanner: 1, of these without a known cause: 1',
    )
    const machine = await lanner(...args, '--json')
    expect(machine.json()).toMatchObject({ both: 2, only_falco: { length: 4 } })
    expect((await lanner('compare', '--falco', falco)).code).toBe(2)
    expect(
      (await lanner('compare', '--falco', falco, '--lanner', join(directory, 'no'))).code,
    ).toBe(2)
  })
})
