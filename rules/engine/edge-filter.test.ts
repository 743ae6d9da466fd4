import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventTypeId, fieldMapSource } from '#events'
import { compileRules } from './compile-rules.ts'
import {
  couldMatch,
  relaxRules,
  unknown,
  wantedEventTypes,
  wantedOpenClasses,
} from './edge-filter.ts'
import { interpret } from './interpret.ts'
import {
  checkedCondition,
  checkedConditions,
  events,
  ruleOf,
  ruleSets,
} from './testing/rule-arbitrary.ts'

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

describe('the classes of open calls that rules want', () => {
  const classes = (condition: string) =>
    wantedOpenClasses([ruleOf('r', checkedCondition(condition))])
  const ok = (access: number) => 1 << access
  const failed = (access: number) => 1 << (4 + access)

  it('follow the access mode', () => {
    const reads = 'evt.type in (open, openat) and evt.is_open_read=true and fd.num>=0'
    expect(classes(reads)).toBe(ok(0) | ok(2) | ok(3))
    const writes = 'evt.type = openat and evt.is_open_write=true and evt.rawres >= 0'
    expect(classes(writes)).toBe(ok(1) | ok(2) | ok(3))
  })

  it('follow the result', () => {
    expect(classes('evt.type=openat and evt.res=SUCCESS')).toBe(0x0f)
    expect(classes('evt.type=openat and evt.failed=true')).toBe(0xf0)
    expect(classes('evt.type=openat and fd.num=-1')).toBe(0xf0)
    expect(classes('evt.type=openat and evt.is_open_read=true and fd.num<0')).toBe(
      failed(0) | failed(2) | failed(3),
    )
    expect(classes('evt.type=openat and evt.rawres in (-2, -13)')).toBe(0xf0)
  })

  it('are none when no rule is about open', () => {
    expect(classes('evt.type=connect')).toBe(0)
    expect(classes('proc.name=x')).toBe(0xff)
  })
})

describe('the event types that rules want', () => {
  it('are those of the enabled rules', () => {
    const rules = [
      ruleOf('a', checkedCondition('evt.type=connect')),
      ruleOf('b', checkedCondition('evt.type=bind'), { enabled: false }),
    ]
    expect(wantedEventTypes(rules)).toEqual(new Set([eventTypeId('connect')]))
  })
})
