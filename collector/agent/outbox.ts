import type { Rule } from '#engine'
import type { Notice, NoticeKind, SyscallEvent } from '#events'
import type { Batcher } from './batcher.ts'
import type { Folder } from './fold.ts'
import type { Ring } from './ring.ts'
import type { RunState } from './run-state.ts'
import type { ShipLimit } from './ship-limit.ts'

export interface OutboxOptions {
  readonly ring: Pick<Ring, 'shown' | 'heldBytes' | 'holdFrom'>
  readonly batcher: Batcher
  readonly folder: Folder
  readonly limit: ShipLimit
  readonly state: RunState
  /** Makes a copy of an event that lasts. */
  readonly keep: (event: SyscallEvent) => SyscallEvent
  /** Nanoseconds, by a clock that never steps. */
  readonly now: () => bigint
  /** Nanoseconds since the epoch. */
  readonly wallClock: () => bigint
}

/** An event that a rule of this priority (Critical) or a more severe one may match does not wait. */
const urgentPriority = 2
/** Nanoseconds between batches that go out for the sake of urgent events: a flood of them shares. */
const urgentInterval = 20_000_000n
/** Bytes held in the ring at which a batch goes out early, and at which holding ends. */
const muchHeld = 2 << 20
const tooMuchHeld = 4 << 20

/**
 * Takes what the rules may match on its way out: limit, fold, keep, batch. Until a batch is durable
 * its events stay in the ring, so that a crash loses none; only where that would make the kernel lose
 * events does it end early.
 */
export class Outbox {
  readonly #options: OutboxOptions
  #urgent = false
  #urgentAt = 0n
  /** Repeats that were handed on as one event whose batch is not durable: they left the ring long ago. */
  #handedOn: { readonly mark: number; readonly count: number }[] = []

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** Takes an event that these rules may match; the event is valid during the call only. */
  offer(event: SyscallEvent, rules: readonly Rule[]): void {
    const { folder, limit, state, now } = this.#options
    const time = now()
    if (folder.fold(event, time)) {
      this.#countUnsettled()
      return
    }
    if (!limit.admit(rules, time)) {
      state.add('lost-limit', event.count)
      return
    }
    this.#add(this.#options.keep(event), time)
    if (rules.some(({ priority }) => priority <= urgentPriority)) this.#urgent = true
  }

  /** Takes what the folder hands on: admitted when its first event was. */
  addFolded(event: SyscallEvent): void {
    this.#handedOn.push({ mark: this.#options.ring.shown, count: event.count })
    this.#add(event, this.#options.now())
  }

  /** What would be lost, and nobody else could count, if this process died now. */
  #countUnsettled(): void {
    const { folder, state } = this.#options
    state.unsettled = this.#handedOn.reduce((sum, { count }) => sum + count, folder.waiting)
  }

  #add(event: SyscallEvent, now: bigint): void {
    const { batcher, ring } = this.#options
    batcher.add(event, now, ring.shown)
    this.settle()
  }

  /** Holds in the ring what is not durable, and no more. */
  settle(): void {
    const { batcher, ring } = this.#options
    const oldest = batcher.oldestMark
    ring.holdFrom(ring.heldBytes > tooMuchHeld ? undefined : oldest)
    if (this.#handedOn.length === 0) return
    this.#handedOn = this.#handedOn.filter(({ mark }) => oldest !== undefined && mark >= oldest)
    this.#countUnsettled()
  }

  notify(kind: NoticeKind, text: string): void {
    const notice: Notice = { kind, time: this.#options.wallClock(), text }
    this.#options.batcher.notify(notice)
  }

  /** To be called after each slice of the ring. */
  afterDrain(): void {
    const { batcher, ring, now } = this.#options
    const time = now()
    if (this.#urgent && time - this.#urgentAt >= urgentInterval) {
      this.#urgent = false
      this.#urgentAt = time
      batcher.seal(time)
    }
    if (ring.heldBytes > muchHeld) batcher.seal(time)
    if (ring.heldBytes > tooMuchHeld) ring.holdFrom(undefined)
  }

  /** To be called some times a second. */
  tick(): void {
    const { batcher, folder, now } = this.#options
    const time = now()
    folder.tick(time)
    this.#countUnsettled()
    this.afterDrain()
    batcher.tick(time)
  }

  /** Makes everything durable, with a last word that the agent stops in order. */
  async stop(text: string): Promise<void> {
    const { batcher, folder, now } = this.#options
    folder.flush()
    this.notify('stopped', text)
    await batcher.flush(now())
    this.settle()
  }
}
