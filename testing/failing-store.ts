import { type StateItem, type StateStore, StateUnavailable, type StateWrite } from '#correlate'
import { MemoryStore } from '../cli/store/memory-store.ts'

/** What goes wrong with one write. */
export type WriteFailure =
  /** Nothing was written. */
  | 'refused'
  /** All was written, and nobody heard of it. */
  | 'unanswered'
  /** Somebody else wrote the items first, without changing them. */
  | 'overtaken'

/** A store in memory whose writes fail in turn as told: `undefined` is a write that goes well. */
export class FailingStore implements StateStore {
  readonly #store = new MemoryStore()
  readonly #failures: (WriteFailure | undefined)[]
  writes = 0
  /** Of the longest value that was written. */
  largest = 0

  constructor(failures: Iterable<WriteFailure | undefined> = []) {
    this.#failures = [...failures]
  }

  read(keys: readonly string[], now: number): Promise<ReadonlyMap<string, StateItem>> {
    return this.#store.read(keys, now)
  }

  due(now: number, limit: number): Promise<readonly string[]> {
    return this.#store.due(now, limit)
  }

  async write(writes: readonly StateWrite[]): Promise<readonly string[]> {
    const failure = this.#failures.shift()
    if (failure === 'refused') throw new StateUnavailable('refused')
    if (failure === 'overtaken') {
      const keys = writes.map(({ key }) => key)
      const items = await this.#store.read(keys, 0)
      await this.#store.write(
        writes.flatMap((write) => {
          const item = items.get(write.key)
          return item === undefined ? [] : [{ ...write, value: item.value }]
        }),
      )
      return keys
    }
    this.writes += writes.length
    for (const { value } of writes) {
      this.largest = Math.max(this.largest, Buffer.byteLength(JSON.stringify(value)))
    }
    const conflicts = await this.#store.write(writes)
    if (failure === 'unanswered') throw new StateUnavailable('no answer')
    return conflicts
  }
}
