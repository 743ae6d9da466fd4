import { expect, it } from 'vitest'
import { FailingStore } from '#testing/failing-store.ts'
import { noteTerm } from './new-terms.ts'
import { CorrelationRunner } from './runner.ts'
import type { Json } from './state-store.ts'
import { correlation, detection, second, sha256 } from './testing/samples.ts'

const day = 86_400
const fresh = correlation('new_terms', {
  field: 'proc.name',
  history: BigInt(14 * day) * second,
  timespan: 0n,
})
const seen = (days: number) => detection(fresh, days * day, { value: 'curl' })

function follow(days: readonly number[], learned = 0n) {
  let state: Json | undefined
  let writes = 0
  const fired: number[] = []
  for (const each of days) {
    const result = noteTerm(fresh, state, [seen(each)], learned, sha256)
    if (result.changed) {
      state = result.state
      writes += 1
    }
    for (const { time } of result.fired) fired.push(Number(time / second) / day)
  }
  return { fired, writes }
}

it('fires the first time a value is seen, and again after it was not for the whole history', () => {
  expect(follow([1, 2, 10]).fired).toEqual([1])
  expect(follow([1, 15]).fired).toEqual([1])
  expect(follow([1, 15.01]).fired).toEqual([1, 15.01])
})

it('is not fooled by a sighting that comes late', () => {
  expect(follow([5, 1, 5.5]).fired).toEqual([5])
})

it('writes a value that is seen all the time once a fourteenth of the history', () => {
  const hourly = Array.from({ length: 28 * 24 }, (_, hour) => hour / 24)
  const { fired, writes } = follow(hourly)
  expect(fired).toEqual([0])
  expect(writes).toBeLessThanOrEqual(28)
})

it('says the same again when the sighting that fired comes again', () => {
  const first = noteTerm(fresh, undefined, [seen(1)], 0n, sha256)
  const again = noteTerm(fresh, first.state, [seen(1)], 0n, sha256)
  expect(again.fired).toEqual(first.fired)
  expect(again.changed).toBe(false)
})

it('everything is new to a system that starts, unless it is given time to learn', async () => {
  const firings = async (learning: bigint) => {
    const of = { ...fresh, learning }
    const store = new FailingStore()
    const found: string[] = []
    for (const [value, at] of [
      ['curl', 1],
      ['wget', 2],
      ['curl', 2.5],
      ['nc', 4],
    ] as const) {
      // a runner each, as in functions that start cold
      const now = () => at * day
      const runner = new CorrelationRunner({
        store,
        sha256,
        now,
        random: () => 0,
        pause: async () => {},
      })
      const contribution = { ...detection(of, at * day, { value }), key: value }
      const result = await runner.take([contribution])
      found.push(...result.firings.flatMap(({ values }) => values))
    }
    return found
  }
  expect(await firings(0n)).toEqual(['curl', 'wget', 'nc'])
  expect(await firings(BigInt(2 * day) * second)).toEqual(['nc'])
})
