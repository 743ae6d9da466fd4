import { describe, expect, it } from 'vitest'
import { printAsFalco } from '#engine'
import { falcoResult } from './falco-result.ts'
import { diagnosticsOf, load, rule } from './testing/load.ts'

const open = 'evt.type=open'
const base = rule('r', open, '  tags: [b]\n')

/** Codes of all diagnostics but of what is not used, in the order of the text. */
function codes(texts: string | readonly string[], options?: Parameters<typeof load>[1]): string {
  return diagnosticsOf(load(texts, options))
    .map(({ code }) => code)
    .filter((code) => !code.startsWith('LOAD_UNUSED'))
    .join(' ')
}

function conditions(texts: string | readonly string[]): string[] {
  const result = load(texts)
  expect(result.ok).toBe(true)
  return result.ruleSet.rules.map(({ condition }) => printAsFalco(condition))
}

const parse = 'LOAD_ERR_YAML_PARSE'
const shape = 'LOAD_ERR_YAML_VALIDATE'
const meaning = 'LOAD_ERR_VALIDATE'
const condition = 'LOAD_ERR_COMPILE_CONDITION'
const output = 'LOAD_ERR_COMPILE_OUTPUT'

describe('2.1 YAML', () => {
  it.each([
    ['', ''],
    ['---\n---\n', ''],
    ['- \n- ~\n', ''],
    ['x: 1\n', shape],
    ['text\n', shape],
    ['- [a]\n', shape],
    ['- rule: [\n', parse],
    ['- foo: bar\n', 'LOAD_UNKNOWN_ITEM'],
    ['- list: l\n  items: [=, "x", 1]\n', ''],
    ['- list: l\n  items: [~]\n', shape],
    ['- list: l\n  items: [""]\n', ''],
    ['- list: l\n  items: [[a]]\n', shape],
    ['- list: l\n  items:\n', shape],
    ['- list: l\n', shape],
    ['- list: l\n  items: a\n', shape],
    ['- list:\n  items: []\n', shape],
    ['- macro: m\n', shape],
    ['- macro: m\n  condition: ""\n', shape],
    ['- macro: m\n  condition: "  "\n', condition],
    ['- macro: m\n  condition: {a: b}\n', shape],
    ['- macro: m-n\n  condition: evt.type=open\n', 'LOAD_INVALID_MACRO_NAME'],
    ['- list: "a b"\n  items: []\n', 'LOAD_INVALID_LIST_NAME'],
    [base.replace('  output: it happened\n', ''), shape],
    [base.replace('WARNING', 'LOUD'), shape],
    [base.replace('WARNING', 'wArning'), ''],
    [base.replace('WARNING', 'info'), ''],
    [base.replace('it happened', '"  "'), ''],
    [base.replace('tags: [b]', 'tags: b'), shape],
    [base.replace('tags: [b]', 'tags: [{a: b}]'), shape],
    [base.replace('tags: [b]', 'enabled: maybe'), shape],
    [base.replace('tags: [b]', 'enabled: "No"'), ''],
    [base.replace('tags: [b]', 'source:'), shape],
    [base.replace('tags: [b]', 'capture: "yes"\n  capture_duration: 0x10'), ''],
    [base.replace('tags: [b]', 'capture_duration: soon'), shape],
    [base.replace('tags: [b]', 'items: [x]'), 'LOAD_UNKNOWN_KEY'],
    [base.replace('tags: [b]', 'exceptions:'), ''],
    [base.replace('tags: [b]', 'exceptions: x'), shape],
    [base.replace('tags: [b]', 'exceptions: [x]'), shape],
    [base.replace('tags: [b]', 'exceptions: [{fields: [proc.name]}]'), shape],
    [base.replace('tags: [b]', 'exceptions: [{name: x}]'), shape],
    [base.replace('tags: [b]', 'exceptions: [{name: x, fields: proc.name, values: y}]'), shape],
    [base.replace('tags: [b]', 'exceptions: [{name: x, fields: proc.name, values: [~]}]'), shape],
    [
      base.replace('tags: [b]', 'exceptions: [{name: x, fields: proc.name, foo: y}]'),
      'LOAD_UNKNOWN_KEY',
    ],
  ])('%j: %s', (text, expected) => {
    expect(codes(text)).toBe(expected)
  })

  it('keeps the first of two equal keys', () => {
    expect(
      load(base.replace('tags: [b]', 'tags: [a]\n  tags: [b]')).ruleSet.rules[0]!.tags,
    ).toEqual(['a'])
  })
})

