import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FailingStore, type WriteFailure } from '#testing/failing-store.ts'
import type { Contribution } from './firing.ts'
import { CorrelationRunner } from './runner.ts'
import { type StateStore, StateUnavailable } from './state-store.ts'
import { correlation, detection, second, sha256, stretches } from './testing/samples.ts'

const three = correlation('event_count')
const scan = correlation('value_count', {
  field: 'fd.sip',
  timespan: 60n * second,
  conditions: [{ operator: 'gte', bound: 20 }],
})

function runnerOver(store: StateStore, pauses: number[] = []) {
  return new CorrelationRunner({
    store,
    sha256,
    now: () => 1000,
    random: () => 0.5,
    pause: async (milliseconds) => {
      pauses.push(milliseconds)
    },
  })
}

/** Gives a batch until it is taken, with a new runner each time, as a queue and its functions do. */
async function deliver(store: StateStore, batch: readonly Contribution[]) {
  for (;;) {
    try {
      return (await runnerOver(store).take(batch)).firings
    } catch (error) {
      if (!(error instanceof StateUnavailable)) throw error
    }
  }
}

const group = (key: string, ...seconds: number[]) =>
  seconds.map((at) => ({ ...detection(three, at, { id: `${key} ${at}` }), key }))

describe('a batch', () => {
  it('costs one write a group, however many its detections', async () => {
    const store = new FailingStore()
    const many = Array.from({ length: 500 }, (_, i) => i / 100)
    const batch = [...group('a', ...many), ...group('b', 1), ...group('c', 1, 2, 3)]
    const { firings, writes } = await runnerOver(store).take(batch)
    expect(firings.map(({ time }) => time)).toEqual([20_000_000n, 3n * second])
    expect([writes, store.writes]).toEqual([3, 3])
  })

  it('costs nothing when there is nothing in it', async () => {
    const store = new FailingStore()
    expect(await runnerOver(store).take([])).toMatchObject({ firings: [], writes: 0 })
    expect(store.writes).toBe(0)
  })

  it('is read anew where somebody else wrote, after a pause that chance decides', async () => {
    const store = new FailingStore(['overtaken', 'overtaken'])
    const pauses: number[] = []
    const { firings } = await runnerOver(store, pauses).take(group('a', 1, 2, 3))
    expect(firings).toHaveLength(1)
    expect(pauses).toEqual([20, 40])
  })

  it('is given up when others do not stop writing', async () => {
    const store = new FailingStore(new Array<WriteFailure>(100).fill('overtaken'))
    await expect(runnerOver(store).take(group('a', 1))).rejects.toThrow(StateUnavailable)
  })

  it('is not taken when the store refuses', async () => {
    const store = new FailingStore(['refused'])
    await expect(runnerOver(store).take(group('a', 1))).rejects.toThrow('refused')
  })
})

it('two who write the same group at once lose nothing', async () => {
  const store = new FailingStore()
  const results = await Promise.all(
    group('a', 1, 2, 3).map((contribution) => runnerOver(store).take([contribution])),
  )
  expect(results.flatMap(({ firings }) => firings)).toHaveLength(1)
})

it('each firing has one id, though every batch comes twice and answers are lost', async () => {
  const failure = fc.constantFrom<WriteFailure | undefined>(
    ...([undefined, undefined, 'refused', 'unanswered', 'overtaken'] as const),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 3, maxLength: 30 }),
      fc.integer({ min: 1, max: 7 }),
      fc.array(failure, { maxLength: 30 }),
      async (seconds, size, failures) => {
        const store = new FailingStore(failures)
        const all = seconds
          .toSorted((a, b) => a - b)
          .map((at, i) => detection(three, at, { id: String(i) }))
        const ids = new Map<bigint, Set<string>>()
        for (let from = 0; from < all.length; from += size) {
          const batch = all.slice(from, from + size)
          for (const delivery of [batch, batch, all.slice(Math.max(0, from - 3), from + 1)]) {
            for (const { id, time } of await deliver(store, delivery)) {
              ids.set(time, (ids.get(time) ?? new Set()).add(id))
            }
          }
        }
        expect([...ids.keys()]).toEqual(stretches(three, all).map(({ start }) => start))
        expect([...ids.values()].every(({ size }) => size === 1)).toBe(true)
      },
    ),
    { numRuns: 300 },
  )
})

