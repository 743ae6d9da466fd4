import type { AlertOutputFigures } from '../alert-output.ts'

/** Dropping is over when nothing was dropped for so long. */
const quietMs = 10_000

/**
 * Counts what became of alerts. The operator hears when alerts begin to be dropped, once for each
 * reason, and when they are written again; not of each alert.
 */
export class Tally {
  readonly #name: string
  readonly #announce: (text: string) => void
  readonly #now: () => number
  #written = 0
  #dropped = 0
  /** Of the time of dropping that goes on; empty when none does. */
  readonly #told = new Set<string>()
  #droppedBefore = 0
  #lastDrop = 0

  constructor(name: string, announce: (text: string) => void, now = () => performance.now()) {
    this.#name = name
    this.#announce = announce
    this.#now = now
  }

  get figures(): AlertOutputFigures {
    return { written: this.#written, dropped: this.#dropped }
  }

  wrote(count: number): void {
    this.#written += count
    if (this.#told.size === 0 || this.#now() - this.#lastDrop < quietMs) return
    this.#told.clear()
    const lost = this.#dropped - this.#droppedBefore
    this.#announce(`alerts are written to ${this.#name} again; ${lost} were dropped`)
  }

  /** `reason` is one of few texts, so that each is told once. */
  drop(count: number, reason: string): void {
    if (count === 0) return
    if (this.#told.size === 0) this.#droppedBefore = this.#dropped
    this.#dropped += count
    this.#lastDrop = this.#now()
    if (this.#told.has(reason)) return
    this.#told.add(reason)
    this.#announce(`alerts to ${this.#name} are dropped: ${reason}`)
  }
}
