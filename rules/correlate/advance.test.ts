import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Correlation } from './correlation.ts'
import type { Contribution } from './firing.ts'
import { decodeState } from './group-state.ts'
import { correlation, detection, follow, second, stretches } from './testing/samples.ts'

const three = correlation('event_count')
const at = (...seconds: number[]) => seconds.map((each) => detection(three, each))
const starts = (fired: readonly { readonly time: bigint }[]) =>
  fired.map(({ time }) => Number(time) / 1e9)

describe('event_count', () => {
  it('fires when as many lie in a window, its ends included', () => {
    const { fired } = follow(three, [at(0, 5, 10)])
    expect(fired).toMatchObject([{ count: 3, first: 0n, last: 10n * second, values: ['A'] }])
    expect(fired[0]!.members).toHaveLength(3)
  })

  it('is silent when the first is a nanosecond too old', () => {
    const [a, b, c] = at(0, 5, 10) as [Contribution, Contribution, Contribution]
    expect(follow(three, [[a, b, { ...c, time: c.time + 1n }]]).fired).toEqual([])
  })

  it('fires once while it holds, and again after it did not', () => {
    expect(starts(follow(three, [at(0, 1, 2, 3, 9, 11)]).fired)).toEqual([2])
    expect(starts(follow(three, [at(0, 1, 2, 15, 16, 17)]).fired)).toEqual([2, 17])
  })

  it('fires again when the window was empty in between', () => {
    const one = correlation('event_count', { conditions: [{ operator: 'gte', bound: 1 }] })
    const events = [0, 10, 20.001].map((each) => detection(one, each))
    expect(starts(follow(one, [events]).fired)).toEqual([0, 20.001])
  })

  it('counts what comes late within lateness, and only that', () => {
    expect(follow(three, [at(200, 201), at(199)]).fired).toHaveLength(1)
    const tooLate = follow(three, [at(200), at(79, 80)])
    expect(tooLate.late).toBe(1)
  })
})

it('is unsure while one of the detections in its window is, whatever came with the last of them', () => {
  const [a, b, c, d] = at(0, 5, 10, 12) as [Contribution, ...Contribution[]]
  const unsure = { ...a, unsure: true as const }
  expect(follow(three, [[unsure], [b!], [c!]]).fired).toMatchObject([{ unsure: true }])
  expect(follow(three, [[a, b!], [{ ...c!, unsure: true }]]).fired).toMatchObject([
    { unsure: true },
  ])
  // the unsure one is out of the window that fires
  const [fired] = follow(three, [
    [unsure, b!],
    [{ ...c!, time: c!.time + second }, d!],
  ]).fired
  expect(fired).toMatchObject({ count: 3, first: 5n * second })
  expect(fired).not.toHaveProperty('unsure')
})

it('temporal wants every part in whatever order, temporal_ordered each after the one before', () => {
  const any = correlation('temporal')
  const ordered = correlation('temporal_ordered')
  const seen = (of: Correlation, first: number, second: number) =>
    follow(of, [[detection(of, 1, { part: first }), detection(of, 2, { part: second })]]).fired
  expect(seen(any, 1, 0)).toMatchObject([{ values: ['B', 'A'], count: 2 }])
  expect(seen(any, 1, 1)).toEqual([])
  expect(seen(ordered, 0, 1)).toMatchObject([{ values: ['A', 'B'] }])
  expect(seen(ordered, 1, 0)).toEqual([])
  const sameTime = [detection(ordered, 1, { part: 0 }), detection(ordered, 1, { part: 1 })]
  expect(follow(ordered, [sameTime]).fired).toEqual([])
})

it('value_count counts each value once', () => {
  const values = correlation('value_count', { field: 'fd.sip' })
  const seen = (...list: string[]) =>
    follow(values, [list.map((value, i) => detection(values, i, { value }))]).fired
  expect(seen('a', 'b', 'a', 'b')).toEqual([])
  expect(seen('a', 'b', 'a', 'c')).toMatchObject([{ count: 3, values: ['a', 'b', 'c'] }])
})

const kinds: readonly Correlation[] = [
  three,
  correlation('event_count', { conditions: [{ operator: 'lte', bound: 2 }] }),
  correlation('event_count', { conditions: [{ operator: 'eq', bound: 2 }] }),
  correlation('value_count', { field: 'fd.sip' }),
  correlation('temporal', { parts: [{ rule: 'A' }, { rule: 'B' }, { tag: 'C' }] }),
  correlation('temporal_ordered', { parts: [{ rule: 'A' }, { rule: 'B' }, { tag: 'C' }] }),
]

/** Detections within lateness of each other, so that they may come in any order. */
const scenario = fc.record({
  of: fc.constantFrom(...kinds),
  events: fc.array(
    fc.record({ at: fc.integer({ max: 120, min: 0 }), part: fc.nat(2), value: fc.nat(4) }),
    { maxLength: 40 },
  ),
  cuts: fc.array(fc.nat(80), { maxLength: 10 }),
})

