/**
 * Which units have been counted, so that a replay counts nothing twice. A unit is a batch of a run, by
 * its sequence, or a single finding, by its id.
 */
export interface Applied {
  /** By run: all sequences up to `floor` count as done; above it those that are listed. */
  readonly runs: Readonly<Record<string, AppliedRun>>
  /** Ids of findings and the number of members before them, the newest last. */
  readonly ids: readonly (readonly [id: string, before: number])[]
}

interface AppliedRun {
  readonly floor: number
  /** Sequence, and the number of members that the incident had before. */
  readonly recent: readonly (readonly [sequence: number, before: number])[]
}

/** What is counted at once or not at all. */
export type Unit = { readonly run: string; readonly sequence: number } | { readonly id: string }

export const nothingApplied: Applied = { runs: {}, ids: [] }

/** So many a run and of ids are known one by one: what a retry brings again is among them. */
const mostRecent = 64
const mostIds = 200
const mostRuns = 8

/** A text for a unit. */
export function unitText(unit: Unit): string {
  return 'id' in unit ? unit.id : `${unit.run}#${unit.sequence}`
}

/**
 * Whether a unit was counted: the number of members before it, `counted` when that is no longer known,
 * `undefined` when it was not.
 */
export function appliedBefore(applied: Applied, unit: Unit): number | 'counted' | undefined {
  if ('id' in unit) return applied.ids.find(([id]) => id === unit.id)?.[1]
  const run = applied.runs[unit.run]
  if (run === undefined) return undefined
  const found = run.recent.find(([sequence]) => sequence === unit.sequence)
  if (found !== undefined) return found[1]
  return unit.sequence <= run.floor ? 'counted' : undefined
}

/** The same with one more unit; `before` is the number of members that there were. */
export function withUnit(applied: Applied, unit: Unit, before: number): Applied {
  if ('id' in unit) {
    return { ...applied, ids: [...applied.ids, [unit.id, before] as const].slice(-mostIds) }
  }
  const known = applied.runs[unit.run] ?? { floor: -1, recent: [] }
  const recent = [...known.recent, [unit.sequence, before] as const].sort((a, b) => a[0] - b[0])
  const dropped = recent.slice(0, -mostRecent)
  const run = {
    floor: Math.max(known.floor, ...dropped.map(([sequence]) => sequence)),
    recent: recent.slice(-mostRecent),
  }
  const { [unit.run]: _, ...others } = applied.runs
  // the run written longest ago stands first
  const runs = [...Object.entries(others), [unit.run, run] as const].slice(-mostRuns)
  return { ...applied, runs: Object.fromEntries(runs) }
}
