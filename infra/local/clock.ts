/** The time and how to let some of it pass; tests have their own. */
export interface Clock {
  /** Milliseconds of the epoch. */
  readonly now: () => number
  /** Ends early, without an error, when the signal says so. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

/** Milliseconds that a timer of Node can hold; a longer one would fire at once. */
const maxTimerMs = 2 ** 31 - 1

export const systemClock: Clock = {
  now: Date.now,
  async sleep(ms, signal) {
    let left = ms
    for (; left > maxTimerMs && !signal.aborted; left -= maxTimerMs) await pause(maxTimerMs, signal)
    await pause(left, signal)
  },
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve()
      return
    }
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
