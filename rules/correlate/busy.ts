import type { Correlation } from './correlation.ts'
import type { GroupState } from './group-state.ts'
import { type Member, pointsOf } from './window.ts'

/** A group that was thinned out stays busy until it was quiet for a whole window. */
export function isStillBusy(
  { timespan }: Correlation,
  { busy, mark }: GroupState,
  newMark: bigint,
): boolean {
  return busy && newMark - mark! <= timespan
}

/**
 * Whether a busy group may go without a write, so that a flood costs a bounded number of them. For
 * this its verdicts become inexact at the edges of windows:
 *
 * - where the condition holds and what is known keeps it so for a quarter of the window, it may count
 *   as false by that much too early once the group falls quiet;
 * - where only values or rules come again that came within a sixteenth of the window, they count as
 *   if they had not come again.
 */
export function saysNothingNew(
  correlation: Correlation,
  state: GroupState,
  added: readonly Member[],
  goesOn: boolean,
): boolean {
  if (!isStillBusy(correlation, state, added.at(-1)!.time)) return false
  return (
    (goesOn && holdsFor(correlation, state, added.at(-1)!.time)) ||
    repeats(correlation, state, added)
  )
}

/** More detections keep the condition true, and those of the last quarter of a window are enough. */
function holdsFor(correlation: Correlation, { members }: GroupState, now: bigint): boolean {
  const { conditions, timespan } = correlation
  const recent = members.filter(({ time }) => time >= now - timespan / 4n)
  return (
    conditions.every(({ operator }) => operator === 'gte' || operator === 'gt') &&
    pointsOf(correlation, recent, undefined).at(-1)?.holds === true
  )
}

function repeats(
  { type, timespan }: Correlation,
  { members }: GroupState,
  added: readonly Member[],
): boolean {
  if (type === 'event_count') return false
  const near = timespan / 16n
  return added.every(({ part, value, time }) => {
    const before = members.filter((known) => known.time <= time && known.time >= time - near)
    // where order counts, nothing else may have come in between
    if (type === 'temporal_ordered') return before.at(-1)?.part === part
    return before.some((known) =>
      type === 'temporal' ? known.part === part : known.value === value,
    )
  })
}