describe('2.2 versions', () => {
  it.each([
    ['- required_engine_version: 63\n', ''],
    ['- required_engine_version: "0.63.0"\n', ''],
    ['- required_engine_version: 0x3f\n', ''],
    ['- required_engine_version: 64\n', meaning],
    ['- required_engine_version: 0.63.1\n', meaning],
    ['- required_engine_version: 1.0.0\n', meaning],
    ['- required_engine_version: 0.57\n', shape],
    ['- required_engine_version: v0.57.0\n', shape],
    ['- required_engine_version: -1\n', shape],
    ['- required_engine_version:\n', shape],
    ['- required_plugin_versions: x\n', shape],
    ['- required_plugin_versions: [x]\n', shape],
    ['- required_plugin_versions: [{name: container}]\n', shape],
    ['- required_plugin_versions: [{name: container, version: x}]\n', meaning],
    ['- required_plugin_versions: [{name: container, version: 0.7.1}]\n', ''],
    ['- required_plugin_versions: [{name: container, version: 0.7.2}]\n', meaning],
    ['- required_plugin_versions: [{name: container, version: 1.0.0}]\n', meaning],
    ['- required_plugin_versions: [{name: x, version: 0.1.0}]\n', meaning],
    [
      '- required_plugin_versions: [{name: x, version: 0.1.0, alternatives: [{name: container, version: 0.1.0}]}]\n',
      '',
    ],
    [
      '- required_plugin_versions: [{name: x, version: 0.1.0, alternatives: [{name: x, version: 0.2.0}]}]\n',
      `${meaning} ${meaning}`,
    ],
    ['- required_plugin_versions: [{name: x, version: 0.1.0, alternatives: y}]\n', shape],
  ])('%j: %s', (text, expected) => {
    expect(codes(text)).toContain(expected)
    expect(codes(text) === '').toBe(expected === '')
  })
})

