import type { Clock } from './clock.ts'

const minute = 60_000

/** How fast calls may follow one another. */
export interface PaceLimits {
  /** Calls in any minute, whatever happens. */
  readonly callsPerMinute: number
  /** Milliseconds to wait after a first failure, doubled with each further one. */
  readonly firstDelay: number
  readonly longestDelay: number
  /** The longest wait that a server may ask for. */
  readonly longestRetryAfter: number
}

/** Keeps calls from becoming a storm: waits between failures, and a limit over all calls. */
export class Pace {
  readonly #limits: PaceLimits
  readonly #clock: Clock
  /** Times of the calls of the last minute. */
  #calls: number[] = []
  #failures = 0

  constructor(limits: PaceLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** Waits until another call is allowed, and counts it. */
  async takeTurn(signal: AbortSignal): Promise<void> {
    for (;;) {
      const now = this.#clock.now()
      this.#calls = this.#calls.filter((time) => now - time < minute)
      if (this.#calls.length < this.#limits.callsPerMinute || signal.aborted) break
      await this.#clock.sleep(this.#calls[0]! + minute - now, signal)
    }
    this.#calls.push(this.#clock.now())
  }

  /** Things went well for a while. */
  reset(): void {
    this.#failures = 0
  }

  /**
   * Waits after a failure: twice as long each time up to the longest delay, but never less than the
   * server asks for. Chance spreads the nodes of a cluster, all of which see the same failure.
   */
  async waitAfterFailure(retryAfter: number | undefined, signal: AbortSignal): Promise<void> {
    const { firstDelay, longestDelay, longestRetryAfter } = this.#limits
    const step = Math.min(firstDelay * 2 ** this.#failures, longestDelay)
    this.#failures = Math.min(this.#failures + 1, 30)
    const chance = this.#clock.random()
    const asked = Math.min(retryAfter ?? 0, longestRetryAfter) * (1 + chance / 10)
    await this.#clock.sleep(Math.max(step * (0.5 + chance / 2), asked), signal)
  }
}
