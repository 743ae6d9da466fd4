import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runLanner as lanner } from '#testing/run-lanner.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lanner-cli-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function write(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

const rules = `- rule: Shadow
  desc: d
  condition: evt.type = open and fd.name = /etc/shadow
  output: read by %proc.name
  priority: WARNING
  tags: [t]
- rule: Any open
  desc: d
  condition: evt.type = open
  output: opened
  priority: INFO
`

describe('lanner', () => {
  it('explains itself and refuses unknown commands and options with 2', async () => {
    expect((await lanner('--help')).code).toBe(0)
    expect((await lanner()).code).toBe(2)
    expect(await lanner('rules', 'chekc')).toMatchObject({
      code: 2,
      err: expect.stringContaining('did you mean "rules check"?'),
    })
    expect(await lanner('rules', 'check', 'x', '--jsn')).toMatchObject({
      code: 2,
      err: expect.stringContaining("Unknown option '--jsn'; did you mean --json?"),
    })
    expect((await lanner('eval', '--help')).out).toMatch(/^usage: lanner eval/)
    expect((await lanner('rules', 'check')).code).toBe(2)
    expect((await lanner('rules', 'check', 'x', '--priority', 'loud')).code).toBe(2)
  })
})

describe('lanner rules check', () => {
  it('gives 0 for rules that are right', async () => {
    const { code, out } = await lanner('rules', 'check', write('a.yaml', rules))
    expect(code).toBe(0)
    expect(out).toMatch(/a\.yaml: Ok\n2 rules \(2 enabled, 0 inactive\)/)
  })

  it('gives 1 and every mistake with its place', async () => {
    const path = write('a.yaml', rules.replace('fd.name =', 'fd.nam =').replace('%proc', '%prc'))
    const { code, err, out } = await lanner('rules', 'check', path)
    expect(code).toBe(1)
    expect(err).toContain(`${path}:3:34: error: fd.nam: no such field; did you mean fd.name?`)
    expect(err).toContain(`${path}:4:19: error: %prc.name: no such field`)
    expect(out).toContain('Invalid')
  })

  it('has the shape of Falco for machines', async () => {
    const { code, out } = await lanner(
      'rules',
      'check',
      '--json',
      write('a.yaml', rules),
      'gone.yaml',
    )
    expect(code).toBe(1)
    expect(JSON.parse(out).falco_load_results).toMatchObject([
      { name: 'gone.yaml', successful: false, errors: [{ code: 'LOAD_ERR_FILE_READ' }] },
      { successful: true, errors: [], warnings: [] },
    ])
  })

  it('names the rules whose verdict redaction could change, when asked', async () => {
    const path = write(
      'a.yaml',
      rules.replace('evt.type = open\n', 'evt.type = open and proc.cmdline contains x\n'),
    )
    const { code, err } = await lanner('rules', 'check', '--redact', path)
    expect(code).toBe(0)
    expect(err).toMatch(/a\.yaml:7: redaction: Any open: compares proc\.cmdline: a secret in it /)
    expect(err).not.toContain('redaction: Shadow')
    const { out } = await lanner('rules', 'check', '--redact', '--json', path)
    expect(JSON.parse(out).redaction).toMatchObject([
      { rule: 'Any open', fields: ['proc.cmdline'] },
    ])
    expect((await lanner('rules', 'check', path)).err).not.toContain('redaction')
    expect(JSON.parse((await lanner('rules', 'check', '--json', path)).out)).not.toHaveProperty(
      'redaction',
    )
  })

  it('gives 2 when there is nothing to check', async () => {
    expect((await lanner('rules', 'check', join(directory, 'gone'))).code).toBe(2)
  })
})

describe('lanner rules list', () => {
  it('shows rules and the events they look at', async () => {
    const { code, out } = await lanner('rules', 'list', write('a.yaml', rules))
    expect(code).toBe(0)
    expect(out).toMatch(/^Shadow\n {2}Warning +t\n {2}open .*a\.yaml:1\n/)
  })

  it('shows correlations: their kind, window and what they count', async () => {
    const paths = [
      write('a.yaml', rules),
      write(
        'a.correlation.yaml',
        `- correlation: Many
  desc: d
  type: event_count
  rules: [Shadow]
  group-by: [proc.name]
  timespan: 90s
  condition: {gte: 3}
  output: many %proc.name
  priority: CRITICAL
  tags: [c]
- correlation: New
  desc: d
  type: new_terms
  rules: [tag=t]
  field: proc.name
  history: 7d
  output: new
  priority: NOTICE
`,
      ),
    ]
    const { code, out, err } = await lanner('rules', 'list', ...paths)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(
      /\nMany \(correlation\)\n {2}Critical +c\n {2}event_count: >= 3 detections of Shadow within 90s for each proc\.name.*\n {2}.*a\.correlation\.yaml:1\n/,
    )
    expect(out).toMatch(/\n {2}new_terms: a proc\.name in tag=t that was not seen for 7d; learns/)
    const { correlations } = JSON.parse((await lanner('rules', 'list', '--json', ...paths)).out)
    expect(correlations[0]).toMatchObject({
      info: { name: 'Many', priority: 'Critical', tags: ['c'] },
      details: {
        ...{ type: 'event_count', of: [{ rule: 'Shadow' }], group_by: ['proc.name'] },
        ...{ timespan: 90, conditions: [{ operator: 'gte', bound: 3 }], line: 1 },
      },
    })
    const few = await lanner('rules', 'list', '--priority', 'warning', ...paths)
    expect(few.out).toContain('Many')
    expect(few.out).not.toContain('New (correlation)')
  })

  it('describes them for machines', async () => {
    const { out } = await lanner(
      'rules',
      'list',
      '--json',
      '--disable',
      'Any*',
      write('a.yaml', rules),
    )
    const [shadow, any] = JSON.parse(out).rules
    expect(shadow.details).toMatchObject({
      condition_fields: ['evt.type', 'fd.name'],
      events: ['open'],
      condition_compiled: '(evt.type = open and fd.name = /etc/shadow)',
      output_fields: [
        'container.id',
        'container.image.repository',
        'container.image.tag',
        'container.name',
        'k8s.ns.name',
        'k8s.pod.name',
        'proc.name',
      ],
    })
    expect(any.info.enabled).toBe(false)
  })
})

