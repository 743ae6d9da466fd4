import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { priorityNames } from '#engine'
import {
  busPatternOf,
  patternLimit,
  type Route,
  type RouteMatch,
  type Routes,
  routeSubject,
  type Subject,
} from '#routes'
import { compilePattern, type JsonValue } from '../infra/local/event-pattern.ts'

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

  it('leave out what makes them too long, and say so', () => {
    const many = Array.from({ length: 200 }, (_, i) => `namespace-number-${i}`)
    const long = busPatternOf(route('a', { namespace: many, cluster: ['prod'] }))!
    expect(long.exact).toBe(false)
    expect(long.beyond).toEqual(['pod: too long for a pattern'])
    expect(long.pattern).toMatchObject({ detail: { incident: { cluster: ['prod'] } } })
  })
})