describe('2.3 definitions', () => {
  const lists = (names: Record<string, string>) =>
    Object.entries(names)
      .map(([name, items]) => `- list: ${name}\n  items: [${items}]\n`)
      .join('')

  it.each([
    [
      'a list in quotes too',
      lists({ l: 'x' }) + rule('r', 'proc.name="a l b"'),
      'proc.name = "a x b"',
    ],
    ['a list after =', lists({ l: 'x' }) + rule('r', 'proc.name=l'), 'proc.name = x'],
    ['a list in a macro name', lists({ m: 'x.y=1' }) + rule('r', 'proc.name=x'), 'proc.name = x'],
    [
      'no list within a word',
      lists({ l: 'x' }) + rule('r', 'proc.name in (ll, l-l)'),
      'proc.name in (ll, l-l)',
    ],
    [
      'a list without parentheses',
      lists({ l: 'x' }) + rule('r', 'proc.name in l'),
      'proc.name in x',
    ],
    [
      'an item that is a later list, again',
      lists({ a: 'b', b: 'x' }) + rule('r', 'proc.name in (a)'),
      'proc.name in (x)',
    ],
    [
      'an item that is an earlier list',
      lists({ a: 'x', b: 'a, y' }) + rule('r', 'proc.name in (b)'),
      'proc.name in (x, y)',
    ],
    [
      'a second level only as far as the text pass goes',
      lists({ a: 'x', b: 'a', c: 'b' }) + rule('r', 'proc.name in (c)'),
      'proc.name in (a)',
    ],
    [
      'items with blanks in quotes',
      lists({ l: '"a b", "\\"c d\\"", e' }) + rule('r', 'proc.name in (l)'),
      'proc.name in ("a b", "c d", e)',
    ],
    [
      'nothing of an empty list',
      lists({ e: '' }) + rule('r', 'proc.name in (x, e, y)'),
      'proc.name in (x, y)',
    ],
    ['nothing at all', lists({ e: '' }) + rule('r', 'proc.name in (e)'), 'proc.name in ()'],
    [
      'a macro as a whole',
      `- macro: m\n  condition: a.b=1 or ${open}\n`.replace('a.b=1', 'fd.num=1') +
        rule('r', 'not m'),
      'not (fd.num = 1 or evt.type = open)',
    ],
  ])('fill in %s', (_, text, expected) => {
    expect(conditions(text)).toEqual([expected])
  })

  it('of lists replace those before, as far as they were filled in', () => {
    const text = lists({ a: 'x' }) + rule('r', 'proc.name in (a)') + lists({ a: 'y' })
    expect(conditions(text)).toEqual(['proc.name in (y)'])
  })

  it('that are wrong', () => {
    expect(codes(rule('r', 'nosuch'))).toBe(meaning)
    expect(codes(`- macro: a\n  condition: nosuch\n`)).toBe(meaning)
    expect(
      codes(
        `- macro: a\n  condition: b\n- macro: b\n  condition: ${open}\n- macro: b\n  condition: a\n- macro: a\n  condition: b\n${rule('r', 'a')}`,
      ),
    ).toContain(meaning)
    expect(codes('- macro: unused\n  condition: no.field = 1\n')).toBe('')
    expect(codes('- macro: unused\n  condition: a and\n')).toBe(condition)
  })

  it('of rules with another source are refused', () => {
    expect(codes(base + rule('r', open, '  source: k8s_audit\n'))).toBe(meaning)
    expect(codes(base + rule('r', open, '  source: syscall\n'))).toBe('')
    expect(
      codes(`${base}- rule: r\n  source: other\n  desc: x\n  override: {desc: replace}\n`),
    ).toBe(meaning)
    expect(codes(`${base}- rule: r\n  source:\n  desc: x\n  override: {desc: replace}\n`)).toBe('')
  })
})

