import { describe, expect, it } from 'vitest'
import type { Rule } from '#engine'
import { decodeBatch, type SyscallEvent } from '#events'
import { makeEvent, makeFile, makeProcess } from '#testing/events.ts'
import { Batcher } from './batcher.ts'
import { Folder } from './fold.ts'
import { Outbox } from './outbox.ts'
import { RunState } from './run-state.ts'
import { ShipLimit } from './ship-limit.ts'

const second = 1_000_000_000n
const plain = (bytes: Uint8Array) => bytes.slice()
const notice = { name: 'notice', priority: 5 } as Rule
const critical = { name: 'critical', priority: 2 } as Rule
const process = makeProcess({ pid: 5 })

/** An outbox over a ring that only remembers what is held, and stores that end when the test says. */
function setUp() {
  const batches: Uint8Array[] = []
  const stores: (() => void)[] = []
  const ring = {
    shown: 0,
    held: undefined as number | undefined,
    get heldBytes() {
      return this.held === undefined ? 0 : this.shown - this.held
    },
    holdFrom(position: number | undefined) {
      this.held = position
    },
  }
  const state = new RunState(new ArrayBuffer(4096))
  const clock = { now: 10n * second }
  const batcher: Batcher = new Batcher({
    describe: () => ({
      cluster: '',
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
    wallClock: () => 7n,
    store: (batch) => {
      batches.push(batch)
      return new Promise((resolve) => stores.push(resolve))
    },
    onSettled: () => outbox.settle(),
  })
  const folder: Folder = new Folder({
    keep: (event) => event,
    onFolded: (event) => outbox.addFolded(event),
  })
  const outbox: Outbox = new Outbox({
    ring,
    batcher,
    folder,
    limit: new ShipLimit({ perSecond: 100, announce: () => {} }),
    state,
    keep: (event) => event,
    now: () => clock.now,
    wallClock: () => 7n,
  })
  const offer = (seq: number, at: number, rule = notice) => {
    ring.shown = at
    outbox.offer(makeEvent('openat', { seq, process, fd: makeFile(`/f${seq}`) }), [rule])
  }
  const sent = (): readonly (readonly SyscallEvent[])[] =>
    batches.map((batch) => decodeBatch(batch, plain).events)
  return { ring, state, clock, outbox, offer, sent, batches, stores }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('what is kept on its way out', () => {
  it('lies in the ring until its batch is durable', async () => {
    const { ring, clock, outbox, offer, stores } = setUp()
    offer(1, 1000)
    offer(2, 2000)
    expect(ring.held).toBe(1000)
    clock.now += 2n * second
    outbox.tick()
    offer(3, 3000)
    expect(ring.held).toBe(1000)
    await turn()
    stores[0]!()
    await turn()
    expect(ring.held).toBe(3000)
  })

  it('goes out early rather than cost the kernel its space, and is let go in the end', async () => {
    const { ring, outbox, offer, batches } = setUp()
    offer(1, 0)
    ring.shown = (2 << 20) + 1
    outbox.afterDrain()
    await turn()
    expect(batches.length).toBe(1)
    ring.shown = (4 << 20) + 1
    outbox.afterDrain()
    expect(ring.held).toBeUndefined()
  })

  it('goes out at once when a rule is critical, but not one batch an event', async () => {
    const { clock, outbox, offer, sent, stores } = setUp()
    for (let seq = 1; seq <= 3; seq++) {
      offer(seq, seq, critical)
      outbox.afterDrain()
      clock.now += 1_000_000n
    }
    await turn()
    stores[0]!()
    clock.now += 20_000_000n
    outbox.afterDrain()
    await turn()
    expect(sent().map((events) => events.map(({ seq }) => seq))).toEqual([[1], [2, 3]])
  })

  it('is not lost while a disk that stands still lets nothing become durable', async () => {
    const { clock, outbox, offer, sent, stores, state, ring } = setUp()
    const total = 4000
    for (let seq = 1; seq <= total; seq++) {
      // 100 critical ones a second for 40 s
      clock.now += 10_000_000n
      offer(seq, seq * 200, critical)
      outbox.afterDrain()
      if (seq % 10 === 0) outbox.tick()
      if (seq % 100 === 0) await turn()
    }
    expect(ring.held).toBe(200)
    stores[0]!()
    await turn()
    stores[1]!()
    await turn()
    expect(sent().map(({ length }) => length)).toEqual([1, total - 1])
    expect(ring.held).toBeUndefined()
    expect(state.total('lost-limit')).toBe(0)
  })

  it('is counted where it is held back, and where it only exists in memory', () => {
    const { state, outbox, offer, ring } = setUp()
    for (let seq = 1; seq <= 300; seq++) offer(seq, seq)
    expect(state.total('lost-limit')).toBeGreaterThan(150)
    ring.shown = 400
    for (let i = 0; i < 5; i++) {
      outbox.offer(makeEvent('openat', { seq: 400 + i, process, fd: makeFile('/f1') }), [notice])
    }
    expect(state.unsettled).toBe(5)
  })

  it('stays counted when it was folded, until the batch it is in is durable', async () => {
    const { state, ring, clock, outbox, stores } = setUp()
    for (let seq = 1; seq <= 9; seq++) {
      ring.shown = seq
      outbox.offer(makeEvent('openat', { seq, process, fd: makeFile('/f') }), [notice])
    }
    expect(state.unsettled).toBe(8)
    clock.now += 6n * second
    outbox.tick()
    expect(state.unsettled).toBe(8)
    await turn()
    stores[0]!()
    await turn()
    expect(state.unsettled).toBe(0)
  })

  it('ends with everything durable and a goodbye', async () => {
    const { outbox, offer, batches, stores, ring, state } = setUp()
    offer(1, 1)
    offer(1, 2)
    const stopping = outbox.stop('bye')
    await turn()
    stores[0]!()
    await stopping
    const { events, notices } = decodeBatch(batches[0]!, plain)
    expect(events.map(({ count }) => count)).toEqual([1, 1])
    expect(notices).toEqual([{ kind: 'stopped', time: 7n, text: 'bye' }])
    expect(ring.held).toBeUndefined()
    expect(state.unsettled).toBe(0)
  })
})
