import { expect, it } from 'vitest'
import { CanaryClock } from './canary-clock.ts'

/** Seconds at which a node's canary is due within an hour. */
function dues(node: string): number[] {
  const clock = new CanaryClock(node)
  return Array.from({ length: 3600 }, (_, second) => second).filter((second) =>
    clock.isDue(1_790_000_100 + second),
  )
}

it('canaries come once a slot, in its first minute, at a second of the node’s own', () => {
  const seconds = dues('a')
  expect(seconds.length).toBeGreaterThanOrEqual(11)
  const offsets = seconds.map((second) => second % 300)
  expect(new Set(offsets).size).toBe(1)
  expect(offsets[0]).toBeLessThan(60)
  const nodes = Array.from({ length: 50 }, (_, at) => dues(`node-${at}`)[0])
  expect(new Set(nodes).size).toBeGreaterThan(20)
})

it('no canary comes twice when the clock is put back', () => {
  const clock = new CanaryClock('a')
  clock.isDue(1_790_000_000)
  expect(clock.isDue(1_790_000_400)).toBe(true)
  expect(clock.isDue(1_790_000_000)).toBe(false)
  expect(clock.isDue(1_790_000_400)).toBe(false)
  expect(clock.isDue(1_790_000_700)).toBe(true)
})
