import type { StateStore } from '#correlate'
import type { BatchHeader } from '#events'
import type { SenderState } from '../shared/detection.ts'
import {
  addObservations,
  type Expectation,
  matchExpectations,
  mergeObservations,
  nothingObserved,
  type Observation,
  readExpectations,
} from '../shared/expectations.ts'
import type { ReadRecord } from './read-record.ts'

export interface WatchExpectationsOptions {
  readonly store: StateStore
  /** Milliseconds of the epoch. */
  readonly now: () => number
}

/** Milliseconds for which the expectations of a cluster are not read again. */
const rereadMs = 10_000

/**
 * Notes what pods that a response has cut off still do, for the responder to judge. A cluster without
 * responses costs one read in ten seconds.
 */
export class WatchExpectations {
  readonly #options: WatchExpectationsOptions
  readonly #known = new Map<string, { readonly all: readonly Expectation[]; readonly at: number }>()

  constructor(options: WatchExpectationsOptions) {
    this.#options = options
  }

  /** Takes the batches of an invocation; only a node that is sure to be itself is a witness. */
  async take(
    records: readonly Pick<ReadRecord, 'batch'>[],
    senderOf: (at: number) => SenderState,
    hasGap: (header: BatchHeader) => boolean,
  ): Promise<void> {
    const { store, now } = this.#options
    const seconds = Math.floor(now() / 1000)
    const observed = new Map<string, Observation>()
    for (const [at, { batch }] of records.entries()) {
      if (senderOf(at) !== 'verified') continue
      const { header, events, notices } = batch
      const expectations = await this.#of(header.cluster)
      if (expectations.length === 0) continue
      const coverage = { ...header, notices, hasGap: hasGap(header) }
      for (const [id, one] of matchExpectations(expectations, coverage, events)) {
        observed.set(id, mergeObservations(observed.get(id) ?? nothingObserved, one))
      }
    }
    if (observed.size > 0) await addObservations(store, observed, seconds)
  }

  async #of(cluster: string): Promise<readonly Expectation[]> {
    const { store, now } = this.#options
    const known = this.#known.get(cluster)
    if (known !== undefined && now() - known.at < rereadMs) return known.all
    const all = await readExpectations(store, cluster, Math.floor(now() / 1000))
    this.#known.set(cluster, { all, at: now() })
    return all
  }
}
