import { expect, it } from 'vitest'
import { describeStateStore } from '#testing/state-store-contract.ts'
import { MemoryStore } from './memory-store.ts'

describeStateStore('the store in memory', async () => new MemoryStore())

const write = (key: string, from = 0) => ({ key, value: key, from, expires: 100 })

it('forgets what was written longest ago when it is full, and counts it', async () => {
  const store = new MemoryStore(2)
  await store.write([write('a'), write('b')])
  await store.write([write('a', 1)])
  await store.write([write('c')])
  expect([...(await store.read(['a', 'b', 'c'], 0)).keys()]).toEqual(['a', 'c'])
  expect([store.size, store.forgotten]).toEqual([2, 1])
})

it('makes room with what has expired once that is looked for', async () => {
  const store = new MemoryStore(2)
  await store.write([write('a')])
  await store.read(['a'], 101)
  expect([store.size, store.forgotten]).toEqual([0, 0])
  expect(await store.write([write('a')])).toEqual([])
})
