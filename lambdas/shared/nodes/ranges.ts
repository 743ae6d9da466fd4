/** Batches of a run that did not come, and when they must have been made. Times are in milliseconds. */
export interface Missing {
  readonly from: number
  readonly to: number
  /** When it was seen that they are missing. */
  readonly since: number
  /** The batches before and after them were sealed then. */
  readonly after: number
  readonly before: number
  readonly told: boolean
}

/** What has come of a run: all from `low` to `high` but what is missing. */
export interface Seen {
  readonly low: number
  readonly high: number
  /** By number. */
  readonly missing: readonly Missing[]
  /** Batches that are missing and no longer listed: of too many ranges the first go. */
  readonly dropped: number
  readonly sealedLow: number
  readonly sealedHigh: number
}

/** Batches that follow each other without a gap, and when the first and the last were sealed. */
export type Segment = readonly [from: number, to: number, sealedFrom: number, sealedTo: number]

export const mostRanges = 64

/**
 * Adds batches that came; whether they came before, and in which order, makes no difference.
 * @param isOpen the run may have begun before anybody counted: what lies below `low` is not missing
 */
export function addSegment(seen: Seen, segment: Segment, at: number, isOpen: boolean): Seen {
  const [from, to, sealedFrom, sealedTo] = segment
  const missing: Missing[] = [...seen.missing]
  const note = (gap: Pick<Missing, 'from' | 'to' | 'after' | 'before'>) =>
    missing.push({ ...gap, since: at, told: false })
  const { low, high, sealedLow, sealedHigh } = seen
  if (from > high + 1) note({ from: high + 1, to: from - 1, after: sealedHigh, before: sealedFrom })
  if (isOpen && to < low - 1) {
    note({ from: to + 1, to: low - 1, after: sealedTo, before: sealedLow })
  }
  const isLower = isOpen && from < low
  return bounded({
    low: isLower ? from : low,
    sealedLow: isLower ? sealedFrom : sealedLow,
    high: Math.max(high, to),
    sealedHigh: to > high ? sealedTo : sealedHigh,
    missing: missing.flatMap((gap) => without(gap, from, to)),
    dropped: seen.dropped,
  })
}

/** The run is known to have gone on to `last`. */
export function extendTo(seen: Seen, last: number, at: number, before: number): Seen {
  if (last <= seen.high) return seen
  const { high, sealedHigh: after } = seen
  const gap = { from: high + 1, to: last, since: at, after, before, told: false }
  return bounded({ ...seen, high: last, missing: [...seen.missing, gap] })
}

/** What is left of a range when these batches have come. */
function without(gap: Missing, from: number, to: number): Missing[] {
  if (to < gap.from || from > gap.to) return [gap]
  const left: Missing[] = []
  if (gap.from < from) left.push({ ...gap, to: from - 1 })
  if (gap.to > to) left.push({ ...gap, from: to + 1 })
  return left
}

function bounded(seen: Seen): Seen {
  const missing = seen.missing.toSorted((a, b) => a.from - b.from)
  let { dropped } = seen
  while (missing.length > mostRanges) {
    const at = Math.max(
      missing.findIndex(({ told }) => told),
      0,
    )
    const [gone] = missing.splice(at, 1)
    dropped += gone!.to - gone!.from + 1
  }
  return { ...seen, missing, dropped }
}
