import type { StateItem, StateStore, StateWrite } from '#correlate'

interface Kept extends StateItem {
  readonly expires: number
  readonly due: number | undefined
}

/**
 * State in memory, for one process. Of more than `capacity` items those go first that were written
 * longest ago; {@link forgotten} counts those of them that had not expired.
 */
export class MemoryStore implements StateStore {
  readonly #items = new Map<string, Kept>()
  readonly #capacity: number
  forgotten = 0

  constructor(capacity = 20_000) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#items.size
  }

  async read(keys: readonly string[], now: number): Promise<ReadonlyMap<string, StateItem>> {
    const found = new Map<string, StateItem>()
    for (const key of keys) {
      const item = this.#items.get(key)
      if (item === undefined) continue
      if (item.expires < now) this.#items.delete(key)
      else found.set(key, { value: item.value, version: item.version })
    }
    return found
  }

  async write(writes: readonly StateWrite[]): Promise<readonly string[]> {
    const conflicts: string[] = []
    for (const { key, value, from, expires, due } of writes) {
      if ((this.#items.get(key)?.version ?? 0) !== from) {
        conflicts.push(key)
        continue
      }
      this.#items.delete(key) // the order of the map is that of the writes
      this.#items.set(key, { value, version: from + 1, expires, due })
    }
    while (this.#items.size > this.#capacity) {
      this.#items.delete(this.#items.keys().next().value!)
      this.forgotten += 1
    }
    return conflicts
  }

  async due(now: number, limit: number): Promise<readonly string[]> {
    return [...this.#items]
      .filter(([, { due, expires }]) => due !== undefined && due <= now && expires >= now)
      .sort(([, a], [, b]) => a.due! - b.due!)
      .slice(0, limit)
      .map(([key]) => key)
  }
}
