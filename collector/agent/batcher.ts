import {
  type BatchInfo,
  batchLimit,
  batchTarget,
  type Compress,
  countLimit,
  encodeBatch,
  type Notice,
  type SyscallEvent,
} from '#events'

export interface BatcherOptions {
  /** All that a header says apart from what the batcher counts; asked for at each sealing. */
  readonly describe: () => Omit<BatchInfo, 'sequence' | 'sealedAt'>
  readonly compress: Compress
  /**
   * Makes a batch durable. Its sequence counts as used once this resolves; when it rejects, the next
   * batch gets the same number and the events of this one are lost and counted.
   */
  readonly store: (batch: Uint8Array, sequence: number) => Promise<void>
  /** First sequence, 0 in a new run. */
  readonly firstSequence?: number
  /** Events in a batch at most. */
  readonly maxEvents?: number
  /** Bytes a batch is made for; a larger one is split. */
  readonly maxBytes?: number
  /** Wall-clock time, nanoseconds since the epoch, for the header; waits go by the other clock. */
  readonly wallClock: () => bigint
  /** Nanoseconds for which an event waits at most. */
  readonly maxWait?: bigint
  /** Nanoseconds of silence after which an empty batch says that the node lives. */
  readonly heartbeat?: bigint
  /**
   * Batches waiting for `store` at most; while that many wait, events are lost and counted. Only full
   * batches come to wait behind another: see {@link Batcher.seal}.
   */
  readonly maxWaiting?: number
  /** A batch is settled: durable, or lost and counted. See {@link Batcher.oldestMark}. */
  readonly onSettled?: () => void
  /** Told why a batch could not be made or stored. */
  readonly onError?: (error: unknown) => void
}

/** Events that did not make it into a durable batch. */
export interface BatcherLosses {
  /** `store` did not keep up. */
  readonly queue: number
  /** `store` failed, or an event alone was too large for a batch. */
  readonly spool: number
}

/**
 * Gathers events and notices and seals them in batches by count, size and time, numbered without a
 * gap. `now` is given by the caller, in nanoseconds of a clock that never steps.
 */
export class Batcher {
  readonly #options: Required<BatcherOptions>
  #events: SyscallEvent[] = []
  #notices: Notice[] = []
  #mark = 0
  /** Marks of the sealed batches that are not settled, oldest first. */
  readonly #unsettled: number[] = []
  /** When the first of the gathered events came. */
  #firstAt = 0n
  #bytes = 0
  readonly #texts = new Set<unknown>()
  #lastSealed: bigint | undefined
  /** When a batch was asked for that waits for the one being stored. */
  #dueSince: bigint | undefined
  #waiting = 0
  #writing: Promise<void> = Promise.resolve()
  #sequence: number
  #lostQueue = 0
  #lostSpool = 0

