import { readFileSync } from 'node:fs'

/**
 * Memory that this process has written, bytes; 0 where the system does not say. Pages of the Node
 * binary are left out: whether they count as shared depends on what else runs.
 */
export function privateMemory(): number {
  try {
    const text = readFileSync('/proc/self/smaps_rollup', 'utf8')
    let kilobytes = 0
    for (const [, amount] of text.matchAll(/^Private_Dirty:\s+(\d+) kB$/gm)) {
      kilobytes += Number(amount)
    }
    return kilobytes * 1024
  } catch {
    return 0
  }
}

/** Growth of the heap over its smallest after which garbage is collected, bytes. */
const growth = 6 << 20
/** A collection that brings less than this was in vain: the next one waits longer. */
const worthwhile = 1 << 20
/** Milliseconds between collections, which take some tens of them. */
const shortest = 2000
const longest = 15_000
/** Milliseconds between thorough ones, while there is reason for any. */
const thoroughInterval = 10_000

/** There with `--expose-gc`. */
const collector = (globalThis as { gc?: (options: object) => void }).gc

/**
 * Keeps the process small: V8 lets garbage grow as long as it likes, and malloc keeps what was freed.
 * Both are right for a server that has the machine to itself.
 */
export class MemoryKeeper {
  readonly #trim: () => void
  readonly #now: () => number
  #smallest = Number.POSITIVE_INFINITY
  #settledAt = Number.NEGATIVE_INFINITY
  #thoroughAt = Number.NEGATIVE_INFINITY
  #interval = shortest

  constructor(trim: () => void, now: () => number = () => performance.now()) {
    this.#trim = trim
    this.#now = now
  }

  /** After work that leaves garbage, as loading rules does: nothing would collect it for hours. */
  settle(): void {
    this.#collect(true)
  }

  /**
   * A thorough collection also gives back the pages that V8 keeps for later, half of what it has after
   * loading rules; it takes several rounds, a tenth of a second.
   */
  #collect(thorough: boolean): void {
    const before = process.memoryUsage().heapUsed
    const flavor = thorough ? 'last-resort' : 'regular'
    collector?.({ type: 'major', execution: 'sync', flavor })
    this.#trim()
    const after = process.memoryUsage().heapUsed
    this.#smallest = Math.min(this.#smallest, after)
    this.#interval = before - after >= worthwhile ? shortest : Math.min(this.#interval * 2, longest)
    this.#settledAt = this.#now()
    if (thorough) this.#thoroughAt = this.#settledAt
  }

  /** To be called some times a second. */
  look(): void {
    if (this.#now() - this.#settledAt < this.#interval) return
    if (process.memoryUsage().heapUsed <= this.#smallest + growth) return
    this.#collect(this.#now() - this.#thoroughAt >= thoroughInterval)
  }
}
