import { describe, expect, it } from 'vitest'
import { decodeBatch, readHeader, type SyscallEvent } from '#events'
import { makeEvent, makeFile } from '#testing/events.ts'
import { Batcher, type BatcherOptions } from './batcher.ts'

const plain = (bytes: Uint8Array) => bytes.slice()
const second = 1_000_000_000n

/** A batcher that keeps its batches; `fail` makes the next stores fail. */
function setUp(options: Partial<BatcherOptions> = {}) {
  const state = { batches: [] as Uint8Array[], fail: 0, wall: 77n * second }
  const batcher = new Batcher({
    describe: () => ({
      cluster: 'c',
      node: 'n',
      boot: 'b',
      run: 1n,
      previous: undefined,
      rulesetHash: '',
      counters: { seen: 0, filtered: 0, folded: 0, lost: {} },
      keyId: '',
      compression: 0,
    }),
    compress: plain,
    wallClock: () => state.wall,
    store: async (batch, sequence) => {
      expect(readHeader(batch).sequence).toBe(sequence)
      if (state.fail > 0) {
        state.fail -= 1
        throw new Error('disk full')
      }
      state.batches.push(batch)
    },
    ...options,
  })
  const events = () => state.batches.map((batch) => decodeBatch(batch, plain).events)
  return { batcher, state, events }
}

const event = (seq: number, facts: object = {}): SyscallEvent =>
  makeEvent('openat', { seq, ...facts })

