import { type Advance, advance } from './advance.ts'
import type { Correlation } from './correlation.ts'
import type { Contribution, Firing } from './firing.ts'
import { Learning } from './learning.ts'
import { noteTerm } from './new-terms.ts'
import { type StateItem, type StateStore, StateUnavailable } from './state-store.ts'

export interface RunnerOptions {
  readonly store: StateStore
  /** As hex. */
  readonly sha256: (text: string) => string
  /** Second of the epoch. */
  readonly now: () => number
  /** From 0 to 1, to keep those who write the same item apart. */
  readonly random: () => number
  readonly pause: (milliseconds: number) => Promise<void>
}

export interface RunnerResult {
  /** Each at least once, under an id that stays the same, however often the batch comes. */
  readonly firings: readonly Firing[]
  /** Detections that came too late for their window. */
  readonly late: number
  /** Detections that no longer fit into their group's item. */
  readonly dropped: number
  readonly writes: number
}

const mostAttempts = 8
const firstPause = 20
/** Keys of one read or write; what a store makes of them is its own affair. */
const mostKeys = 100

/**
 * Runs correlations against a store: one read and at most one conditional write for each group of a
 * batch, again only where somebody else wrote in between.
 */
export class CorrelationRunner {
  readonly #options: RunnerOptions
  readonly #learning: Learning

  constructor(options: RunnerOptions) {
    this.#options = options
    this.#learning = new Learning(options.store, options.sha256)
  }

  /**
   * Takes the contributions of a batch. Rejects with {@link StateUnavailable} when the store fails or
   * others keep writing the same groups: the batch may then be given again.
   */
  async take(contributions: readonly Contribution[]): Promise<RunnerResult> {
    const groups = [...byKey(contributions)]
    const sum = { firings: [] as Firing[], late: 0, dropped: 0, writes: 0 }
    for (let at = 0; at < groups.length; at += mostKeys) {
      await this.#takeGroups(new Map(groups.slice(at, at + mostKeys)), sum)
    }
    return sum
  }

  async #takeGroups(
    groups: Map<string, readonly Contribution[]>,
    sum: { firings: Firing[]; late: number; dropped: number; writes: number },
  ): Promise<void> {
    const { store, now, random, pause } = this.#options
    for (let attempt = 1; ; attempt++) {
      const seconds = now()
      const items = await store.read([...groups.keys()], seconds)
      const advances = new Map<string, Advance>()
      for (const [key, own] of groups) {
        advances.set(key, await this.#advance(items.get(key), own, seconds))
      }
      const writes = [...advances].flatMap(([key, { changed, state }]) => {
        if (!changed) return []
        const { correlation } = groups.get(key)![0]!
        const expires = seconds + lifetimeOf(correlation)
        return [{ key, value: state, from: items.get(key)?.version ?? 0, expires }]
      })
      const conflicts = new Set(writes.length === 0 ? [] : await store.write(writes))
      sum.writes += writes.length
      for (const [key, { fired, late, dropped }] of advances) {
        if (conflicts.has(key)) continue
        groups.delete(key)
        sum.firings.push(...fired)
        sum.late += late
        sum.dropped += dropped
      }
      if (groups.size === 0) return
      if (attempt === mostAttempts) {
        throw new StateUnavailable(`${groups.size} groups of correlations are written by others`)
      }
      await pause(firstPause * 2 ** attempt * random())
    }
  }

  async #advance(
    item: StateItem | undefined,
    contributions: readonly Contribution[],
    now: number,
  ): Promise<Advance> {
    const { correlation } = contributions[0]!
    const { sha256 } = this.#options
    if (correlation.type !== 'new_terms') {
      return advance(correlation, item?.value, contributions, sha256)
    }
    const learned = await this.#learning.until(contributions, now)
    return noteTerm(correlation, item?.value, contributions, learned, sha256)
  }
}

function byKey(contributions: readonly Contribution[]): Map<string, Contribution[]> {
  const groups = new Map<string, Contribution[]>()
  for (const contribution of contributions) {
    const group = groups.get(contribution.key)
    if (group === undefined) groups.set(contribution.key, [contribution])
    else group.push(contribution)
  }
  return groups
}

/** Time for a function that failed to be called again with the same batch. */
const margin = 3600

/** Seconds that a group is of use without new detections. */
function lifetimeOf({ timespan, lateness, history = 0n }: Correlation): number {
  return Number((timespan + lateness + history + history / 14n) / 1_000_000_000n) + 1 + margin
}
