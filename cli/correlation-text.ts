import { type Comparison, type Correlation, labelOf } from '#correlate'

const signs = { gte: '>=', gt: '>', lte: '<=', lt: '<', eq: '=' } as const

/** What a correlation counts, in words: its kind, what it looks at, its window and its groups. */
export function correlationText(correlation: Correlation): string {
  const {
    type,
    parts,
    groupBy,
    timespan,
    conditions,
    field = '',
    history = 0n,
    learning = 0n,
  } = correlation
  const labels = parts.map((part) => labelOf(part))
  const whose = groupBy.length === 0 ? '' : ` for each ${groupBy.join(' + ')}`
  const within = `within ${durationText(timespan)}${whose}`
  const bounds = conditions.map(({ operator, bound }: Comparison) => `${signs[operator]} ${bound}`)
  switch (type) {
    case 'event_count':
      return `${type}: ${bounds.join(', ')} detections of ${labels.join(', ')} ${within}`
    case 'value_count':
      return `${type}: ${bounds.join(', ')} values of ${field} in ${labels.join(', ')} ${within}`
    case 'temporal':
      return `${type}: ${labels.join(' and ')}, in any order, ${within}`
    case 'temporal_ordered':
      return `${type}: ${labels.join(', then ')}, ${within}`
    case 'new_terms':
      return (
        `${type}: a ${field} in ${labels.join(', ')}${whose} that was not seen for ` +
        `${durationText(history)}; learns for ${durationText(learning)}`
      )
  }
}

const units = [
  ['d', 86_400n * 1_000_000_000n],
  ['h', 3600n * 1_000_000_000n],
  ['m', 60n * 1_000_000_000n],
  ['s', 1_000_000_000n],
  ['ms', 1_000_000n],
  ['us', 1000n],
] as const

/** Nanoseconds in the largest unit that says them exactly, as rules files do. */
export function durationText(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s'
  const unit = units.find(([, size]) => nanoseconds % size === 0n)
  return unit === undefined ? `${nanoseconds}ns` : `${nanoseconds / unit[1]}${unit[0]}`
}
