import { beforeEach, expect, it } from 'vitest'
import { WatchedPods } from './watched-pods.ts'

let now: number
let said: string[]
let pods: WatchedPods
beforeEach(() => {
  now = 1000
  said = []
  pods = new WatchedPods({
    say: (text) => void said.push(text),
    now: () => now,
    connectionsOf: (uid) => (uid === 'held' ? 3 : undefined),
  })
})
const take = (at: number, ...uids: string[]) => {
  now = at
  pods.take(uids)
}

it('says since when a pod is watched, at once and every five seconds', () => {
  for (const at of [1000, 1100, 5900, 6000, 6100, 11_000]) take(at, 'a')
  expect(said).toEqual(['a 1000', 'a 1000', 'a 1000'])
})

it('counts anew for a pod that was let go in between, and says nothing without pods', () => {
  take(1000, 'a')
  take(2000, 'a', 'b')
  take(3000, 'b')
  take(4000, 'a', 'b')
  take(20_000)
  expect(said).toEqual(['a 1000', 'a 1000', 'b 2000', 'b 2000', 'a 4000'])
})

it('names a bounded number, the last ones', () => {
  take(1000, ...Array.from({ length: 100 }, (_, at) => `${at}`))
  expect(said).toHaveLength(32)
  expect(said.at(-1)).toBe('99 1000')
})

it('says how many connections a pod holds, if that is known', () => {
  take(1000, 'held', 'a')
  expect(said).toEqual(['held 1000 3', 'a 1000'])
})
