/** A value that is JSON, word for word. Times and other 64-bit numbers are decimal strings in it. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }

/** What is kept under a key. */
export interface StateItem {
  readonly value: Json
  /** Grows by one with each write; 1 after the first. */
  readonly version: number
}

/** A write that takes place only if nobody else wrote since the item was read. */
export interface StateWrite {
  readonly key: string
  readonly value: Json
  /** Version that was read; 0 when there was no item. */
  readonly from: number
  /** Second of the epoch after which the item is as if it were not there. */
  readonly expires: number
  /** Second of the epoch at which {@link StateStore.due} is to name the key, if any. */
  readonly due?: number
}

/**
 * State between evaluations, in DynamoDB or on one machine. There are no transactions over several
 * keys: what must change together is one item.
 *
 * Whoever changes an item reads it, works out the new value and writes it on condition that it is
 * still the one read; on a conflict it starts anew. Values carry what makes a replay change nothing
 * (ids of what they count), so that a write whose answer was lost may be repeated.
 */
export interface StateStore {
  /** The items there are; expired ones are not, whether they are still stored or not. */
  read(keys: readonly string[], now: number): Promise<ReadonlyMap<string, StateItem>>
  /**
   * Writes what nobody else has written since, each item by itself; gives the keys of the others.
   * Rejects with {@link StateUnavailable} when the store did not take (all of) them in time: which
   * ones it took is then unknown.
   */
  write(writes: readonly StateWrite[]): Promise<readonly string[]>
  /** Keys whose `due` lies at or before `now`, the oldest first, at most `limit`. */
  due(now: number, limit: number): Promise<readonly string[]>
}

/** The store does not answer, or asks for less, and retrying within reason did not help. */
export class StateUnavailable extends Error {
  override readonly name = 'StateUnavailable'
}

/** A value may have at most so many bytes as JSON: what DynamoDB takes, with room for the key. */
export const stateValueLimit = 350 << 10