describe('2.4 append and override', () => {
  const change = (text: string) => `${base}- rule: r\n${text}`
  it.each([
    ['  condition: and fd.num=1\n  override: {condition: append}\n', ''],
    ['  condition: and fd.num=1\n  append: true\n', 'LOAD_DEPRECATED_ITEM'],
    ['  append: true\n', `${meaning} LOAD_DEPRECATED_ITEM`],
    ['  output: x\n  append: true\n', `${meaning} LOAD_DEPRECATED_ITEM`],
    ['  condition: and fd.num=1\n  priority: nonsense\n  append: true\n', 'LOAD_DEPRECATED_ITEM'],
    [
      '  condition: and fd.num=1\n  append: true\n  override: {condition: append}\n',
      `LOAD_DEPRECATED_ITEM ${shape}`,
    ],
    ['  priority: INFO\n  override: {priority: append}\n', shape],
    ['  condition: x\n  override: {condition: prepend}\n', shape],
    ['  source: x\n  override: {source: replace}\n', shape],
    ['  override: {condition: append}\n', shape],
    ['  condition: and fd.num=1\n  output: x\n  override: {condition: append}\n', shape],
    ['  enabled: false\n  override: {enabled: replace}\n', ''],
    ['  enabled: false\n  override: {enabled: append}\n', shape],
    [
      '  capture: true\n  capture_duration: 5\n  override: {capture: replace, capture_duration: replace}\n',
      '',
    ],
    [
      '  warn_evttypes: false\n  skip-if-unknown-filter: true\n  override: {warn_evttypes: replace, skip-if-unknown-filter: replace}\n',
      '',
    ],
    [
      '  condition: and fd.num=1\n  output: z\n  override: {condition: append, output: replace}\n',
      '',
    ],
    ['  enabled: false\n', 'LOAD_DEPRECATED_ITEM'],
    ['  tags: [x]\n', `${shape} ${shape} ${shape} ${shape}`],
  ])('%j: %s', (text, expected) => {
    expect(codes(change(text))).toBe(expected)
  })

  it.each([
    ['- rule: x\n  condition: y\n  override: {condition: append}\n', meaning],
    ['- rule: x\n  condition: y\n  override: {condition: replace}\n', meaning],
    ['- rule: x\n  enabled: true\n', meaning],
    ['- macro: x\n  condition: y\n  override: {condition: append}\n', meaning],
    ['- list: x\n  items: [y]\n  override: {items: append}\n', meaning],
    ['- list: x\n  items: [y]\n  append: true\n', `${meaning} LOAD_DEPRECATED_ITEM`],
    ['- macro: x\n  condition: evt.type=open\n  override: {condition: replace}\n', ''],
    ['- list: x\n  items: [y]\n  override: {items: replace}\n', ''],
    ['- list: x\n  items: [y]\n  override: {name: replace}\n', shape],
    ['- list: x\n  items: [y]\n  override:\n', ''],
  ])('without anything before: %j: %s', (text, expected) => {
    expect(codes(text)).toContain(expected)
  })

  it('append first, then replace', () => {
    const text = change(
      '  desc: more\n  output: again\n  tags: [a, c]\n  override: {desc: append, output: append, tags: append}\n',
    )
    expect(load(text).ruleSet.rules[0]).toMatchObject({
      description: 'what it is more',
      outputText: 'it happened again',
      tags: ['a', 'b', 'c'],
    })
    expect(
      conditions(
        change('  condition: or fd.num=1 and fd.num=2\n  override: {condition: append}\n'),
      ),
    ).toEqual(['(evt.type = open or (fd.num = 1 and fd.num = 2))'])
  })
})

