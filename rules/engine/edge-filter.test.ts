import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fieldMapSource } from '#events'
import { compileRules } from './compile-rules.ts'
import { couldMatch, relaxRules, unknown } from './edge-filter.ts'
import { interpret } from './interpret.ts'
import { checkedCondition, checkedConditions, events, ruleSets } from './testing/rule-arbitrary.ts'

const fields = ['proc.name', 'fd.name', 'proc.aname', 'fd.num', 'fd.sip', 'evt.rawres', 'fd.types']
const hiddenFields = fc.subarray(fields).map((names) => new Set(names))

describe('the edge filter', () => {
  it('keeps every event that the full evaluation matches', () => {
    fc.assert(
      fc.property(checkedConditions, events, hiddenFields, (condition, event, hidden) => {
        const known = couldMatch(condition, (ref) =>
          hidden.has(ref.name) ? unknown : fieldMapSource.bind(ref)?.(event),
        )
        if (interpret(condition, event, fieldMapSource)) expect(known).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('is exact when every field is known', () => {
    fc.assert(
      fc.property(checkedConditions, events, (condition, event) => {
        const known = couldMatch(condition, (ref) => fieldMapSource.bind(ref)?.(event))
        expect(known).toBe(interpret(condition, event, fieldMapSource))
      }),
    )
  })

  it('has a compiled form that keeps as much', () => {
    fc.assert(
      fc.property(ruleSets, events, hiddenFields, (rules, event, hidden) => {
        const relaxed = relaxRules(rules, (ref) => !hidden.has(ref.name))
        const all = compileRules(rules, fieldMapSource, { matching: 'all' })
        const kept = compileRules(relaxed, fieldMapSource, { matching: 'all' })
        const keptNames = kept.evaluate(event).map(({ name }) => name)
        for (const { name } of all.evaluate(event)) expect(keptNames).toContain(name)
      }),
    )
  })

  it('drops what the known fields rule out', () => {
    const condition = checkedCondition('evt.type=open and (k8s.ns.name=x or proc.name=sh)')
    const ask = (event: Record<string, string>) =>
      couldMatch(condition, (ref) => (ref.name === 'k8s.ns.name' ? unknown : event[ref.text]))
    expect(ask({ 'evt.type': 'open' })).toBe(true)
    expect(ask({ 'evt.type': 'close' })).toBe(false)
  })
})