function contributionsOf(
  of: Correlation,
  events: readonly { at: number; part: number; value: number }[],
) {
  return events.map(({ at, part, value }, i) =>
    detection(of, at, {
      part: of.type.startsWith('temporal') ? part : 0,
      value: of.type === 'value_count' ? `v${value}` : '',
      id: String(i),
    }),
  )
}

function cut<T>(items: readonly T[], cuts: readonly number[]): T[][] {
  const places = [
    0,
    ...cuts.filter((each) => each < items.length).sort((a, b) => a - b),
    items.length,
  ]
  return places.slice(1).map((end, i) => items.slice(places[i], end))
}

describe('whatever the detections', () => {
  it('finds in their order what a look at all of them finds, in whatever batches', () => {
    fc.assert(
      fc.property(scenario, ({ of, events, cuts }) => {
        const all = contributionsOf(of, events).sort((a, b) => Number(a.time - b.time))
        // a moment whose detections come in two batches would be judged before it is complete
        const batches = cut([...Map.groupBy(all, ({ time }) => time).values()], cuts)
        const { fired, late } = follow(
          of,
          batches.map((batch) => batch.flat()),
        )
        expect(fired.map(({ time }) => time)).toEqual(stretches(of, all).map(({ start }) => start))
        expect(late).toBe(0)
      }),
      { numRuns: 2000 },
    )
  })

  it('fires for every stretch, in whatever order, batches and repetitions they come', () => {
    fc.assert(
      fc.property(
        scenario.chain(({ of, events, cuts }) => {
          const all = contributionsOf(of, events)
          return fc.record({
            of: fc.constant(of),
            all: fc.constant(all),
            order: fc
              .tuple(fc.shuffledSubarray(all, { minLength: all.length }), fc.subarray(all))
              .map(([once, again]) => [...once, ...again]),
            cuts: fc.constant(cuts),
          })
        }),
        ({ of, all, order, cuts }) => {
          const { fired, late, state } = follow(of, cut(order, cuts))
          const wanted = stretches(of, all)
          expect(late).toBe(0)
          const inside = (time: bigint) =>
            wanted.filter(({ start, end }) => time >= start && time <= end)
          for (const { start, end } of wanted) {
            const own = fired.filter(({ time }) => time >= start && time <= end)
            expect(own.length).toBeGreaterThanOrEqual(1)
          }
          // more detections can only prolong what holds: nothing that fired becomes untrue
          if (of === three) for (const { time } of fired) expect(inside(time)).toHaveLength(1)
          // and what is known in the end does not depend on the way there
          const sorted = follow(of, [all]).state
          expect(decodeState(state).members).toEqual(decodeState(sorted).members)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('fires once for a burst that fits into one window, in whatever order', () => {
    const burst = fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 3, maxLength: 30 })
    fc.assert(
      fc.property(burst, fc.array(fc.nat(30), { maxLength: 30 }), (seconds, cuts) => {
        const all = seconds.map((each, i) => detection(three, each, { id: String(i) }))
        expect(follow(three, cut(all, cuts)).fired).toHaveLength(1)
      }),
    )
  })
})

describe('a busy group', () => {
  /** Many detections within few windows, so that they are thinned out. */
  const busy = fc.record({
    of: fc.constantFrom(...kinds.filter(({ type }) => type === 'event_count')),
    events: fc.array(
      fc.record({ at: fc.integer({ max: 40, min: 0 }), part: fc.nat(2), value: fc.nat(4) }),
      { minLength: 150, maxLength: 250 },
    ),
    rest: fc.array(
      fc.record({ at: fc.integer({ max: 80, min: 0 }), part: fc.nat(2), value: fc.nat(4) }),
      { maxLength: 20 },
    ),
    cuts: fc.array(fc.nat(250), { maxLength: 10 }),
  })

  it('counts as exactly after it was thinned out, also what comes late', () => {
    fc.assert(
      fc.property(busy, ({ of, events, rest, cuts }) => {
        const all = contributionsOf(of, [...events, ...rest])
        const { fired, state } = follow(of, cut(all, cuts))
        for (const { start, end } of stretches(of, all)) {
          expect(fired.some(({ time }) => time >= start && time <= end)).toBe(true)
        }
        expect(decodeState(state).members.length).toBeLessThanOrEqual(128)
      }),
      { numRuns: 150 },
    )
  })

  it.each(kinds.filter(({ type }) => type !== 'event_count'))(
    'misses no first activation of $name after it was thinned out',
    (of) => {
      const noise = Array.from({ length: 400 }, (_, i) => ({ at: i / 20, part: 1, value: i % 2 }))
      const then = [0, 1, 2].map((i) => ({ at: 20.5 + i, part: i, value: i }))
      const all = contributionsOf(of, [...noise, ...then])
      const { fired } = follow(of, cut(all, [130, 260, 399, 401]))
      expect(fired.map(({ time }) => time)).toEqual(stretches(of, all).map(({ start }) => start))
    },
  )
})
