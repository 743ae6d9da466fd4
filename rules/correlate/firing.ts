import type { JsonValue } from '#engine'
import type { Correlation } from './correlation.ts'

/** A detection as one correlation sees it. */
export interface Contribution {
  readonly correlation: Correlation
  /** Of the group's item in the store. */
  readonly key: string
  /** The group's fields and values, for people. */
  readonly group: Readonly<Record<string, JsonValue>>
  /** Index into the parts of the correlation. */
  readonly part: number
  /** Of the field that is counted or looked for, "" without one. */
  readonly value: string
  /** Of the detection. */
  readonly id: string
  /** Nanoseconds since the epoch. */
  readonly time: bigint
  /** It is not proven who told of the detection. */
  readonly unsure?: true
}

/** A correlation's condition that became true for a group. */
export interface Firing {
  /** The same when the same detections are seen again. */
  readonly id: string
  readonly correlation: Correlation
  readonly group: Readonly<Record<string, JsonValue>>
  /** When it became true: the time of the detection that made it so. */
  readonly time: bigint
  /** Of what is compared: distinct values for `value_count`, otherwise detections in the window. */
  readonly count: number
  /** Times of the first and the last detection in the window. */
  readonly first: bigint
  readonly last: bigint
  /** Distinct values, or the parts that took part; at most {@link mostShown}. */
  readonly values: readonly string[]
  /** Ids of the detections in the window; of many the first and the last {@link mostShown}. */
  readonly members: readonly string[]
  /** Of one of the detections in the window it is not proven who told of it. */
  readonly unsure?: true
}

export const mostShown = 20

/** The first and the last items of a list that is too long to show. */
export function endsOf<T>(items: readonly T[]): readonly T[] {
  if (items.length <= 2 * mostShown) return items
  return [...items.slice(0, mostShown), ...items.slice(-mostShown)]
}

/** The same text for the same firing, to be hashed. */
export function firingId(key: string, time: bigint, sha256: (text: string) => string): string {
  return sha256(JSON.stringify(['firing', key, String(time)]))
}
