import { type BackOffOptions, backOff, type SteadyClock, steadyClock } from './back-off.ts'
import type { BatchSink, FailureKind, Outcome } from './batch-sink.ts'

/** A batch that waits, as the spool gives it. */
export interface WaitingBatch {
  /** Grows by one a batch. */
  readonly index: number
  readonly batch: Uint8Array
  readonly header: {
    readonly node: string
    readonly sequence: number
    readonly eventCount: number
    /** Nanoseconds since the epoch. */
    readonly sealedAt: bigint
    readonly keyId: string
  }
}

/** What the shipper takes from: see `Spool`. */
export interface WaitingBatches {
  next(maxBatches: number, maxBytes: number): Promise<readonly WaitingBatch[]>
  release(upTo: number): Promise<void>
}

/** Makes records of batches: see `Announcer`. */
export interface RecordMaker {
  dress(batches: readonly WaitingBatch[]): Promise<readonly Uint8Array[]>
  /** Which records of the last {@link dress} were taken. */
  taken(areTaken: readonly boolean[]): void
}

export interface ShipperOptions {
  readonly spool: WaitingBatches
  readonly sink: BatchSink
  /** Without it, records are batches and nothing else. */
  readonly records?: RecordMaker
  /** Says something to the operator, once a change. */
  readonly announce: (message: string) => void
  /** Told of batches that the service refused for good. */
  readonly onRefused?: (batches: number, events: number) => void
  readonly backOff?: Partial<BackOffOptions>
  readonly clock?: SteadyClock
  /** Milliseconds since the epoch, to tell the age of a batch and nothing else. */
  readonly wallClock?: () => number
  /** From 0 to 1. */
  readonly random?: () => number
}

/** Whether batches arrive. A service that throttles is reachable. */
export interface Reachability {
  /** `unknown` until the first answer, or lack of it. */
  readonly state: 'unknown' | 'reachable' | 'unreachable'
  /** Milliseconds since that changed, by a clock without steps. */
  readonly forMs: number
}

export interface ShipperFigures {
  readonly requests: number
  readonly sentBatches: number
  readonly sentBytes: number
  readonly sentEvents: number
  /** Batches that had to be sent again, each time counted. */
  readonly retries: number
  /** Batches not taken, each time counted, by why. */
  readonly failures: Readonly<Record<FailureKind, number>>
  readonly refusedBatches: number
  readonly refusedEvents: number
  /** Milliseconds since the oldest batch that waits was sealed, by the wall clock; 0 when none waits. */
  readonly oldestUnsentMs: number
  readonly lastError: string | undefined
}

/** The worst first: what an operator is told when the batches of a request fail differently. */
const severity: readonly FailureKind[] = ['denied', 'unreachable', 'failed', 'throttled']

/**
 * Takes batches from the spool to a sink, in order, until each is taken. What fails is sent again
 * before anything newer, so that at most one request's batches of a node are ever out of order.
 */
