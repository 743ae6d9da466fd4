import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chained, type Heard, heardBy, type Place, stretchesOf } from './heard.ts'

const nanoseconds = (ms: number) => BigInt(ms) * 1_000_000n
const start = 1_800_000_000_000

/** A batch sealed at so many milliseconds, without events unless `firstTime` is given. */
function batch(sequence: number, ms: number, more: Partial<Place> = {}): Heard {
  return heardBy({
    ...{ firstTime: 0n, lastTime: 0n, sealedAt: nanoseconds(start + ms), run: 1n, sequence },
    ...{ hasGap: false, counters: { lost: {} } },
    ...more,
  })
}
const stretches = (...all: readonly Heard[]) =>
  stretchesOf(chained(all)).map(([from, to]) => [from - start, to - start])

describe('how long a node was heard of', () => {
  it('is as long as batches follow each other, however seldom they come', () => {
    expect(stretches(batch(7, 10_000), batch(8, 20_000), batch(9, 30_000))).toEqual([
      [-55_000, 30_000],
    ])
    expect(stretches(batch(7, 0), batch(8, 90_000))).toEqual([[-65_000, 90_000]])
  })

  it('ends where a batch is missing, whatever the next one says of the time before', () => {
    expect(stretches(batch(7, 0), batch(9, 30_000), batch(10, 60_000))).toEqual([
      [-65_000, 0],
      [30_000, 60_000],
    ])
  })

  it('is whole again when what was missing comes late', () => {
    expect(stretches(batch(7, 0), batch(9, 30_000), batch(8, 10_000))).toEqual([[-65_000, 30_000]])
  })

  it('ends where events were lost', () => {
    const lost = { counters: { lost: { 'ring-network': 3 } } }
    expect(stretches(batch(7, 0), batch(8, 10_000, lost), batch(9, 20_000, lost))).toEqual([
      [-65_000, 0],
      [10_000, 20_000],
    ])
  })

  it('begins with the batch where something is known to be missing before it', () => {
    expect(stretches(batch(7, 10_000, { hasGap: true }), batch(8, 20_000))).toEqual([
      [10_000, 20_000],
    ])
  })

  it('begins with the first batch of a sensor, and ends with its last', () => {
    const first = batch(0, 10_000, { firstTime: nanoseconds(start + 9000) })
    expect(stretches(first)).toEqual([[9000, 10_000]])
    expect(stretches(batch(0, 10_000))).toEqual([[10_000, 10_000]])
    expect(stretches(batch(7, 0), batch(0, 1000, { run: 2n }))).toEqual([
      [-65_000, 0],
      [1000, 1000],
    ])
  })

  it('never hides a batch that did not come, after the first that did', () => {
    const sequences = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 2 })
    fc.assert(
      fc.property(sequences, (came) => {
        const all = stretches(...came.map((sequence) => batch(sequence, sequence * 10_000)))
        const lowest = Math.min(...came)
        for (let missing = lowest + 1; missing < Math.max(...came); missing++) {
          if (came.includes(missing)) continue
          // it stood for the ten seconds before it was sealed
          const middle = missing * 10_000 - 5000
          expect(all.some(([from, to]) => from! <= middle && middle <= to!)).toBe(false)
        }
      }),
    )
  })
})