describe('lanner rules test', () => {
  const tests = `- rule: Shadow
  tests:
    - name: it is read
      fires: { evt.type: open, fd.name: /etc/shadow, proc.name: cat }
      output_fields: { proc.name: cat }
    - name: another is
      silent: { evt.type: open, fd.name: /etc/hosts }
- tests_of: Any open
  tests:
    - { name: one, fires: { evt.type: open } }
    - { name: none, silent: { evt.type: close } }
`

  it('gives 0 when all tests pass', async () => {
    write('a.test.yaml', tests)
    expect(await lanner('rules', 'test', write('a.yaml', rules))).toMatchObject({
      code: 0,
      out: 'ok: 4 passed, 0 failed\n',
    })
  })

  it('tells which test failed, and where', async () => {
    const path = write(
      'a.test.yaml',
      tests
        .replace('/etc/hosts', '/etc/shadow')
        .replace('proc.name: cat }\n    -', 'proc.name: dog }\n    -'),
    )
    const { code, err } = await lanner('rules', 'test', write('a.yaml', rules))
    expect(code).toBe(1)
    expect(err).toContain(`${path}:3: failed: Shadow: it is read: proc.name is cat, not dog`)
    expect(err).toContain(
      `${path}:6: failed: Shadow: another is: the rule should be silent, but fires`,
    )
  })

  it('wants a test file, and a firing and a silent test for each rule', async () => {
    const path = write('a.yaml', rules)
    expect(await lanner('rules', 'test', path)).toMatchObject({
      code: 1,
      err: expect.stringContaining('a.test.yaml is missing'),
    })
    write('a.test.yaml', tests.replace(/ {4}- \{ name: none.*\n/, ''))
    expect(await lanner('rules', 'test', path)).toMatchObject({
      code: 1,
      err: expect.stringContaining('Any open: a test is missing: one that is silent'),
    })
  })

  it('reports mistakes in the test file', async () => {
    const path = write(
      'a.test.yaml',
      tests.replace('fd.name: /etc/hosts', 'fd.nmae: x').replace('Shadow', 'Shadw'),
    )
    const { code, err } = await lanner('rules', 'test', write('a.yaml', rules))
    expect(code).toBe(1)
    expect(err).toContain(`${path}:7: failed: fd.nmae: no such field; did you mean fd.name?`)
    expect(err).toContain('has no such rule; did you mean "Shadow"?')
  })
})

describe('lanner eval', () => {
  const events = [
    '{"evt.type":"open","fd.name":"/etc/shadow","proc.name":"cat","evt.time":1700000000123456789}',
    '{"evt.type":"open","fd.nmae":"x"}',
    'nonsense',
    '',
    '{"evt.type":"open"}',
  ].join('\n')

  it('prints alerts, reports bad lines with their number and goes on', async () => {
    const path = write('e.ndjson', events)
    const args = ['eval', '--rules', write('a.yaml', rules), '--events', path, '--hostname', 'h']
    const { code, out, err } = await lanner(...args)
    expect(code).toBe(1)
    const alerts = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(alerts.map(({ rule }) => rule)).toEqual(['Shadow', 'Any open'])
    expect(out).toContain('"evt.time":1700000000123456789')
    expect(alerts[0]).toMatchObject({ hostname: 'h', priority: 'Warning', tags: ['t'] })
    expect(err).toContain(`${path}:2: error: fd.nmae: no such field; did you mean fd.name?`)
    expect(err).toContain(`${path}:3: error: no JSON: `)
    const all = await lanner(...args, '--rule-matching', 'all')
    expect(all.out.trim().split('\n').length).toBe(3)
    const severe = await lanner(...args, '--priority', 'warning')
    expect(severe.out.trim().split('\n').length).toBe(1)
  })

  it('adds to outputs what a file says', async () => {
    const additions = write('add.yaml', '- match: {rule: Shadow}\n  extra_output: by %proc.name\n')
    const { code, out } = await lanner(
      ...['eval', '--rules', write('a.yaml', rules), '--append-output', additions],
      ...['--events', write('e.ndjson', events.split('\n')[0]!)],
    )
    expect(code).toBe(0)
    expect(JSON.parse(out).output).toMatch(/: Warning read by cat by cat$/)
  })

  it('gives 2 when the rules are wrong or the events cannot be read', async () => {
    const bad = write('bad.yaml', '- rule: x\n')
    const good = write('a.yaml', rules)
    expect((await lanner('eval', '--rules', bad, '--events', write('e', ''))).code).toBe(2)
    expect((await lanner('eval', '--rules', good, '--events', join(directory, 'no'))).code).toBe(2)
    expect((await lanner('eval', '--rules', good)).code).toBe(2)
  })
})
