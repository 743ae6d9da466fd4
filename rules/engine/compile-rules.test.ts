import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventTypeId, eventTypes, fieldMapSource } from '#events'
import { compileRules } from './compile-rules.ts'
import { interpret } from './interpret.ts'
import { checkedCondition, events, ruleOf, ruleSets } from './testing/rule-arbitrary.ts'

function rule(name: string, condition: string, more = {}) {
  return ruleOf(name, checkedCondition(condition), more)
}

function names(rules: readonly { name: string }[]): string[] {
  return rules.map(({ name }) => name)
}

describe('compiled rules', () => {
  it('match what the plain meaning of the language matches', () => {
    fc.assert(
      fc.property(ruleSets, fc.array(events, { maxLength: 8 }), (rules, given) => {
        const all = compileRules(rules, fieldMapSource, { matching: 'all' })
        const first = compileRules(rules, fieldMapSource, { matching: 'first' })
        for (const event of given) {
          const expected = rules.filter(({ condition }) =>
            interpret(condition, event, fieldMapSource),
          )
          expect(names(all.evaluate(event))).toEqual(names(expected))
          expect(names(first.evaluate(event))).toEqual(names(expected.slice(0, 1)))
        }
      }),
      { numRuns: 400 },
    )
  })

  it('read a field at most once an event', () => {
    let reads = 0
    const source = {
      ...fieldMapSource,
      bind: (ref: { name: string; text: string }) => (event: Record<string, string>) => {
        if (ref.name === 'proc.name') reads += 1
        return event[ref.text]
      },
    }
    const rules = [rule('a', 'proc.name=x and fd.name=y'), rule('b', 'proc.name in (y, z)')]
    const program = compileRules(rules, source, { matching: 'all' })
    program.evaluate({ 'evt.type': 'open', 'proc.name': 'x' })
    expect(reads).toBe(1)
    expect(names(program.evaluate({ 'evt.type': 'open', 'proc.name': 'z' }))).toEqual(['b'])
    expect(reads).toBe(2)
  })

  it('give back one and the same empty list when nothing matches', () => {
    const program = compileRules([rule('a', 'proc.name=x')], fieldMapSource, { matching: 'all' })
    expect(program.evaluate({ 'evt.type': 'open' })).toBe(program.evaluate({ 'evt.type': 'close' }))
  })

  it('are all tried for an event without a type', () => {
    const rules = [rule('a', 'not (evt.type != open or evt.type != bind)'), rule('b', 'evt.num=0')]
    const program = compileRules(rules, fieldMapSource, { matching: 'all' })
    expect(names(program.evaluate({}))).toEqual(['a'])
  })

  it('leave out disabled rules and those below the priority threshold', () => {
    const rules = [
      rule('off', 'evt.type=open', { enabled: false }),
      rule('debug', 'evt.type=open', { priority: 7 }),
      rule('notice', 'evt.type=open', { priority: 5 }),
    ]
    const program = compileRules(rules, fieldMapSource, { matching: 'all', leastPriority: 5 })
    expect(names(program.evaluate({ 'evt.type': 'open' }))).toEqual(['notice'])
  })

  it('want only the event types that their rules can match', () => {
    const wanted = (condition: string) =>
      compileRules([rule('a', condition)], fieldMapSource, { matching: 'all' }).eventTypes
    expect(wanted('evt.type in (open, close)')).toEqual(
      new Set([eventTypeId('open'), eventTypeId('close')]),
    )
    expect(wanted('evt.type=open and evt.num=0')).toEqual(new Set())
    expect(wanted('proc.name=x').size).toBe(eventTypes.length)
    expect(wanted('not evt.type=open').has(eventTypeId('open'))).toBe(false)
    expect(wanted('not (evt.type=open and proc.name=x)').size).toBe(eventTypes.length)
    expect(wanted('not (evt.type!=open or proc.name=x)')).toEqual(new Set([eventTypeId('open')]))
  })
})

describe('1.7 unavailable values', () => {
  const holds = (condition: string, event: Record<string, unknown>) => {
    const expr = checkedCondition(condition)
    const compiled = compileRules([ruleOf('r', expr)], fieldMapSource, { matching: 'all' })
    const result = interpret(expr, event, fieldMapSource)
    expect(compiled.evaluate(event).length === 1).toBe(result)
    return result
  }

  it('satisfy no operator, and so every negation', () => {
    for (const check of ['= x', '!= x', 'in (x)', 'contains x', 'exists', 'pmatch (/)']) {
      expect(holds(`proc.pname ${check}`, {})).toBe(false)
      expect(holds(`not proc.pname ${check}`, {})).toBe(true)
    }
    expect(holds('proc.name = val(proc.pname)', { 'proc.name': 'x' })).toBe(false)
    expect(holds('not proc.name in ("<NA>","N/A")', {})).toBe(true)
  })
})

describe('1.9 fields with their own comparison', () => {
  const holds = (condition: string, event: Record<string, unknown>) =>
    interpret(checkedCondition(condition), event, fieldMapSource)
  const socket = { 'fd.cip': '10.0.0.1', 'fd.sip': '192.168.1.5', 'fd.cport': 5, 'fd.sport': 80 }

  it('take any ancestor, for "!=" too', () => {
    const event = { 'proc.aname': ['bash', 'sshd'] }
    expect(holds('proc.aname = sshd', event)).toBe(true)
    expect(holds('proc.aname != sshd', event)).toBe(true)
    expect(holds('proc.aname != sshd', { 'proc.aname': ['sshd'] })).toBe(false)
    expect(holds('proc.aname exists', { 'proc.aname': [] })).toBe(false)
  })

  it('take any endpoint, but all of them for "!="', () => {
    expect(holds('fd.ip = 10.0.0.1', socket)).toBe(true)
    expect(holds('fd.ip != 10.0.0.1', socket)).toBe(false)
    expect(holds('fd.ip != 10.0.0.9', socket)).toBe(true)
    expect(holds('fd.ip in (1.1.1.1, 192.168.1.5)', socket)).toBe(true)
    expect(holds('fd.net in (1.0.0.0/8, 192.168.0.0/16)', socket)).toBe(true)
    expect(holds('fd.net != 10.0.0.0/8', socket)).toBe(false)
    expect(holds('fd.port = http', socket)).toBe(true)
    expect(holds('fd.port > 80', socket)).toBe(false)
  })

  it('hold addresses of different families unequal', () => {
    expect(holds('fd.sip != 2001:db8::1', socket)).toBe(true)
    expect(holds('fd.snet != 2001:db8::/32', socket)).toBe(true)
    expect(holds('fd.snet = 2001:db8::/32', socket)).toBe(false)
  })
})
