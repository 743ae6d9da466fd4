import { describe, expect, it } from 'vitest'
import { fieldMapSource, parseFieldMap } from '#events'
import { alertId, alertJson, alertOf, alertText } from './alert.ts'
import { formatOutput } from './format-output.ts'
import { type OutputTemplate, parseOutput } from './output-template.ts'
import { checkedCondition, ruleOf } from './testing/rule-arbitrary.ts'

function event(json: object) {
  const result = parseFieldMap(json)
  if ('errors' in result) throw new Error(result.errors.map(({ message }) => message).join())
  return result.map
}

function template(text: string): OutputTemplate {
  const result = parseOutput(text)
  if ('problems' in result) throw new Error(result.problems.map(({ message }) => message).join())
  return result.template
}

const show = (text: string, json: object) =>
  formatOutput(template(text), event(json), fieldMapSource)

describe('3.1 output texts', () => {
  it('show values, and <NA> for those that are missing', () => {
    expect(show('%proc.name|%proc.pname', { 'proc.name': 'sh' })).toBe('sh|<NA>')
  })

  it('take the longest field name that exists', () => {
    expect(show('%proc.nameand %proc.name.', { 'proc.name': 'sh' })).toBe('shand sh.')
    expect(show('%proc.aname[2]x', { 'proc.aname': ['a', 'b'] })).toBe('bx')
  })

  it('pad and cut to a width', () => {
    expect(show('%4proc.name|%1proc.name|', { 'proc.name': 'sh' })).toBe('sh  |s|')
  })

  it('show numbers as their field wants', () => {
    expect(show('%fd.dev %evt.rawtime.ns', { 'fd.dev': 2049, 'evt.time': 5 })).toBe('801 000000005')
    expect(show('%evt.failed %fd.types', { 'evt.failed': true, 'fd.types': ['a', 'b'] })).toBe(
      'true (a,b)',
    )
    expect(show('%proc.aname', { 'proc.aname': ['a', 'b'] })).toBe('a b')
  })

  it('show nothing of fields for conditions only', () => {
    expect(show('%fd.net', { 'fd.sip': '1.2.3.4' })).toBe('<NA>')
  })

  it('apply transformers', () => {
    expect(show('%toupper(proc.name)!', { 'proc.name': 'sh' })).toBe('SH!')
  })

  it('are refused where a field does not exist', () => {
    const problems = (text: string) => {
      const result = parseOutput(text)
      return 'problems' in result
        ? result.problems.map(({ at, message }) => `${at} ${message}`)
        : []
    }
    expect(problems('a %proc.nmae and 5%')).toEqual([
      '2 %proc.nmae: no such field; did you mean proc.name?',
      '18 % begins a field; there is no way to write a percent sign',
    ])
    expect(problems('%toupper(proc.nmae)')[0]).toMatch(/did you mean proc\.name/)
  })
})

describe('3.2 and 3.3 alerts', () => {
  const rule = ruleOf('Test', checkedCondition('evt.type=open'), {
    output: template('%proc.name opened %toupper(fd.name) %proc.pid %evt.rawtime %proc.pname'),
    tags: ['a', 'b'],
    extraFields: [
      { key: 'proc.vpid', template: template('%proc.vpid'), raw: true },
      { key: 'note', template: template('%proc.vpid!'), raw: false },
    ],
  })
  const map = event({
    'evt.time': '1700000000123456789',
    'proc.name': 'c"at\n',
    'fd.name': '/x',
    'proc.pid': '9007199254740993',
    'proc.vpid': 7,
  })
  const alert = alertOf(rule, map, fieldMapSource, { hostname: 'h', isoTime: true })

  it('have the keys of Falco, integers exact and missing values null', () => {
    expect(alertJson(alert)).toBe(
      '{"hostname":"h","output":"2023-11-14T22:13:20.123456789+0000: Warning c\\"at\\n opened /X 9007199254740993 1700000000123456789 <NA>",' +
        '"output_fields":{"evt.rawtime":1700000000123456789,"evt.time.iso8601":1700000000123456789,' +
        '"fd.name":"/x","note":"7!","proc.name":"c\\"at\\n","proc.pid":9007199254740993,"proc.pname":null,"proc.vpid":7},' +
        '"priority":"Warning","rule":"Test","source":"syscall","tags":["a","b"],"time":"2023-11-14T22:13:20.123456789Z"}',
    )
  })

  it('are one escaped line as text', () => {
    expect(alertText(alert)).toMatch(
      /^2023-11-14T22:13:20\.123456789\+0000: Warning c\\"at\\n opened/,
    )
  })

  it('have U+FFFD in place of bytes that are not UTF-8', () => {
    const stray = event({ 'proc.name': 'a\udcff' })
    expect(alertJson(alertOf(rule, stray, fieldMapSource, { hostname: 'h' }))).toContain(
      '"proc.name":"a\ufffd"',
    )
  })

  it('have an id that depends on their origin alone', () => {
    const origin = { cluster: 'c', node: 'n', boot: 'b', run: '1', seq: 5, rule: 'r' }
    expect(alertId(origin, (text) => text)).toBe('["c","n","b","1",5,"r"]')
    expect(alertId({ ...origin, seq: 6 }, (text) => text)).not.toBe(alertId(origin, (text) => text))
  })
})
