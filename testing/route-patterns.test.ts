import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { priorityNames } from '#engine'
import {
  busPatternOf,
  outcomes,
  patternLimit,
  type Route,
  type RouteMatch,
  type Routes,
  responseModes,
  responseStates,
  routeSubject,
  type Subject,
} from '#routes'
import { compilePattern, type JsonValue } from '../infra/local/event-pattern.ts'
import { detailTypes } from '../lambdas/shared/bus-messages.ts'
import { subjectOf, toldBy } from '../lambdas/shared/route-subject.ts'
import { sampleAwaiting, sampleResponse } from './destinations/sample-messages.ts'

const at = { file: 'r', line: 1, column: 1, offset: 0, length: 0 }
const route = (name: string, match: Partial<RouteMatch>): Route => ({
  ...{ name, to: [name], at, match: { about: ['incident'], ...match } },
})
const routes = (...list: Route[]): Routes => ({
  ...{ matching: 'first', routes: list, otherwise: ['default'], links: {}, redact: [] },
  destinations: ['a', 'default'].map((name) => ({ name }) as Routes['destinations'][number]),
})

describe('patterns for the bus', () => {
  const text = fc.constantFrom(
    'prod',
    'test',
    'pay*',
    'payments',
    '*',
    'a\\b',
    'Shell in container',
    '$or',
  )
  const some = fc.array(text, { minLength: 1, maxLength: 3 })
  const option = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
  const match = fc
    .record({
      priority: option(fc.nat(7)),
      rule: option(some),
      tag: option(some),
      cluster: option(some),
      namespace: option(some),
      workload: option(some),
      label: option(fc.dictionary(fc.constantFrom('team', 'a.b/c'), some, { maxKeys: 2 })),
      source: option(some),
    })
    .map((all) => ({
      about: ['incident'] as const,
      ...Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
    }))
  const value = text.map((one) => one.replaceAll('*', 'x'))
  const anySubject = fc.record({
    priority: fc.nat(7),
    rules: fc.uniqueArray(value, { minLength: 1, maxLength: 2 }),
    tags: fc.uniqueArray(value, { maxLength: 2 }),
    cluster: value,
    namespace: option(value),
    workload: option(value),
    labels: fc.dictionary(fc.constantFrom('team', 'a.b/c'), value, { maxKeys: 2 }),
    source: value,
  })
  const eventOf = (s: Omit<Subject, 'about' | 'time'>): JsonValue => ({
    ...{ source: 'lanner', 'detail-type': 'Incident Opened' },
    detail: {
      incident: {
        ...{ priority: priorityNames[s.priority]!, tags: s.tags, cluster: s.cluster },
        rules: Object.fromEntries(s.rules.map((name) => [name, 1])),
        ...(s.namespace !== undefined && {
          pod: {
            ...{ namespace: s.namespace, labels: s.labels },
            ...(s.workload !== undefined && { workload: s.workload }),
          },
        }),
      },
      detection: { source: s.source ?? '' },
    },
  })

  it('fit whatever their route fits, and nothing else when they are exact', () => {
    let exact = 0
    fc.assert(
      fc.property(match, anySubject, (match, drawn) => {
        const { namespace, workload, ...rest } = drawn
        const whole: Subject = {
          ...{ ...rest, about: 'incident', time: 0 },
          // what is in no pod has neither workload nor labels
          ...(namespace !== undefined && { namespace, ...(workload && { workload }) }),
          labels: namespace === undefined ? {} : rest.labels,
        }
        const one = route('a', match)
        const fits = routeSubject(routes(one), whole).to.includes('a')
        const pattern = busPatternOf(one)!
        const json = JSON.stringify(pattern.pattern)
        expect(json.length).toBeLessThanOrEqual(patternLimit)
        const onBus = compilePattern(json)(eventOf(whole))
        if (pattern.exact) {
          exact += 1
          expect(onBus).toBe(fits)
        } else if (fits) expect(onBus).toBe(true)
      }),
      { numRuns: 3000 },
    )
    expect(exact).toBeGreaterThan(300)
  })

  it('fit whatever a route for responses fits, and nothing else when they are exact', () => {
    const words = fc.constantFrom('a', 'b', 'a*', '*')
    const some = fc.array(words, { minLength: 1, maxLength: 2 })
    const states = fc.constantFrom(...responseStates, 'p*', '*ed', '*')
    const outcome = fc.constantFrom(...outcomes)
    const mode = fc.constantFrom(...responseModes)
    const half = <T>(arbitrary: fc.Arbitrary<T>) =>
      fc.option(arbitrary, { nil: undefined, freq: 1 })
    const several = <T>(arbitrary: fc.Arbitrary<T>) =>
      half(fc.array(arbitrary, { minLength: 1, maxLength: 2 }))
    const matches = fc
      .record({
        ...{ priority: half(fc.nat(7)), cluster: half(some), namespace: half(some) },
        ...{ rule: half(some), state: several(states), outcome: several(outcome) },
        mode: several(mode),
      })
      .map((all) =>
        Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
      )
    const name = fc.constantFrom('a', 'b')
    const messages = fc.record({
      ...{ news: fc.constantFrom(...responseStates), cluster: name, namespace: name, rule: name },
      ...{ mode, outcome: option(outcome) },
    })
    let exact = 0
    let fitting = 0
    fc.assert(
      fc.property(matches, messages, (match, { news, namespace, ...given }) => {
        const type = news === 'awaiting' ? 'planned' : news
        const message = {
          ...sampleResponse(0),
          ...JSON.parse(JSON.stringify(given)),
          target: { namespace, name: 'n', uid: 'u' },
          ...(news === 'awaiting' && { approve: sampleAwaiting.approve }),
        }
        const event = {
          ...{ source: 'lanner', 'detail-type': detailTypes[type], detail: message },
        }
        const one = route('a', { about: ['response'], ...match })
        const told = toldBy(event['detail-type'], message)!
        const fits = routeSubject(routes(one), subjectOf(told, 0)).to.includes('a')
        const pattern = busPatternOf(one)!
        const onBus = compilePattern(JSON.stringify(pattern.pattern))(event as never)
        if (fits) fitting += 1
        if (pattern.exact) {
          exact += 1
          expect(onBus).toBe(fits)
        } else if (fits) expect(onBus).toBe(true)
      }),
      { numRuns: 3000 },
    )
    expect(exact).toBeGreaterThan(300)
    expect(fitting).toBeGreaterThan(100)
  })

  it('leave out what makes them too long, and say so', () => {
    const many = Array.from({ length: 200 }, (_, i) => `namespace-number-${i}`)
    const long = busPatternOf(route('a', { namespace: many, cluster: ['prod'] }))!
    expect(long.exact).toBe(false)
    expect(long.beyond).toEqual(['pod: too long for a pattern'])
    expect(long.pattern).toMatchObject({ detail: { incident: { cluster: ['prod'] } } })
  })
})