export class Shipper {
  readonly #options: Required<Omit<ShipperOptions, 'backOff'>>
  readonly #pace: BackOffOptions
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  #nap = new AbortController()
  #woken = false
  #idle = Promise.withResolvers<void>()
  /** Sent or refused, but behind a batch that is not. */
  readonly #settled = new Set<number>()
  /** Nothing newer than this goes out while something is settled. */
  #upTo = -1
  /** Up to this index batches are sent alone, to find the one that is refused. */
  #aloneUpTo = -1
  #failuresInRow = 0
  #state: Reachability['state'] = 'unknown'
  #stateSince: number
  #told: string | undefined
  #oldestSealedAt: bigint | undefined
  #lastError: string | undefined
  #counts = { requests: 0, sentBatches: 0, sentBytes: 0, sentEvents: 0, retries: 0 }
  #refused = { batches: 0, events: 0 }
  readonly #failures: Record<FailureKind, number> = {
    throttled: 0,
    failed: 0,
    unreachable: 0,
    denied: 0,
  }

  constructor(options: ShipperOptions) {
    this.#options = {
      records: { dress: async (batches) => batches.map(({ batch }) => batch), taken: () => {} },
      onRefused: () => {},
      clock: steadyClock,
      wallClock: Date.now,
      random: Math.random,
      ...options,
    }
    this.#pace = { firstMs: 200, maxMs: 30_000, ...options.backOff }
    this.#stateSince = this.#options.clock.now()
  }

  get reachability(): Reachability {
    return { state: this.#state, forMs: this.#options.clock.now() - this.#stateSince }
  }

  get figures(): ShipperFigures {
    const sealedAt = this.#oldestSealedAt
    const age =
      sealedAt === undefined ? 0 : this.#options.wallClock() - Number(sealedAt / 1_000_000n)
    return {
      ...this.#counts,
      failures: { ...this.#failures },
      refusedBatches: this.#refused.batches,
      refusedEvents: this.#refused.events,
      oldestUnsentMs: Math.max(age, 0),
      lastError: this.#lastError,
    }
  }

  /** Begins to ship. Goes on until {@link stop}. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** To be called when the spool took a batch. */
  wake(): void {
    this.#woken = true
    if (this.#failuresInRow === 0) this.#nap.abort()
  }

  /**
   * Ships what waits, without regard to a back-off under way, and stops: at the deadline at the
   * latest. True when nothing is left.
   */
  async flush(deadlineMs: number): Promise<boolean> {
    this.#idle = Promise.withResolvers()
    this.#failuresInRow = 0
    this.wake()
    this.start()
    const late = new AbortController()
    const isEmpty = await Promise.race([
      this.#idle.promise.then(() => true),
      this.#options.clock.sleep(deadlineMs, late.signal).then(() => false),
    ])
    late.abort()
    await this.stop()
    return isEmpty
  }

  /** Breaks off what is under way; the spool keeps it. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#nap.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#woken = false
      let pauseMs: number
      try {
        pauseMs = await this.#step()
      } catch (error) {
        // The spool cannot be read or written, or the sink breaks its promise.
        pauseMs = this.#fail('failed', error instanceof Error ? error.message : String(error))
      }
      if (pauseMs > 0) await this.#sleep(pauseMs)
    }
  }

  async #sleep(ms: number): Promise<void> {
    this.#nap = new AbortController()
    if (this.#stop.signal.aborted || (this.#woken && this.#failuresInRow === 0)) return
    await this.#options.clock.sleep(ms, this.#nap.signal)
  }

  /** One request, or none when nothing waits; how long to wait then. */
  async #step(): Promise<number> {
    const { spool, sink, records, clock } = this.#options
    const waiting = await spool.next(sink.limits.batches, sink.limits.bytes)
    this.#oldestSealedAt = waiting[0]?.header.sealedAt
    if (waiting.length === 0) {
      this.#failuresInRow = 0
      this.#idle.resolve()
      return idleMs
    }
    const batches = this.#choose(waiting)
    const bytes = await records.dress(batches)
    const started = clock.now()
    const outcomes =
      batches.length === 0
        ? []
        : await sink.send(
            batches.map(({ header }, at) => ({
              node: header.node,
              sequence: header.sequence,
              bytes: bytes[at]!,
            })),
            this.#stop.signal,
          )
    records.taken(outcomes.map(({ kind }) => kind === 'sent'))
    if (this.#stop.signal.aborted && outcomes.every(({ kind }) => kind !== 'sent')) return 0
    const pauseMs = this.#take(batches, outcomes, started)
    await this.#release(waiting)
    return pauseMs
  }

  /** What may go out now: the failed before the newer, and alone what may be refused. */
  #choose(waiting: readonly WaitingBatch[]): readonly WaitingBatch[] {
    const first = waiting[0]!.index
    // The spool may have given up what was waiting in front.
    for (const index of this.#settled) if (index < first) this.#settled.delete(index)
    const isRetry = this.#settled.size > 0
    const batches = waiting.filter(
      ({ index }) => !this.#settled.has(index) && (!isRetry || index <= this.#upTo),
    )
    return (batches[0]?.index ?? 0) <= this.#aloneUpTo ? batches.slice(0, 1) : batches
  }

  #take(batches: readonly WaitingBatch[], outcomes: readonly Outcome[], started: number): number {
    if (outcomes.length !== batches.length) throw new Error('the sink did not tell every outcome')
    if (batches.length > 0) this.#counts.requests += 1
    const failed: Exclude<Outcome, { kind: 'sent' | 'refused' }>[] = []
    let sent = 0
    let suspects = 0
    for (const [at, outcome] of outcomes.entries()) {
      const { index, batch, header } = batches[at]!
      if (outcome.kind === 'sent') {
        sent += 1
        this.#counts.sentBatches += 1
        this.#counts.sentBytes += batch.length
        this.#counts.sentEvents += header.eventCount
        this.#settled.add(index)
      } else if (outcome.kind !== 'refused') {
        failed.push(outcome)
        this.#failures[outcome.kind] += 1
      } else if (batches.length > 1) {
        suspects += 1
        this.#aloneUpTo = index
      } else {
        this.#settled.add(index)
        this.#refuse(header, outcome.message)
      }
    }
    this.#upTo = Math.max(this.#upTo, batches.at(-1)?.index ?? -1)
    this.#counts.retries += failed.length + suspects
    if (sent > 0) this.#arrived(started)
    if (failed.length === 0) {
      this.#failuresInRow = 0
      return 0
    }
    failed.sort((a, b) => severity.indexOf(a.kind) - severity.indexOf(b.kind))
    const { kind, message } = failed[0]!
    if (sent === 0) return this.#fail(kind, message)
    // Something got through: the service is not to be waited for, only to be spared.
    this.#lastError = message
    this.#failuresInRow = 1
    return backOff(1, this.#pace, this.#options.random)
  }

  /** Lets the spool forget what is settled at its head. */
  async #release(waiting: readonly WaitingBatch[]): Promise<void> {
    const open = waiting.findIndex(({ index }) => !this.#settled.has(index))
    const settled = open === -1 ? waiting : waiting.slice(0, open)
    if (settled.length === 0) return
    await this.#options.spool.release(settled.at(-1)!.index)
    for (const { index } of settled) this.#settled.delete(index)
    this.#oldestSealedAt = waiting[settled.length]?.header.sealedAt
  }

  #arrived(started: number): void {
    const { announce, clock } = this.#options
    if (this.#told !== undefined) {
      const seconds = Math.round((clock.now() - this.#stateSince) / 1000)
      const since = this.#state === 'unreachable' ? ` after ${seconds} s` : ''
      announce(`batches are taken again${since}`)
      this.#told = undefined
    }
    this.#become('reachable', started)
  }

  #fail(kind: FailureKind, message: string): number {
    const { announce, clock, random } = this.#options
    this.#lastError = message
    this.#failuresInRow += 1
    if (kind === 'throttled') this.#become('reachable', clock.now())
    else {
      this.#become('unreachable', clock.now())
      // A text may name a request; the kind alone is what changes.
      const topic = kind === 'denied' ? message : kind
      if (this.#told !== topic && (kind === 'denied' || this.#failuresInRow >= notable)) {
        announce(`batches are not taken and wait on disk: ${message}`)
        this.#told = topic
      }
    }
    // Nobody sets a permission right within a second.
    const failures = kind === 'denied' ? Number.POSITIVE_INFINITY : this.#failuresInRow
    return backOff(failures, this.#pace, random)
  }

  #become(state: Reachability['state'], since: number): void {
    if (this.#state === state) return
    this.#state = state
    this.#stateSince = since
  }

  #refuse({ sequence, eventCount }: WaitingBatch['header'], message: string): void {
    const { announce, onRefused } = this.#options
    this.#lastError = message
    this.#refused.batches += 1
    this.#refused.events += eventCount
    onRefused(1, eventCount)
    const count = this.#refused.batches
    // The first, and then ever more rarely.
    if ((count & (count - 1)) !== 0) return
    const total = count === 1 ? '' : `; ${count} until now`
    announce(`batch ${sequence} is dropped, the service refuses it: ${message}${total}`)
  }
}

/** Failures in a row that an operator hears of, about a second: one lost answer is no news. */
const notable = 3

/** Nothing waits for this: a batch wakes the shipper. */
const idleMs = 1000
