import { describe, expect, it } from 'vitest'
import { printCondition } from '#engine'
import { diagnosticsOf, lines, load, rule } from './testing/load.ts'

function conditionsOf(texts: string | readonly string[]): string[] {
  const result = load(texts)
  expect(lines(result).filter((line) => line.includes('LOAD_ERR'))).toEqual([])
  return result.ruleSet.rules.map(({ condition }) => printCondition(condition))
}

describe('2.1 YAML', () => {
  it('keeps scalars as text, whatever they look like', () => {
    const list = '- list: l\n  items: [80, 0x1f, yes, 1e3, ~x]\n'
    expect(conditionsOf(list + rule('r', 'proc.name in (l)'))).toEqual([
      'proc.name in (80, 0x1f, yes, 1e3, ~x)',
    ])
  })

  it('reads several documents and skips empty ones', () => {
    expect(
      conditionsOf(`${rule('a', 'evt.type=open')}---\n---\n${rule('b', 'evt.type=close')}`),
    ).toEqual(['evt.type = open', 'evt.type = close'])
  })

  it('reports syntax errors of YAML with their place', () => {
    expect(lines(load('- rule: [a\n'))[0]).toMatch(/^a\.yaml:2:1 LOAD_ERR_YAML_PARSE /)
  })

  it('takes only sequences of maps', () => {
    expect(lines(load('rule: x\n'))).toEqual([
      'a.yaml:1:1 LOAD_ERR_YAML_VALIDATE a rules file is a sequence of items',
    ])
    expect(lines(load('- x\n'))).toEqual([
      'a.yaml:1:3 LOAD_ERR_YAML_VALIDATE an item is a map of keys and values',
    ])
  })
})

describe('2.2 keys', () => {
  it('reports all mistakes of a file at once, each with its place', () => {
    const text = `- rule: r
  desc: d
  condition: proc.nmae = x and evt.typo = open
  output: "%proc.naame did it"
  priority: WARNIN
- macro: m
- list: l
  items: x
`
    expect(lines(load(text))).toEqual([
      'a.yaml:5:13 LOAD_ERR_YAML_VALIDATE there is no priority "WARNIN"; did you mean Warning?',
      'a.yaml:6:3 LOAD_ERR_YAML_VALIDATE condition is missing',
      'a.yaml:8:10 LOAD_ERR_YAML_VALIDATE items must be a sequence',
    ])
    expect(lines(load(text.replace('WARNIN\n', 'WARNING\n')))).toEqual([
      'a.yaml:3:14 LOAD_ERR_COMPILE_CONDITION proc.nmae: no such field; did you mean proc.name?',
      'a.yaml:3:32 LOAD_ERR_COMPILE_CONDITION evt.typo: no such field; did you mean evt.type?',
      'a.yaml:4:12 LOAD_ERR_COMPILE_OUTPUT %proc.naame: no such field; did you mean proc.name?',
      'a.yaml:6:3 LOAD_ERR_YAML_VALIDATE condition is missing',
      'a.yaml:8:10 LOAD_ERR_YAML_VALIDATE items must be a sequence',
    ])
  })

  it('warns of unknown keys and items', () => {
    expect(lines(load(rule('r', 'evt.type=open', '  prioritty: x\n- thing: y\n')))).toEqual([
      'a.yaml:6:3 LOAD_UNKNOWN_KEY the key "prioritty" has no meaning here; did you mean priority?',
      expect.stringContaining('a.yaml:7:3 LOAD_UNKNOWN_ITEM'),
    ])
  })

  it('accepts engine versions up to its own', () => {
    expect(lines(load('- required_engine_version: 0.57.0\n'))).toEqual([])
    expect(lines(load('- required_engine_version: 15\n'))).toEqual([])
    expect(lines(load('- required_engine_version: 0.64.0\n'))[0]).toMatch(
      /^a.yaml:1:28 LOAD_ERR_VALIDATE .*0\.64\.0.*0\.63\.0/,
    )
    expect(lines(load('- required_engine_version: x\n'))[0]).toMatch(/LOAD_ERR_YAML_VALIDATE/)
  })

  it('has the container plugin and no other', () => {
    const plugins = (text: string) => lines(load(`- required_plugin_versions:\n${text}`))
    expect(plugins('  - {name: container, version: 0.4.0}\n')).toEqual([])
    expect(plugins('  - {name: container, version: 0.8.0}\n')[0]).toMatch(/container 0\.7\.1/)
    expect(plugins('  - {name: json, version: 0.1.0}\n')[0]).toMatch(/only container is built in/)
    expect(
      plugins(
        '  - {name: json, version: 0.1.0, alternatives: [{name: container, version: 0.7.0}]}\n',
      ),
    ).toEqual([])
  })
})