describe('2.6 exceptions', () => {
  const excepted = (exception: string) => rule('r', open, `  exceptions:\n    - ${exception}\n`)
  it.each([
    [
      '{name: e, fields: [proc.name], values: [[a], [b]]}',
      ' and not (proc.name = a or proc.name = b)',
    ],
    ['{name: e, fields: proc.name, values: [a, "b c"]}', ' and not proc.name in (a, "b c")'],
    ['{name: e, fields: proc.name, comps: pmatch, values: [/a]}', ' and not proc.name pmatch (/a)'],
    [
      '{name: e, fields: proc.name, comps: "startswith anyof", values: [a, b]}',
      ' and not proc.name startswith anyof (a, b)',
    ],
    [
      '{name: e, fields: [proc.name], comps: [" in "], values: [[[a, b]]]}',
      ' and not proc.name in (a, b)',
    ],
    [
      '{name: e, fields: [proc.name], comps: [in], values: [["a, b"]]}',
      ' and not proc.name in (a, b)',
    ],
    [
      '{name: e, fields: [proc.name], comps: [in], values: [["(a, b)"]]}',
      ' and not proc.name in (a, b)',
    ],
    [
      '{name: e, fields: [proc.name], comps: ["= oneof"], values: [[a]]}',
      ' and not proc.name = oneof (a)',
    ],
    ['{name: e, fields: [fd.num], comps: ["<"], values: [[5]]}', ' and not fd.num < 5'],
    ['{name: e, fields: [tolower(proc.name)], values: [[a]]}', ' and not tolower(proc.name) = a'],
    [
      '{name: e, fields: [proc.name], values: [[toupper(proc.pname)]]}',
      ' and not proc.name = toupper(proc.pname)',
    ],
    ['{name: e, fields: [proc.name], values: []}', undefined],
    ['{name: e, fields: [proc.name]}', undefined],
  ])('%s', (exception, clause) => {
    expect(conditions(excepted(exception))).toEqual([
      clause === undefined ? 'evt.type = open' : `(evt.type = open${clause})`,
    ])
  })

  it.each([
    ['{name: e, fields: [proc.name, fd.name], values: [[a]]}', meaning],
    ['{name: e, fields: [proc.name], values: [a]}', meaning],
    ['{name: e, fields: [proc.name], comps: ["=", in], values: [[a]]}', meaning],
    ['{name: e, fields: [proc.name], comps: [like], values: [[a]]}', meaning],
    ['{name: e, fields: [proc.name], comps: in, values: [[a]]}', meaning],
    ['{name: e, fields: proc.name, comps: [in], values: [a]}', meaning],
    ['{name: e, fields: proc.name, comps: "=", values: [a]}', meaning],
    ['{name: e, fields: proc.name, values: [[a]]}', meaning],
    ['{name: e, fields: proc.nmae, values: [a]}', meaning],
    ['{name: e, fields: [proc.name], comps: [exists], values: [[a]]}', condition],
    ['{name: e, fields: [proc.name], values: [["a)or"]]}', condition],
    ['{name: e, fields: [proc.name], comps: [in], values: [["a b"]]}', condition],
    ['{name: e, fields: [proc.name], values: [[proc.pname]]}', 'LOAD_COMPILE_CONDITION'],
    [
      '{name: e, fields: proc.name, values: [a]}\n    - {name: e, fields: proc.exe, values: [b]}',
      'LOAD_EXCEPTION_NAME_NOT_UNIQUE',
    ],
  ])('%s: %s', (exception, expected) => {
    expect(codes(excepted(exception))).toBe(expected)
  })

  const known = excepted('{name: e, fields: [proc.name], values: [[a]]}')
  const appended = (exception: string) =>
    `${known}- rule: r\n  exceptions: [${exception}]\n  override: {exceptions: append}\n`
  it.each([
    ['{name: e, values: [[b]]}', ''],
    ['{name: e}', 'LOAD_APPEND_NO_VALUES'],
    ['{name: e, fields: [proc.name], values: [[b]]}', meaning],
    ['{name: e, comps: [in], values: [[b]]}', meaning],
    ['{name: f, fields: [proc.exe], values: [[b]]}', ''],
    ['{name: f, fields: [proc.exe], values: []}', meaning],
    ['{name: f, fields: [proc.exe]}', meaning],
    ['{name: f, values: [[b]]}', meaning],
    ['{name: e, values: [[b, c]]}', meaning],
  ])('appended %s: %s', (exception, expected) => {
    expect(codes(appended(exception))).toBe(expected)
  })

  it('fill in the usual operators where they replace others; in Falco they do not', () => {
    const text = `${known}- rule: r\n  exceptions: [{name: f, fields: proc.exe, values: [b]}]\n  override: {exceptions: replace}\n`
    expect(conditions(text)).toEqual(['(evt.type = open and not proc.exe in (b))'])
    expect(codes(text, { strictCompat: true })).toBe(condition)
    expect(codes(text.replace('fields: proc.exe, ', ''))).toBe(shape)
  })
})

describe('2.5 rules that do not run', () => {
  const foreign = rule('k', 'ka.verb=create', '  source: k8s_audit\n')
  const plugin = '- required_plugin_versions: [{name: k8saudit, version: 0.7.0}]\n'

  it('of another source stay inactive, with the plugins that they alone need', () => {
    const result = load(plugin + foreign)
    expect(result.ok).toBe(true)
    expect(result.ruleSet).toMatchObject({
      inactive: [{ name: 'k', reason: 'source not supported' }],
      missingPlugins: ['k8saudit 0.7.0'],
    })
    expect(codes(plugin + foreign)).toBe('LOAD_UNKNOWN_SOURCE LOAD_UNKNOWN_SOURCE')
    expect(codes(plugin + base)).toBe(meaning)
  })

  it('are fatal for those who want Falco as it is', () => {
    expect(codes(plugin + foreign, { strictCompat: true })).toBe(`${meaning} ${meaning}`)
    expect(codes(rule('r', `${open} and fd.ip intersects (1.2.3.4)`), { strictCompat: true })).toBe(
      condition,
    )
    expect(codes(rule('r', `${open} and fd.ip intersects (1.2.3.4)`))).toBe('')
  })

  it('mean what Falco means by them where that is asked for', () => {
    const text = rule('r', `${open} and fd.net in (1.0.0.0/8, 2.0.0.0/8)`)
    const [strict] = load(text, { strictCompat: true }).ruleSet.rules
    expect(printAsFalco(strict!.condition)).toBe('(evt.type = open and fd.net in (1.0.0.0/8))')
  })
})

