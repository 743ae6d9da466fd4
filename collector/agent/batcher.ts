import {
  type BatchInfo,
  batchLimit,
  batchTarget,
  type Compress,
  countLimit,
  encodeBatch,
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
  /** Nanoseconds for which an event waits at most, by the clock that {@link Batcher.tick} is given. */
  readonly maxWait?: bigint
  /** Nanoseconds of silence after which an empty batch says that the node lives. */
  readonly heartbeat?: bigint
  /** Batches waiting for `store` at most; while that many wait, events are lost and counted. */
  readonly maxWaiting?: number
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
 * Gathers events and seals them in batches by count, size and time, numbered without a gap. Time is
 * given by the caller, in nanoseconds since the epoch.
 */
export class Batcher {
  readonly #options: Required<BatcherOptions>
  #events: SyscallEvent[] = []
  /** When the first of the gathered events came. */
  #firstAt = 0n
  #bytes = 0
  readonly #texts = new Set<unknown>()
  #lastSealed: bigint | undefined
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

  /** Takes an event, which must stay as it is. */
  add(event: SyscallEvent, now: bigint): void {
    if (this.#waiting >= this.#options.maxWaiting) {
      this.#lostQueue += event.count
      return
    }
    if (this.#events.length === 0) this.#firstAt = now
    this.#events.push(event)
    this.#bytes += this.#guessBytes(event)
    if (
      this.#events.length >= this.#options.maxEvents ||
      this.#bytes >= this.#options.maxBytes * likelyCompression
    ) {
      this.#seal(now)
    }
  }

  /** To be called now and then: seals what has waited long enough, or a heartbeat. */
  tick(now: bigint): void {
    this.#lastSealed ??= now
    const { maxWait, heartbeat, maxWaiting } = this.#options
    if (this.#events.length > 0) {
      if (now - this.#firstAt >= maxWait) this.#seal(now)
    } else if (now - this.#lastSealed >= heartbeat && this.#waiting < maxWaiting) {
      this.#seal(now)
    }
  }

  /** Seals what there is, and resolves when all of it is durable or lost. */
  async flush(now: bigint): Promise<void> {
    if (this.#events.length > 0) this.#seal(now)
    await this.#writing
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
    this.#events = []
    this.#bytes = 0
    this.#texts.clear()
    this.#lastSealed = now
    this.#waiting += 1
    this.#writing = this.#writing.then(async () => {
      await this.#write(events, now)
      this.#waiting -= 1
    })
  }

  /** Writes events as one batch, or as several where one would be too large. Never rejects. */
  async #write(events: readonly SyscallEvent[], sealedAt: bigint): Promise<void> {
    const { describe, compress, store, maxBytes, onError } = this.#options
    try {
      const info = { ...describe(), sequence: this.#sequence, sealedAt }
      const batch = encodeOrSplit(() => encodeBatch(info, events, compress))
      if ((batch === undefined || batch.length > maxBytes) && events.length > 1) {
        const half = Math.ceil(events.length / 2)
        await this.#write(events.slice(0, half), sealedAt)
        await this.#write(events.slice(half), sealedAt)
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
const eventBytes = 40
const processBytes = 80