describe('2.3 lists', () => {
  it('are filled in as text, those defined later as well', () => {
    const text = `${rule('r', 'proc.name in (shells, "x y")')}- list: shells\n  items: [sh, a b]\n`
    expect(conditionsOf(text)).toEqual(['proc.name in (sh, "a b", "x y")'])
  })

  it('see lists that were defined before them', () => {
    const text = `- list: a\n  items: [x]\n- list: b\n  items: [a, y]\n${rule('r', 'proc.name in (b)')}`
    expect(conditionsOf(text)).toEqual(['proc.name in (x, y)'])
  })

  it('take a comma with them when they are empty', () => {
    const list = '- list: e\n  items: []\n'
    expect(conditionsOf(list + rule('r', 'proc.name in (a, e)'))).toEqual(['proc.name in (a)'])
    expect(conditionsOf(list + rule('r', 'proc.name in (e, a)'))).toEqual(['proc.name in (a)'])
    expect(conditionsOf(list + rule('r', 'proc.name in (e)'))).toEqual(['proc.name in ()'])
  })
})

describe('2.3 macros', () => {
  it('stand for their condition as a whole', () => {
    const text = `- macro: m\n  condition: evt.type=open or evt.type=close\n${rule('r', 'm and proc.name=x')}`
    expect(conditionsOf(text)).toEqual([
      '((evt.type = open or evt.type = close) and proc.name = x)',
    ])
  })

  it('see macros that were defined before them', () => {
    const text = `- macro: a\n  condition: b\n- macro: b\n  condition: evt.type=open\n${rule('r', 'a')}`
    const [first] = diagnosticsOf(load(text))
    expect(first).toMatchObject({
      code: 'LOAD_ERR_VALIDATE',
      message: 'there is no macro "b"',
      at: { line: 2, column: 14 },
      notes: [{ message: 'it is defined later: move it up', at: { line: 3, column: 10 } }],
    })
    const redefined = text.replace('- rule', '- macro: a\n  condition: b\n- rule')
    expect(conditionsOf(redefined)).toEqual(['evt.type = open'])
  })

  it('may not refer to themselves', () => {
    const text =
      '- macro: a\n  condition: evt.type=open\n- macro: a\n  condition: a and proc.name=x\n'
    expect(lines(load(text))).toContainEqual(
      'a.yaml:4:14 LOAD_ERR_VALIDATE the macro refers to itself: a -> a',
    )
  })

  it('may be used by rules anywhere in the file, but not by an earlier file', () => {
    const macro = '- macro: m\n  condition: evt.type=open\n'
    expect(conditionsOf(rule('r', 'm') + macro)).toEqual(['evt.type = open'])
    expect(lines(load([rule('r', 'm'), macro]))).toContainEqual(
      'a.yaml:3:14 LOAD_ERR_VALIDATE there is no macro "m"',
    )
  })

  it('point into themselves when a rule finds a mistake there', () => {
    const text = `- macro: m\n  condition: >\n    evt.type=open and\n    proc.nmae=x\n${rule('r', 'm')}`
    expect(diagnosticsOf(load(text))).toMatchObject([
      { at: { line: 4, column: 5, length: 9 }, notes: [{ message: 'used by the rule "r"' }] },
    ])
  })
})

