import { isStillBusy, saysNothingNew } from './busy.ts'
import type { Correlation } from './correlation.ts'
import { labelOf } from './correlation.ts'
import { type Contribution, endsOf, type Firing, firingId, mostShown } from './firing.ts'
import {
  decodeState,
  encodeState,
  type FiredRecord,
  fitting,
  type GroupState,
  mostFired,
} from './group-state.ts'
import type { Json } from './state-store.ts'
import { thin } from './thin.ts'
import { type Member, measure, type Point, pointsOf } from './window.ts'

export interface Advance {
  readonly state: Json
  /** Whether the state must be kept; if not, the one before says as much. */
  readonly changed: boolean
  /** What fired now, or fired for the same detections before. */
  readonly fired: readonly Firing[]
  /** Detections that came too late to count. */
  readonly late: number
  /** Members that did not fit into an item. */
  readonly dropped: number
}

/**
 * Takes detections into a group's state and judges anew every moment that they can change.
 *
 * The condition is looked at whenever there is a detection, and false where the window is empty. It
 * fires for each stretch of moments at which it holds, unless it did for a moment of that stretch. So
 * every stretch that is there when all detections are sorted by time fires, in whatever order they
 * come; two stretches that a late detection joins have both fired, and a firing that a late detection
 * makes untrue is not taken back.
 */
export function advance(
  correlation: Correlation,
  before: Json | undefined,
  contributions: readonly Contribution[],
  sha256: (text: string) => string,
): Advance {
  const old = decodeState(before)
  const again = repeated(correlation, old, contributions)
  const { added, late } = newMembers(correlation, old, contributions)
  if (added.length === 0) {
    return { state: before ?? null, changed: false, fired: again, late, dropped: 0 }
  }
  const members = [...old.members, ...added].sort(byTime)
  const mark = members.at(-1)!.time
  const boundary = old.mark === undefined ? undefined : old.mark - correlation.lateness
  const points = pointsOf(correlation, members, boundary)
  const records = stretchesOf(correlation, points, old.settled)
    .filter(({ start, end }) => !old.fired.some(({ time }) => time >= start && time <= end))
    .map(({ start }) => recordOf(correlation, contributions[0]!.key, start, members, added, sha256))
  const from = old.mark === undefined || added[0]!.time < old.mark ? added[0]!.time : old.mark
  const goesOn = points.every(({ time, holds }) => holds || time < from)
  const settledBefore = mark - correlation.lateness
  const recent = members.filter(({ time }) => time >= settledBefore - correlation.timespan)
  const kept = thin(correlation, recent)
  const fits = fitting(kept)
  const state: GroupState = {
    mark,
    settled: points.findLast(({ time }) => time < settledBefore) ?? old.settled,
    members: fits,
    fired: [...old.fired, ...records].sort(byTime).slice(-mostFired),
    busy: kept.length < recent.length || isStillBusy(correlation, old, mark),
  }
  return {
    state: encodeState(state),
    changed: records.length > 0 || !saysNothingNew(correlation, old, added, goesOn),
    fired: [...again, ...records.map((record) => firingOf(correlation, record, contributions[0]!))],
    late,
    dropped: kept.length - fits.length,
  }
}

function newMembers(
  { lateness }: Correlation,
  { mark, members }: GroupState,
  contributions: readonly Contribution[],
): { added: Member[]; late: number } {
  const known = new Set(members.map(keyOf))
  const added: Member[] = []
  let late = 0
  for (const { id, part, time, value, unsure } of contributions) {
    const key = keyOf({ id, part })
    if (known.has(key)) continue
    known.add(key)
    if (mark !== undefined && time < mark - lateness) late += 1
    else added.push({ id, part, time, value, ...(unsure && { unsure }) })
  }
  return { added: added.sort(byTime), late }
}

function keyOf({ id, part }: Pick<Member, 'id' | 'part'>): string {
  return `${part} ${id}`
}

function byTime(a: { time: bigint; id: string }, b: { time: bigint; id: string }): number {
  if (a.time !== b.time) return a.time < b.time ? -1 : 1
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

interface Stretch {
  readonly start: bigint
  end: bigint
}

/** The stretches at which the condition holds and that begin at one of the points. */
function stretchesOf(
  { timespan }: Correlation,
  points: readonly Point[],
  settled: Point | undefined,
): Stretch[] {
  const stretches: Stretch[] = []
  let last = settled
  let open: Stretch | undefined
  for (const point of points) {
    // between two detections further apart than the window is long, the window was empty
    const goesOn = last?.holds === true && point.time - last.time <= timespan
    if (point.holds && !goesOn) {
      open = { start: point.time, end: point.time }
      stretches.push(open)
    } else if (!point.holds) open = undefined
    else if (open !== undefined) open.end = point.time
    last = point
  }
  return stretches
}

function recordOf(
  correlation: Correlation,
  key: string,
  time: bigint,
  members: readonly Member[],
  added: readonly Member[],
  sha256: (text: string) => string,
): FiredRecord {
  const window = members.filter(
    (member) => member.time <= time && member.time >= time - correlation.timespan,
  )
  const { type, parts } = correlation
  const values = window.map(({ part, value }) =>
    type === 'value_count' ? value : labelOf(parts[part]!),
  )
  return {
    id: firingId(key, time, sha256),
    time,
    cause: added[0]!.id,
    count: measure(correlation, window),
    first: window[0]!.time,
    last: time,
    values: [...new Set(values)].slice(0, mostShown),
    members: endsOf([...new Set(window.map(({ id }) => id))]),
    ...(window.some(({ unsure }) => unsure) && { unsure: true }),
  }
}

/** What fired for detections that are here again: whoever brought them may not have had the answer. */
function repeated(
  correlation: Correlation,
  { fired }: GroupState,
  contributions: readonly Contribution[],
): Firing[] {
  if (fired.length === 0) return []
  const ids = new Set(contributions.map(({ id }) => id))
  return fired
    .filter(({ cause }) => ids.has(cause))
    .map((record) => firingOf(correlation, record, contributions[0]!))
}

export function firingOf(
  correlation: Correlation,
  { cause: _, ...record }: FiredRecord,
  { group }: Contribution,
): Firing {
  return { ...record, correlation, group }
}
