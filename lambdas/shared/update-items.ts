import { type Json, type StateItem, type StateStore, StateUnavailable } from '#correlate'

/** What becomes of an item: a new value with its life, or nothing to write. */
export interface Update<T> {
  readonly result: T
  readonly write?: { readonly value: Json; readonly expires: number; readonly due?: number }
}

export interface UpdateOptions {
  readonly store: StateStore
  /** Second of the epoch. */
  readonly now: () => number
  /** From 0 to 1, to keep those who write the same item apart. */
  readonly random: () => number
  readonly pause: (milliseconds: number) => Promise<void>
}

const mostAttempts = 8
const firstPauseMs = 20
/** Keys of one read or write. */
const mostKeys = 100

/**
 * Reads items, works out what becomes of each and writes it, anew where somebody else wrote in between:
 * one read and at most one write a key if nobody does. Rejects with {@link StateUnavailable} when the
 * store fails or others keep writing; some of the writes may have been taken then.
 */
export async function updateItems<T>(
  keys: readonly string[],
  update: (key: string, item: StateItem | undefined) => Update<T>,
  { store, now, random, pause }: UpdateOptions,
): Promise<ReadonlyMap<string, T>> {
  const results = new Map<string, T>()
  for (let at = 0; at < keys.length; at += mostKeys) {
    let open: readonly string[] = keys.slice(at, at + mostKeys)
    for (let attempt = 1; open.length > 0; attempt += 1) {
      if (attempt > mostAttempts) {
        throw new StateUnavailable(`${open.length} items are written by others, ${open[0]} is one`)
      }
      if (attempt > 1) await pause(firstPauseMs * 2 ** attempt * random())
      const items = await store.read(open, now())
      const updates = open.map((key) => ({ key, ...update(key, items.get(key)) }))
      const writes = updates.flatMap(({ key, write }) =>
        write === undefined ? [] : [{ key, from: items.get(key)?.version ?? 0, ...write }],
      )
      const conflicts = new Set(writes.length === 0 ? [] : await store.write(writes))
      for (const { key, result } of updates) if (!conflicts.has(key)) results.set(key, result)
      open = open.filter((key) => conflicts.has(key))
    }
  }
  return results
}
