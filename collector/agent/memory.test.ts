import { describe, expect, it } from 'vitest'
import { MemoryKeeper, privateMemory } from './memory.ts'

describe('the keeper of memory', () => {
  it('gives memory back after work, and again only when the heap has grown', () => {
    let now = 0
    let trims = 0
    const keeper = new MemoryKeeper(
      () => {
        trims += 1
      },
      () => now,
    )
    keeper.settle()
    expect(trims).toBe(1)
    now += 120_000
    keeper.look()
    expect(trims).toBe(1)
    const garbage = Array.from({ length: 500_000 }, (_, i) => ({ i }))
    keeper.look()
    expect(trims).toBe(2)
    expect(garbage.length).toBe(500_000)
    keeper.look()
    expect(trims).toBe(2)
  })
})

it('what this process has written is more than nothing on Linux', () => {
  expect(privateMemory()).toBeGreaterThan(1 << 20)
})
