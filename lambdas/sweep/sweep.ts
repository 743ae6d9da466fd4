import type { StateStore } from '#correlate'

/** Does what is due of items of some kinds; it must leave them no longer due. */
export interface Sweeper {
  /** Kinds of keys: what stands before the first `/`. */
  readonly kinds: readonly string[]
  sweep(keys: readonly string[]): Promise<void>
}

export interface SweepOptions {
  readonly store: Pick<StateStore, 'due'>
  readonly sweepers: readonly Sweeper[]
  /** Second of the epoch. */
  readonly now: () => number
  /** Whether there is time for another round. */
  readonly hasTime: () => boolean
  /** Keys of a round: 2,000. */
  readonly limit?: number
}

export interface SweepFigures {
  /** Keys by kind. */
  readonly swept: Readonly<Record<string, number>>
  /** Sweepers that failed, with why; the others did their part. */
  readonly failures: readonly { readonly kinds: readonly string[]; readonly error: unknown }[]
  /** Due keys that no sweeper knows: they stay due. */
  readonly unknown: readonly string[]
  /** More was due than there was time for. */
  readonly isCut: boolean
}

/**
 * Takes what is due, the oldest first, to whoever knows what to do with it, until nothing new is. One
 * sweeper that fails keeps no other from its work; what it left is due in the next sweep.
 */
export async function sweep(options: SweepOptions): Promise<SweepFigures> {
  const { store, sweepers, now, hasTime, limit = 2000 } = options
  const swept: Record<string, number> = {}
  const failures: SweepFigures['failures'][number][] = []
  const done = new Set<string>()
  let unknown: string[] = []
  for (;;) {
    const due = await store.due(now(), limit + done.size)
    const keys = due.filter((key) => !done.has(key))
    const byKind = Map.groupBy(keys, kindOf)
    for (const sweeper of sweepers) {
      const own = sweeper.kinds.flatMap((kind) => byKind.get(kind) ?? [])
      if (own.length === 0) continue
      try {
        await sweeper.sweep(own)
        for (const key of own) swept[kindOf(key)] = (swept[kindOf(key)] ?? 0) + 1
      } catch (error) {
        failures.push({ kinds: sweeper.kinds, error })
      }
    }
    const known = new Set(sweepers.flatMap(({ kinds }) => kinds))
    unknown = [...unknown, ...keys.filter((key) => !known.has(kindOf(key)))]
    for (const key of keys) done.add(key)
    if (keys.length < limit) return { swept, failures, unknown, isCut: false }
    if (!hasTime()) return { swept, failures, unknown, isCut: true }
  }
}

const kindOf = (key: string) => key.slice(0, key.indexOf('/'))
