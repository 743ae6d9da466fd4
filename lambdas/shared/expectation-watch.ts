import type { StateStore } from '#correlate'
import type { SyscallEvent } from '#events'
import {
  addObservations,
  type Coverage,
  type Expectation,
  matchExpectations,
  readExpectations,
} from './expectations.ts'

export interface ExpectationWatchOptions {
  readonly store: StateStore
  /** Milliseconds of the epoch. */
  readonly now: () => number
  /** Milliseconds for which the expectations of a cluster are kept: 5,000. A window is a minute. */
  readonly keptMs?: number
}

/** A batch, as far as expectations look at it. */
export interface SeenBatch {
  readonly header: {
    readonly cluster: string
    readonly node: string
    readonly firstTime: bigint
    readonly lastTime: bigint
    readonly sealedAt: bigint
  }
  readonly events: readonly SyscallEvent[]
  /** Whether something before it, or of it, is missing. */
  readonly hasGap: boolean
}

/**
 * Holds what nodes tell against what pods that are cut off must not do. Without such a pod in a cluster
 * it reads one item every few seconds, and writes nothing. Only batches of nodes that are who they say
 * they are may be shown to it.
 */
export class ExpectationWatch {
  readonly #options: ExpectationWatchOptions
  readonly #kept = new Map<string, { readonly at: number; readonly all: readonly Expectation[] }>()

  constructor(options: ExpectationWatchOptions) {
    this.#options = options
  }

  async see(batches: readonly SeenBatch[]): Promise<void> {
    const { store, now } = this.#options
    const seconds = Math.floor(now() / 1000)
    for (const { header, events, hasGap } of batches) {
      const expectations = await this.#of(header.cluster)
      if (expectations.length === 0) continue
      const { cluster, node, firstTime, lastTime, sealedAt } = header
      const coverage: Coverage = { cluster, node, firstTime, lastTime, sealedAt, hasGap }
      const observed = matchExpectations(expectations, coverage, events)
      await addObservations(store, observed, seconds)
    }
  }

  async #of(cluster: string): Promise<readonly Expectation[]> {
    const { store, now, keptMs = 5000 } = this.#options
    const kept = this.#kept.get(cluster)
    if (kept !== undefined && now() - kept.at < keptMs) return kept.all
    const all = await readExpectations(store, cluster, Math.floor(now() / 1000))
    if (this.#kept.size > 1000) this.#kept.clear()
    this.#kept.set(cluster, { at: now(), all })
    return all
  }
}