  constructor(options: BatcherOptions) {
    this.#options = {
      firstSequence: 0,
      maxBytes: batchTarget,
      maxWait: 1_000_000_000n,
      heartbeat: 10_000_000_000n,
      maxWaiting: 16,
      onError: () => {},
      onSettled: () => {},
      ...options,
      maxEvents: Math.min(options.maxEvents ?? 4096, countLimit),
    }
    this.#sequence = this.#options.firstSequence
  }

  /** Sequence of the next batch. */
  get nextSequence(): number {
    return this.#sequence
  }

  get losses(): BatcherLosses {
    return { queue: this.#lostQueue, spool: this.#lostSpool }
  }

  /** Lowest mark of the events that are not settled, `undefined` when all are. */
  get oldestMark(): number | undefined {
    const marks = this.#events.length === 0 ? this.#unsettled : [...this.#unsettled, this.#mark]
    const oldest = Math.min(...marks)
    return Number.isFinite(oldest) ? oldest : undefined
  }

  /** Takes an event, which must stay as it is, and a mark: a number that only ever grows. */
  add(event: SyscallEvent, now: bigint, mark = 0): void {
    if (this.#waiting >= this.#options.maxWaiting) {
      this.#lostQueue += event.count
      return
    }
    if (this.#events.length === 0) {
      this.#firstAt = now
      this.#mark = mark
    }
    this.#events.push(event)
    this.#bytes += this.#guessBytes(event)
    if (
      this.#events.length >= this.#options.maxEvents ||
      this.#bytes >= this.#options.maxBytes * likelyCompression
    ) {
      this.#seal(now)
    }
  }

  /** Goes with the next batch, which is sealed at the next tick. */
  notify(notice: Notice): void {
    if (this.#notices.length < mostNotices) this.#notices.push(notice)
  }

  /**
   * Seals what there is, at the latest when the batch before it is settled: a store that takes long
   * gets few large batches, and not so many small ones that events are lost.
   */
  seal(now: bigint): void {
    if (this.#isEmpty) return
    if (this.#waiting > 0) this.#dueSince ??= now
    else this.#seal(now)
  }

  /** To be called now and then: seals what has waited long enough, or a heartbeat. */
  tick(now: bigint): void {
    this.#lastSealed ??= now
    const { maxWait, heartbeat } = this.#options
    if (this.#notices.length > 0) this.seal(now)
    else if (this.#events.length > 0) {
      if (now - this.#firstAt >= maxWait) this.seal(now)
    } else if (now - this.#lastSealed >= heartbeat && this.#waiting === 0) {
      this.#seal(now)
    }
  }

  /** Seals what there is, and resolves when all of it is durable or lost. */
  async flush(now: bigint): Promise<void> {
    if (!this.#isEmpty) this.#seal(now)
    await this.#writing
  }

  get #isEmpty(): boolean {
    return this.#events.length === 0 && this.#notices.length === 0
  }

  /** Bytes before compression, roughly: what is new to the batch counts in full. */
  #guessBytes(event: SyscallEvent): number {
    let bytes = eventBytes + this.#guessText(event.fd?.name) + this.#guessText(event.fd?.rawName)
    for (let process = event.process as typeof event.process | undefined; process !== undefined; ) {
      if (this.#texts.has(process)) break
      this.#texts.add(process)
      bytes += processBytes + process.exePath.length + process.cwd.length
      for (const text of [...process.args, ...process.env]) bytes += this.#guessText(text)
      process = process.parent
    }
    return bytes
  }

  #guessText(text: string | undefined): number {
    if (text === undefined || this.#texts.has(text)) return 0
    this.#texts.add(text)
    return text.length
  }

  #seal(now: bigint): void {
    const events = this.#events
    const notices = this.#notices
    this.#events = []
    this.#notices = []
    this.#unsettled.push(events.length === 0 ? Number.POSITIVE_INFINITY : this.#mark)
    this.#bytes = 0
    this.#texts.clear()
    this.#lastSealed = now
    this.#dueSince = undefined
    this.#waiting += 1
    const sealedAt = this.#options.wallClock()
    this.#writing = this.#writing.then(async () => {
      await this.#write(events, notices, sealedAt)
      this.#waiting -= 1
      this.#unsettled.shift()
      if (this.#dueSince !== undefined && this.#waiting === 0) this.#seal(this.#dueSince)
      this.#options.onSettled()
    })
  }

  /** Writes events as one batch, or as several where one would be too large. Never rejects. */
  async #write(
    events: readonly SyscallEvent[],
    notices: readonly Notice[],
    sealedAt: bigint,
  ): Promise<void> {
    const { describe, compress, store, maxBytes, onError } = this.#options
    try {
      const info = { ...describe(), sequence: this.#sequence, sealedAt }
      const batch = encodeOrSplit(() => encodeBatch(info, events, compress, notices))
      if ((batch === undefined || batch.length > maxBytes) && events.length > 1) {
        const half = Math.ceil(events.length / 2)
        await this.#write(events.slice(0, half), notices, sealedAt)
        await this.#write(events.slice(half), [], sealedAt)
        return
      }
      if (batch === undefined || batch.length > batchLimit) {
        throw new RangeError('an event is too large for a batch')
      }
      await store(batch, this.#sequence)
      this.#sequence += 1
    } catch (error) {
      for (const { count } of events) this.#lostSpool += count
      onError(error)
    }
  }
}

/** `undefined` when there is more than any batch may hold. */
function encodeOrSplit(encode: () => Uint8Array): Uint8Array | undefined {
  try {
    return encode()
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** A body shrinks at least this much; a batch that does not is split after all. */
const likelyCompression = 3
/** Kept for one batch; a node that has more to say than this says the same again and again. */
const mostNotices = 64
const eventBytes = 40
const processBytes = 80
