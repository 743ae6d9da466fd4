import type { Comparison, ComparisonOperator, Correlation } from './correlation.ts'

/** A detection in a group's state. */
export interface Member {
  readonly time: bigint
  readonly id: string
  readonly part: number
  readonly value: string
  readonly unsure?: true
}

/** Whether the condition holds at the time of a detection, for the window that ends there. */
export interface Point {
  readonly time: bigint
  readonly holds: boolean
}

/** Follows a window that slides over detections. */
interface Meter {
  /** Takes in all detections of one time. */
  enter(members: readonly Member[]): void
  leave(member: Member): void
  /** For a window that begins at `from`. */
  holds(from: bigint): boolean
}

/** Judges the condition at each time from `from` on; the members are sorted by time. */
export function pointsOf(
  correlation: Correlation,
  members: readonly Member[],
  from: bigint | undefined,
): Point[] {
  const meter = meterOf(correlation)
  const points: Point[] = []
  let oldest = 0
  for (let i = 0; i < members.length; ) {
    const { time } = members[i]!
    const start = time - correlation.timespan
    let end = i + 1
    while (end < members.length && members[end]!.time === time) end += 1
    meter.enter(members.slice(i, end))
    while (members[oldest]!.time < start) meter.leave(members[oldest++]!)
    i = end
    if (from === undefined || time >= from) points.push({ time, holds: meter.holds(start) })
  }
  return points
}

/** The number that a condition compares, for the detections of one window. */
export function measure({ type }: Correlation, members: readonly Member[]): number {
  return type === 'value_count' ? new Set(members.map(({ value }) => value)).size : members.length
}

function meterOf({ type, conditions, parts }: Correlation): Meter {
  switch (type) {
    case 'event_count':
      return counting(conditions)
    case 'value_count':
      return distinct(({ value }) => value, conditions)
    case 'temporal':
      return distinct(({ part }) => part, [{ operator: 'eq', bound: parts.length }])
    case 'temporal_ordered':
      return ordered(parts.length)
    case 'new_terms':
      throw new Error('new_terms has no window')
  }
}

function counting(conditions: readonly Comparison[]): Meter {
  let count = 0
  return {
    enter: (members) => {
      count += members.length
    },
    leave: () => {
      count -= 1
    },
    holds: () => compare(conditions, count),
  }
}

function distinct(
  keyOf: (member: Member) => string | number,
  conditions: readonly Comparison[],
): Meter {
  const counts = new Map<string | number, number>()
  return {
    enter: (members) => {
      for (const member of members) {
        const key = keyOf(member)
        counts.set(key, (counts.get(key) ?? 0) + 1)
      }
    },
    leave: (member) => {
      const key = keyOf(member)
      const left = counts.get(key)! - 1
      if (left === 0) counts.delete(key)
      else counts.set(key, left)
    },
    holds: () => compare(conditions, counts.size),
  }
}

/** Keeps, for each part, the latest beginning of a chain of strictly later parts that ends there. */
function ordered(length: number): Meter {
  let begins: (bigint | undefined)[] = new Array(length).fill(undefined)
  return {
    enter: (members) => {
      const next = [...begins]
      for (const { part, time } of members) next[part] = part === 0 ? time : begins[part - 1]
      // a new chain that began no later than the one known adds nothing
      begins = next.map((begin, i) => later(begin, begins[i]))
    },
    leave: () => {},
    holds: (from) => {
      const begin = begins[length - 1]
      return begin !== undefined && begin >= from
    },
  }
}

function later(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return a > b ? a : b
}

const comparisons: Readonly<Record<ComparisonOperator, (count: number, bound: number) => boolean>> =
  {
    gte: (count, bound) => count >= bound,
    gt: (count, bound) => count > bound,
    lte: (count, bound) => count <= bound,
    lt: (count, bound) => count < bound,
    eq: (count, bound) => count === bound,
  }

export function compare(conditions: readonly Comparison[], count: number): boolean {
  return conditions.every(({ operator, bound }) => comparisons[operator](count, bound))
}
