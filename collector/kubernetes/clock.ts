import { setTimeout as delay } from 'node:timers/promises'

/** Time and chance, so that tests can have their own. */
export interface Clock {
  /** Milliseconds that only grow. */
  now(): number
  /** Resolves after so many milliseconds, or at once when the signal is aborted. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>
  /** From 0 to below 1. */
  random(): number
}

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (milliseconds, signal) =>
    delay(milliseconds, undefined, { signal, ref: false }).catch((error: unknown) => {
      if (!signal.aborted) throw error
    }),
  random: () => Math.random(),
}
