import { describe, expect, it } from 'vitest'
import { RunState } from './run-state.ts'

describe('the state of a run', () => {
  it('begins with a number of its own and names the run before', () => {
    const state = new RunState(new ArrayBuffer(4096))
    const run = state.begin({ run: 7n, sequence: 41 })
    expect(run).not.toBe(0n)
    expect(state.previous).toEqual({ run: 7n, sequence: 41 })
    expect(new RunState(new ArrayBuffer(4096)).begin(undefined)).not.toBe(run)
  })

  it('goes on with the next agent, which counts what died with the one before', () => {
    const memory = new ArrayBuffer(4096)
    const first = new RunState(memory)
    const run = first.begin({ run: 7n, sequence: 0 })
    first.add('matched', 10)
    first.unsettled = 3
    const second = new RunState(memory)
    expect(second.begin({ run, sequence: 12 })).toBe(run)
    expect(second.previous).toEqual({ run: 7n, sequence: 0 })
    expect(second.total('matched')).toBe(10)
    expect(second.total('lost-queue')).toBe(3)
    expect(second.total('restarts')).toBe(1)
    expect(second.unsettled).toBe(0)
  })

  it('has a key of its own, which the next agent has, too', () => {
    const memory = new ArrayBuffer(4096)
    const first = new RunState(memory)
    first.begin(undefined)
    first.add('restarts', 3)
    const seed = first.seed.slice()
    expect(seed.some((byte) => byte !== 0)).toBe(true)
    const second = new RunState(memory)
    second.begin({ run: first.run, sequence: 1 })
    expect(second.seed).toEqual(seed)
    expect(second.total('restarts')).toBe(4)
    const other = new RunState(new ArrayBuffer(4096))
    other.begin(undefined)
    expect(other.seed).not.toEqual(seed)
  })

  it('has no run before on a new node', () => {
    const state = new RunState(new ArrayBuffer(4096))
    state.begin(undefined)
    expect(state.previous).toBeUndefined()
  })
})