describe('a scan of 10,000 hits within a window', () => {
  const hits = (perBatch: number) => {
    const all = Array.from({ length: 10_000 }, (_, i) =>
      detection(scan, i * 0.006, { value: `10.0.${i >> 8}.${i & 255}` }),
    )
    return Array.from({ length: all.length / perBatch }, (_, i) =>
      all.slice(i * perBatch, (i + 1) * perBatch),
    )
  }

  it.each([1, 100, 10_000])(
    'in batches of %i fires once, for few writes of a small item',
    async (size) => {
      const store = new FailingStore()
      const runner = runnerOver(store)
      let fired = 0
      for (const batch of hits(size)) fired += (await runner.take(batch)).firings.length
      expect(fired).toBe(1)
      expect(store.writes).toBeLessThanOrEqual(128 + 4 * 20 + 10)
      expect(store.largest).toBeLessThan(40_000)
    },
  )

  it.each([scan, ...(['temporal', 'temporal_ordered'] as const).map((type) => correlation(type))])(
    'that says the same over and over costs few writes, too: $type',
    async (of) => {
      const store = new FailingStore()
      const runner = runnerOver(store)
      const windows = 4
      const window = Number(of.timespan / second)
      for (let i = 0; i < 2000; i++) {
        const contribution = detection(of, (i * windows * window) / 2000, { id: String(i) })
        expect((await runner.take([contribution])).firings).toEqual([])
      }
      expect(store.writes).toBeLessThanOrEqual(128 + windows * 17)
      const rest = Array.from({ length: 19 }, (_, i) =>
        detection(of, windows * window + 1, { part: 1, value: `other ${i}` }),
      )
      expect((await runner.take(rest)).firings).toHaveLength(1)
    },
  )

  it('fires once however long and fast it goes on, and whatever repeats in between', async () => {
    const kinds = [
      scan,
      { ...three, conditions: [{ operator: 'gte', bound: 20 }], timespan: scan.timespan },
      { ...correlation('temporal'), timespan: scan.timespan },
      { ...correlation('temporal_ordered'), timespan: scan.timespan },
    ] as const
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...kinds),
        fc.integer({ min: 1, max: 15 }),
        fc.integer({ min: 1, max: 5 }),
        async (of, perSecond, repeats) => {
          const store = new FailingStore()
          const runner = runnerOver(store)
          const fired = new Set<string>()
          for (let i = 0; i < 240 * perSecond; i++) {
            const isNew = of.type !== 'value_count' || perSecond < 5 || i % repeats === 0
            const value = of.type === 'event_count' ? '' : isNew ? String(i) : 'again'
            const part = of.type.startsWith('temporal') ? i % 2 : 0
            const contribution = detection(of, i / perSecond, { part, value, id: String(i) })
            for (const { id } of (await runner.take([contribution])).firings) fired.add(id)
          }
          expect(fired.size).toBe(1)
          expect(store.writes).toBeLessThanOrEqual(128 + 4 * (5 * 20 + 2 * 16))
        },
      ),
      { numRuns: 8 },
    )
  }, 30_000)

  it('fires again for another scan after it fell quiet', async () => {
    const runner = runnerOver(new FailingStore())
    for (const batch of hits(100)) await runner.take(batch)
    const next = Array.from({ length: 20 }, (_, i) =>
      detection(scan, 180 + i, { value: `10.1.0.${i}` }),
    )
    expect((await runner.take(next)).firings).toMatchObject([{ count: 20, time: 199n * second }])
  })
})
