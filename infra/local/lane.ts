import type { Clock } from './clock.ts'
import type { KinesisEventRecord } from './kinesis-event.ts'

/** A record on its way, in the order in which its shard has it. */
export interface Pending {
  readonly record: KinesisEventRecord
  readonly bytes: number
  isSettled: boolean
}

export interface BatchLimits {
  /** Records, 1 to 10,000. */
  readonly batchSize: number
  /** Milliseconds to wait for a batch to fill, from its first record on. */
  readonly windowMs: number
  /** Of a batch as the function gets it. */
  readonly maxBytes: number
}

/** Records of some keys of a shard, gathered into one batch after the other. */
export class Lane {
  readonly #limits: BatchLimits
  readonly #clock: Clock
  readonly #queue: Pending[] = []
  #bytes = 0
  #since = 0
  #isEnded = false
  #wake: () => void = () => {}

  constructor(limits: BatchLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  push(pending: Pending): void {
    if (this.#queue.length === 0) this.#since = this.#clock.now()
    this.#queue.push(pending)
    this.#bytes += pending.bytes
    this.#wake()
  }

  /** Nothing more comes. */
  end(): void {
    this.#isEnded = true
    this.#wake()
  }

  /** The next batch: full, or at the end of its window; an empty one when there is no more. */
  async next(signal: AbortSignal): Promise<readonly Pending[]> {
    while (!signal.aborted) {
      const { batchSize, maxBytes, windowMs } = this.#limits
      const isFull = this.#queue.length >= batchSize || this.#bytes >= maxBytes
      const wait = this.#since + windowMs - this.#clock.now()
      const isOver = this.#queue.length > 0 && wait <= 0
      if (isFull || isOver || this.#isEnded) return this.#take()
      await this.#change(this.#queue.length > 0 ? wait : undefined, signal)
    }
    return []
  }

  #take(): readonly Pending[] {
    const { batchSize, maxBytes } = this.#limits
    let bytes = 0
    let count = 0
    for (const pending of this.#queue.slice(0, batchSize)) {
      if (count > 0 && bytes + pending.bytes > maxBytes) break
      bytes += pending.bytes
      count += 1
    }
    this.#bytes -= bytes
    // The window of the next batch begins when the function takes this one.
    this.#since = this.#clock.now()
    return this.#queue.splice(0, count)
  }

  /** Waits until something was pushed or ended, or so many milliseconds. */
  async #change(ms: number | undefined, signal: AbortSignal): Promise<void> {
    const timer = new AbortController()
    const stop = () => timer.abort()
    signal.addEventListener('abort', stop)
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve
      timer.signal.addEventListener('abort', () => resolve())
    })
    if (signal.aborted) stop()
    const passed = ms === undefined ? [] : [this.#clock.sleep(ms, timer.signal)]
    await Promise.race([woken, ...passed])
    stop()
    signal.removeEventListener('abort', stop)
  }
}