describe('2.7 and 2.8 codes', () => {
  it.each([
    [rule('r', `${open} and`), condition],
    [rule('r', 'evt.type=nosuch'), condition],
    [rule('r', `${open} and fd.num contains 1`), condition],
    [rule('r', `${open} and proc.name regex "("`), condition],
    [base.replace('it happened', '"%nosuch.field"'), output],
    [base.replace('it happened', '"100%"'), output],
    [
      base.replace('it happened', '"%evt.dir %evt.latency.ns"'),
      'LOAD_DEPRECATED_ITEM LOAD_DEPRECATED_ITEM LOAD_DEPRECATED_ITEM',
    ],
    [base.replace('it happened', '"x %container.info y"'), 'LOAD_DEPRECATED_ITEM'],
    [rule('r', `${open} and evt.dir=< and evt.dir=<`), 'LOAD_DEPRECATED_ITEM'],
    [
      rule('r', `${open} and evt.latency > 1 and evt.wait_latency > 1`),
      'LOAD_DEPRECATED_ITEM LOAD_DEPRECATED_ITEM',
    ],
    [rule('r', 'proc.name=x'), 'LOAD_NO_EVTTYPE'],
    [rule('r', 'not evt.type=open'), 'LOAD_NO_EVTTYPE'],
    [rule('r', `${open} and proc.name = "proc. pname"`), 'LOAD_COMPILE_CONDITION'],
    [rule('r', `${open} and proc.name in (a, proc.pname)`), 'LOAD_COMPILE_CONDITION'],
    [rule('r', `${open} and proc.name = "tolower(proc.pname)"`), 'LOAD_COMPILE_CONDITION'],
    [rule('r', `${open} and proc.name regex "abc"`), 'LOAD_COMPILE_CONDITION'],
    [rule('r', `${open} and proc.name regex ".*abc.*"`), 'LOAD_COMPILE_CONDITION'],
    [rule('r', `${open} and proc.name regex "a(b|c)"`), ''],
    [rule('r', `${open} and proc.name = "<NA>"`), ''],
    [rule('r', `${open} and ka.verb = "<NA>"`), `LOAD_UNSAFE_NA_CHECK ${condition}`],
    [
      rule('r', `${open} and jevt.x in (a, <NA>)`, '  skip-if-unknown-filter: true\n'),
      'LOAD_UNKNOWN_FILTER LOAD_UNSAFE_NA_CHECK',
    ],
    [
      `- macro: m\n  condition: proc.name = proc.pname\n${rule('r', `${open} and m`)}`,
      'LOAD_COMPILE_CONDITION',
    ],
  ])('%j: %s', (text, expected) => {
    expect(codes(text)).toBe(expected)
  })

  it('2.9 forgive an unknown field only where it is the first mistake', () => {
    const skip = '  skip-if-unknown-filter: true\n'
    expect(codes(rule('r', 'evt.type=nosuch', skip))).toBe('LOAD_UNKNOWN_FILTER')
    expect(codes(base.replace('it happened', '"%no.field"') + skip)).toBe('LOAD_UNKNOWN_FILTER')
    expect(codes(rule('r', `${open} and no.field=1 and fd.sip=x`, skip))).toBe(
      'LOAD_UNKNOWN_FILTER',
    )
    expect(codes(rule('r', `${open} and fd.sip=x and no.field=1`, skip))).toBe(
      `${condition} ${condition}`,
    )
    expect(codes(rule('r', `${open} and`, skip))).toBe(condition)
  })

  it('tell what is used anywhere, over all files', () => {
    const unused = (texts: readonly string[]) =>
      diagnosticsOf(load(texts))
        .filter(({ code }) => code.startsWith('LOAD_UNUSED'))
        .map(({ message }) => message)
    const first =
      '- list: a\n  items: [x]\n- list: b\n  items: [a]\n- macro: m\n  condition: proc.name in (b)\n'
    expect(unused([first])).toEqual(['the macro "m" is not used'])
    expect(unused([first, rule('r', `${open} and m`)])).toEqual([])
  })
})

