/** Time as the shipper sees it: steps of the wall clock must not touch it. */
export interface SteadyClock {
  /** Milliseconds since some moment, never going back. */
  now(): number
  /** Resolves after so many milliseconds, or as soon as the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

export const steadyClock: SteadyClock = {
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal.addEventListener('abort', done)
    }),
}

export interface BackOffOptions {
  /** Milliseconds before the first retry, on average three quarters of it. */
  readonly firstMs: number
  /** Milliseconds between retries at most. */
  readonly maxMs: number
}

/**
 * How long to wait after so many failures in a row: doubling up to the maximum, of which half is
 * left to chance, so that nodes that failed together do not return together.
 */
export function backOff(
  failures: number,
  { firstMs, maxMs }: BackOffOptions,
  random: () => number,
): number {
  const whole = Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30))
  return whole * (0.5 + random() / 2)
}
