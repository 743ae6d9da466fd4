import type { Correlation } from './correlation.ts'
import type { Member } from './window.ts'

/** Groups with more members than this are thinned out. */
export const thinFrom = 128

/**
 * Leaves out members that no verdict depends on. Time is cut into bins as long as the window, so that
 * every window is the end of one bin and the beginning of the next (and at most a few simultaneous
 * members more): it is enough to keep, of each bin, what decides for all its beginnings and all its
 * ends. Counts up to the threshold and one more stay exact for every window, whatever comes later
 * and in whatever order; only larger counts are too small then. What is kept is always part of what
 * was there: a member that comes again after it was left out counts once.
 *
 * For values, a repetition that is left out may have been the moment at which the condition was
 * briefly false: two activations less than a window apart may then be taken for one.
 */
export function thin(correlation: Correlation, members: readonly Member[]): readonly Member[] {
  if (members.length <= thinFrom) return members
  const bins = new Map<bigint, Member[]>()
  for (const member of members) {
    const number = member.time / correlation.timespan
    const bin = bins.get(number)
    if (bin === undefined) bins.set(number, [member])
    else bin.push(member)
  }
  return [...bins.values()].flatMap((bin) => {
    const kept = deciding(correlation, bin)
    return bin.filter((member) => kept.has(member))
  })
}

function deciding({ type, conditions, parts }: Correlation, bin: Member[]): ReadonlySet<Member> {
  const most = Math.max(0, ...conditions.map(({ bound }) => bound)) + 1
  const reversed = bin.toReversed()
  switch (type) {
    case 'value_count':
      return new Set([bin, reversed].flatMap((way) => first(way, ({ value }) => value, most)))
    case 'temporal':
      return new Set([bin, reversed].flatMap((way) => first(way, ({ part }) => part, parts.length)))
    case 'temporal_ordered':
      return new Set(parts.flatMap((_, i) => [...chain(bin, i, 1), ...chain(reversed, i, -1)]))
    default:
      return new Set([...bin.slice(0, most), ...bin.slice(-most)])
  }
}

/** The first member of each of the first `most` keys. */
function first(way: Member[], keyOf: (member: Member) => string | number, most: number): Member[] {
  const seen = new Map<string | number, Member>()
  for (const member of way) {
    if (seen.size === most) break
    const key = keyOf(member)
    if (!seen.has(key)) seen.set(key, member)
  }
  return [...seen.values()]
}

/** The members that a chain of parts takes which starts with `part` and takes what comes first. */
function chain(way: Member[], part: number, step: 1 | -1): Member[] {
  const found: Member[] = []
  let wanted = part
  for (const member of way) {
    if (member.part !== wanted || member.time === found.at(-1)?.time) continue
    found.push(member)
    wanted += step
  }
  return found
}