describe('2.3 redefinition', () => {
  it('replaces the body and keeps the position', () => {
    const text =
      rule('a', 'evt.type=open') + rule('b', 'evt.type=bind') + rule('a', 'evt.type=close')
    const { rules } = load(text).ruleSet
    expect(rules.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(rules[0]!.conditionText).toBe('evt.type=close')
  })

  it('may switch a rule off and on', () => {
    const result = load([rule('a', 'evt.type=open'), '- rule: a\n  enabled: false\n'])
    expect(result.ruleSet.rules[0]!.enabled).toBe(false)
    expect(lines(result)).toEqual([expect.stringContaining('b.yaml:1:9 LOAD_DEPRECATED_ITEM')])
    expect(lines(load('- rule: x\n  enabled: false\n'))[0]).toMatch(
      /no rule "x" to enable or disable/,
    )
  })

  it('may not change the source', () => {
    const text = rule('a', 'evt.type=open') + rule('a', 'evt.type=open', '  source: k8s_audit\n')
    expect(lines(load(text))).toEqual([
      'a.yaml:11:11 LOAD_ERR_VALIDATE the rule has the source syscall; another definition cannot change it to k8s_audit',
    ])
  })
})

describe('2.4 append and override', () => {
  const base = rule('r', 'evt.type=open', '  tags: [b]\n')

  it('appends to conditions as text', () => {
    const text = `${base}- rule: r\n  condition: or proc.name=x\n  override: {condition: append}\n`
    expect(conditionsOf(text)).toEqual(['(evt.type = open or proc.name = x)'])
  })

  it('mixes appending and replacing', () => {
    const { rules } = load(
      `${base}- rule: r\n  output: more\n  tags: [a, b]\n  priority: INFO\n  override: {output: append, tags: append, priority: replace}\n`,
    ).ruleSet
    expect(rules[0]).toMatchObject({
      outputText: 'it happened more',
      tags: ['a', 'b'],
      priority: 6,
    })
  })

  it('wants override to name exactly what is given', () => {
    expect(
      lines(
        load(
          `${base}- rule: r\n  output: x\n  desc: y\n  override: {output: append, tags: append}\n`,
        ),
      ),
    ).toEqual([
      'a.yaml:9:9 LOAD_ERR_YAML_VALIDATE desc is given, but override does not name it',
      'a.yaml:10:30 LOAD_ERR_YAML_VALIDATE override names tags, but the item does not give it',
    ])
    expect(
      lines(load(`${base}- rule: r\n  priority: INFO\n  override: {priority: append}\n`))[0],
    ).toMatch(/priority cannot be appended to/)
  })

  it('needs something to change', () => {
    expect(
      lines(load('- rule: x\n  condition: and y\n  override: {condition: append}\n'))[0],
    ).toMatch(/^a.yaml:1:9 LOAD_ERR_VALIDATE there is no rule "x" to append to/)
    const list = '- list: l\n  items: [a]\n  override: {items: replace}\n'
    expect(lines(load(list))).toEqual([expect.stringContaining('LOAD_UNUSED_LIST')])
  })

  it('appends items to lists and keeps the old key, which is deprecated', () => {
    const text = `- list: l\n  items: [a]\n- list: l\n  items: [b]\n  append: true\n${rule('r', 'proc.name in (l)')}`
    const result = load(text)
    expect(printCondition(result.ruleSet.rules[0]!.condition)).toBe('proc.name in (a, b)')
    expect(lines(result)[0]).toMatch(/^a.yaml:5:11 LOAD_DEPRECATED_ITEM/)
  })
})

describe('2.6 exceptions', () => {
  const withException = (body: string) => rule('r', 'evt.type=open', `  exceptions:\n${body}`)

  it('exclude tuples of values', () => {
    const text = withException(`    - name: e
      fields: [proc.name, fd.name]
      comps: [=, startswith]
      values:
        - [sh, /tmp]
        - [my prog, /etc]
`)
    expect(conditionsOf(text)).toEqual([
      '(evt.type = open and not ((proc.name = sh and fd.name startswith /tmp) or (proc.name = "my prog" and fd.name startswith /etc)))',
    ])
  })

  it('exclude the values of a single field', () => {
    const text = withException('    - name: e\n      fields: proc.name\n      values: [a, b c]\n')
    expect(conditionsOf(text)).toEqual(['(evt.type = open and not proc.name in (a, "b c"))'])
  })

  it('put the operands of list operators between parentheses', () => {
    const text = withException(
      '    - name: e\n      fields: [proc.name, fd.name]\n      comps: [in, =]\n      values: [[[a, b], c], [d, e]]\n',
    )
    expect(conditionsOf(text)).toEqual([
      '(evt.type = open and not ((proc.name in (a, b) and fd.name = c) or (proc.name in (d) and fd.name = e)))',
    ])
  })

  it('take values later, or are new then', () => {
    const text = `${withException('    - name: e\n      fields: [proc.name]\n')}- rule: r
  exceptions:
    - name: e
      values: [[a]]
    - name: f
      fields: proc.exe
      values: [b]
  override: {exceptions: append}
`
    expect(conditionsOf(text)).toEqual([
      '(evt.type = open and not proc.name = a and not proc.exe in (b))',
    ])
  })

  it('fit together, or are told where they do not', () => {
    const text = withException(`    - name: e
      fields: [proc.name, proc.nmae]
      comps: [=]
      values: [[a]]
`)
    expect(lines(load(text))).toEqual([
      'a.yaml:7:13 LOAD_ERR_VALIDATE the exception "e" has 2 fields, but 1 comps',
      expect.stringContaining('a.yaml:8:27 LOAD_ERR_VALIDATE "proc.nmae" cannot be compared'),
      'a.yaml:10:16 LOAD_ERR_VALIDATE the exception "e" has 2 fields, but this value has 1 members',
    ])
  })

  it('point at the value that makes the condition wrong', () => {
    const text = withException(
      '    - name: e\n      fields: [fd.sip]\n      values: [[10.0.0.1], [x.y]]\n',
    )
    expect(lines(load(text))).toEqual([
      'a.yaml:9:29 LOAD_ERR_COMPILE_CONDITION "x.y" is no IP address',
    ])
  })
})

describe('2.5 and 2.9 rules that cannot run', () => {
  it('of another source are inactive', () => {
    const result = load(rule('k', 'ka.verb=create', '  source: k8s_audit\n'))
    expect(result.ok).toBe(true)
    expect(result.ruleSet.inactive).toMatchObject([{ name: 'k', reason: 'source not supported' }])
    expect(lines(result)[0]).toMatch(/^a.yaml:6:11 LOAD_UNKNOWN_SOURCE/)
  })

  it('are left out when they ask for it', () => {
    const skip = '  skip-if-unknown-filter: true\n'
    const result = load(rule('k', 'evt.type=open and no.field=x', skip))
    expect(result.ok).toBe(true)
    expect(lines(result)[0]).toMatch(/^a.yaml:1:9 LOAD_UNKNOWN_FILTER .*no\.field/)
    expect(load(rule('k', 'fd.sip=x', skip)).ok).toBe(false)
  })

  it('are compiled even when disabled', () => {
    expect(load(rule('d', 'no.field=x', '  enabled: false\n')).ok).toBe(false)
  })
})

describe('2.8 warnings', () => {
  const codes = (text: string) => diagnosticsOf(load(text)).map(({ code }) => code)

  it('tell what is not used', () => {
    expect(codes('- macro: m\n  condition: evt.type=open\n- list: l\n  items: [a]\n')).toEqual([
      'LOAD_UNUSED_MACRO',
      'LOAD_UNUSED_LIST',
    ])
  })

  it('tell which rules run for every event', () => {
    expect(codes(rule('r', 'proc.name=x'))).toEqual(['LOAD_NO_EVTTYPE'])
    expect(codes(rule('r', 'proc.name=x', '  warn_evttypes: false\n'))).toEqual([])
    expect(codes(rule('r', 'evt.num=0'))).toEqual([])
  })

  it('tell of deprecated fields and odd constants', () => {
    expect(codes(rule('r', 'evt.type=open and evt.dir=<'))).toEqual(['LOAD_DEPRECATED_ITEM'])
    expect(codes(rule('r', 'evt.type=open and proc.name=proc.pname'))).toEqual([
      'LOAD_COMPILE_CONDITION',
    ])
    expect(codes(rule('r', 'evt.type=open and proc.name regex "a.*"'))).toEqual([
      'LOAD_COMPILE_CONDITION',
    ])
  })
})

describe('4.3 selecting rules', () => {
  it('goes in order over what the files say', () => {
    const text = rule('Shell here', 'evt.type=open', '  tags: [x]\n') + rule('Net', 'evt.type=bind')
    const enabled = (selections: Parameters<typeof load>[1]) =>
      load(text, selections)
        .ruleSet.rules.toSorted((a, b) => (a.name < b.name ? 1 : -1))
        .map((loaded) => loaded.enabled)
    expect(enabled({ selections: [{ enable: false, by: { rule: '*' } }] })).toEqual([false, false])
    expect(
      enabled({
        selections: [
          { enable: false, by: { rule: '*e*' } },
          { enable: true, by: { tag: 'x' } },
        ],
      }),
    ).toEqual([true, false])
    expect(enabled({ selections: [{ enable: false, by: { rule: 'Ne' } }] })).toEqual([true, true])
  })
})

describe('3.4 extra output', () => {
  it('is appended to the rules that it matches', () => {
    const additions = [
      { match: { tags: ['x'] }, extraOutput: 'on %evt.type' },
      { match: { rule: 'Net' }, suggestedOutput: true },
    ]
    const { rules } = load(
      rule('Shell', 'evt.type=open', '  tags: [x]\n') + rule('Net', 'evt.type=bind'),
      { additions },
    ).ruleSet
    expect(rules[0]!.output.text).toBe('it happened on %evt.type')
    expect(rules[1]!.output.text).toMatch(/^it happened container_id=%container\.id .*k8s_ns_name=/)
  })
})