describe('2.10 the JSON schema', () => {
  const schema = (text: string) => falcoResult(load(text).files[0]!)

  it('never fails a file, but says what does not fit', () => {
    expect(schema(base)).toMatchObject({
      successful: true,
      schema_valid: true,
      schema_warnings: [],
    })
    expect(schema(base.replace('WARNING', 'Warning'))).toMatchObject({
      successful: true,
      schema_valid: false,
      schema_warnings: [
        expect.stringMatching(/^<root>\[0\]\.priority: one of EMERGENCY.* \(5:13\)$/),
      ],
    })
  })

  it.each([
    ['- rule: r\n  enabled: false\n', true],
    ['- rule: r\n  enabled: x\n', false],
    ['- list: l\n  items: [1, a]\n  priority: INFO\n', true],
    ['- list: l\n  items: [[a]]\n', false],
    ['- foo: x\n', false],
    ['x: y\n', false],
    [base.replace('tags: [b]', 'exceptions: [{fields: x}]'), false],
    [base.replace('tags: [b]', 'exceptions: [{name: e, bar: x}]'), false],
    ['- rule: r\n  tags: [x]\n  override: {tags: append}\n', true],
    ['- rule: r\n  tags: [x]\n  override: {tags: add}\n', false],
    ['- required_plugin_versions: [{name: x}]\n', false],
  ])('%j: %s', (text, valid) => {
    expect(schema(text).schema_valid).toBe(valid)
  })
})

describe('2.11 the result', () => {
  it('has the shape of Falco, with places that count from 0', () => {
    const { files } = load(rule('r', 'evt.type=open and proc.nmae=averylongname'))
    expect(falcoResult(files[0]!)).toEqual({
      name: 'a.yaml',
      successful: false,
      schema_valid: true,
      schema_warnings: [],
      errors: [
        {
          code: condition,
          codedesc: 'Error compiling condition',
          message: expect.stringContaining('proc.nmae'),
          context: {
            snippet:
              '  condition: evt.type=open and proc.nmae=averylongname\n                               ^\n',
            locations: [
              {
                item_type: 'rules content',
                item_name: '',
                position: { name: 'a.yaml', line: 0, column: 0, offset: 0 },
              },
              {
                item_type: 'rule',
                item_name: 'r',
                position: { name: 'a.yaml', line: 0, column: 2, offset: 2 },
              },
              {
                item_type: 'rule condition',
                item_name: '',
                position: { name: 'a.yaml', line: 2, column: 13, offset: 42 },
              },
              {
                item_type: 'condition expression',
                item_name: '',
                position: { name: '"evt.type=open and..."', line: 2, column: 31, offset: 60 },
              },
            ],
          },
        },
      ],
      warnings: [],
    })
  })

  it('describes warnings at length, and names the field that is deprecated', () => {
    const { warnings } = falcoResult(load(rule('r', `${open} and evt.dir=<`)).files[0]!)
    expect(warnings).toMatchObject([{ code: 'LOAD_DEPRECATED_ITEM', deprecated_field: 'evt.dir' }])
  })
})