/** Lets what is ready happen. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('a batch is sealed', () => {
  it('when it holds enough events', async () => {
    const { batcher, events } = setUp({ maxEvents: 3 })
    for (let seq = 1; seq <= 7; seq++) batcher.add(event(seq), 0n)
    await batcher.flush(0n)
    expect(events().map((batch) => batch.map(({ seq }) => seq))).toEqual([
      [1, 2, 3],
      [4, 5, 6],
      [7],
    ])
  })

  it('when its first event has waited long enough', async () => {
    const { batcher, state } = setUp({ maxWait: second })
    batcher.add(event(1), 0n)
    batcher.tick(second - 1n)
    batcher.add(event(2), second - 1n)
    batcher.tick(second)
    await batcher.flush(second)
    expect(state.batches.map((batch) => readHeader(batch).eventCount)).toEqual([2])
    expect(readHeader(state.batches[0]!).sealedAt).toBe(77n * second)
  })

  it('when it would grow too large, and is split where it did all the same', async () => {
    const { batcher, state, events } = setUp({ maxBytes: 8192, maxEvents: 1000 })
    for (let seq = 1; seq <= 600; seq++) {
      batcher.add(event(seq, { fd: makeFile(`/data/${seq}/${'x'.repeat(100)}`) }), 0n)
    }
    await batcher.flush(0n)
    expect(state.batches.length).toBeGreaterThan(8)
    for (const batch of state.batches) expect(batch.length).toBeLessThanOrEqual(8192)
    expect(events().flatMap((batch) => batch.map(({ seq }) => seq))).toEqual(
      Array.from({ length: 600 }, (_, index) => index + 1),
    )
  })

  it('at the next tick when the node has something to say', async () => {
    const { batcher, state } = setUp()
    batcher.notify({ kind: 'rules-refused', time: 5n, text: 'why' })
    batcher.tick(1n)
    await batcher.flush(1n)
    expect(state.batches.map((batch) => decodeBatch(batch, plain).notices)).toEqual([
      [{ kind: 'rules-refused', time: 5n, text: 'why' }],
    ])
  })

  it('and settled in order: what is not durable yet has a mark', async () => {
    const marks: (number | undefined)[] = []
    const { batcher } = setUp({ maxEvents: 2, onSettled: () => marks.push(batcher.oldestMark) })
    for (let seq = 1; seq <= 5; seq++) batcher.add(event(seq), 0n, seq * 100)
    expect(batcher.oldestMark).toBe(100)
    await batcher.flush(0n)
    expect(marks).toEqual([300, 500, undefined])
  })

  it('without events after a while of silence', async () => {
    const { batcher, state } = setUp({ heartbeat: 10n * second })
    for (const time of [0n, 9n, 10n, 15n, 20n]) {
      state.wall = time * second
      batcher.tick(time * second)
      await turn()
    }
    await batcher.flush(20n * second)
    expect(state.batches.map((batch) => readHeader(batch).sealedAt / second)).toEqual([10n, 20n])
  })
})

describe('the sequence', () => {
  it('has no gap', async () => {
    const { batcher, state } = setUp({ maxEvents: 1, firstSequence: 5 })
    for (let seq = 1; seq <= 3; seq++) batcher.add(event(seq), 0n)
    await batcher.flush(0n)
    expect(state.batches.map((batch) => readHeader(batch).sequence)).toEqual([5, 6, 7])
    expect(batcher.nextSequence).toBe(8)
  })

  it('has none where a batch could not be stored; its events are counted as lost', async () => {
    const { batcher, state } = setUp({ maxEvents: 1 })
    batcher.add(event(1), 0n)
    await batcher.flush(0n)
    state.fail = 1
    batcher.add(event(2, { count: 4 }), 0n)
    batcher.add(event(3), 0n)
    await batcher.flush(0n)
    expect(state.batches.map((batch) => readHeader(batch).sequence)).toEqual([0, 1])
    expect(batcher.losses).toEqual({ queue: 0, spool: 4 })
  })
})

it('events are lost and counted while the store does not keep up', async () => {
  let release = () => {}
  const slow = new Promise<void>((done) => {
    release = done
  })
  const { batcher } = setUp({ maxEvents: 1, maxWaiting: 2, store: () => slow })
  for (let seq = 1; seq <= 5; seq++) batcher.add(event(seq), 0n)
  expect(batcher.losses.queue).toBe(3)
  release()
  await batcher.flush(0n)
  batcher.add(event(6), 0n)
  expect(batcher.losses.queue).toBe(3)
})

it('a store that takes long gets few batches, and no event is lost for want of a place', async () => {
  const stores: (() => void)[] = []
  const counts: number[] = []
  const { batcher } = setUp({
    maxWait: second,
    heartbeat: 2n * second,
    maxWaiting: 2,
    store: (batch) => {
      counts.push(readHeader(batch).eventCount)
      return new Promise((resolve) => stores.push(resolve))
    },
  })
  // for a minute each event is urgent, and each second something is said
  for (let seq = 1; seq <= 60; seq++) {
    const now = BigInt(seq) * second
    batcher.add(event(seq), now)
    batcher.seal(now)
    batcher.notify({ kind: 'limited', time: now, text: '' })
    batcher.tick(now)
    await turn()
  }
  expect(counts).toEqual([1])
  stores[0]!()
  await turn()
  expect(counts).toEqual([1, 59])
  batcher.add(event(61), 61n * second)
  stores[1]!()
  await turn()
  // nobody asked for it yet
  expect(counts).toEqual([1, 59])
  const flushing = batcher.flush(61n * second)
  await turn()
  stores[2]!()
  await flushing
  expect(counts).toEqual([1, 59, 1])
  expect(batcher.losses).toEqual({ queue: 0, spool: 0 })
})

it('an event that is too large for any batch is lost, not stuck', async () => {
  const errors: unknown[] = []
  const { batcher, state } = setUp({ onError: (error) => errors.push(error) })
  batcher.add(event(1, { fd: makeFile(`/${'x'.repeat(1 << 20)}`) }), 0n)
  batcher.add(event(2), 0n)
  await batcher.flush(0n)
  expect(batcher.losses.spool).toBe(1)
  expect(state.batches).toHaveLength(1)
  expect(String(errors[0])).toMatch(/too large for a batch/)
})

it('events that are too many together are split', async () => {
  const { batcher, state } = setUp({ compress: () => new Uint8Array(10), maxBytes: 16 << 20 })
  for (let seq = 1; seq <= 3; seq++) {
    batcher.add(event(seq, { fd: makeFile(`/${seq}${'x'.repeat(3 << 20)}`) }), 0n)
  }
  await batcher.flush(0n)
  expect(batcher.losses.spool).toBe(0)
  const counts = state.batches.map((batch) => readHeader(batch).eventCount)
  expect(counts).toEqual([2, 1])
})

it('a batch that cannot be made does not stop the ones after it', async () => {
  let broken = true
  const compress = (bytes: Uint8Array) => {
    if (broken) throw new Error('no compressor')
    return bytes.slice()
  }
  const { batcher, state } = setUp({ maxEvents: 1, compress })
  batcher.add(event(1), 0n)
  await batcher.flush(0n)
  broken = false
  batcher.add(event(2), 0n)
  await batcher.flush(0n)
  expect(state.batches.map((batch) => readHeader(batch).sequence)).toEqual([0])
  expect(batcher.losses.spool).toBe(1)
})
