import type { Metrics } from './metrics-text.ts'

/** A stage of the way from the kernel to the stream, and how many events ended or passed there. */
export interface Stage {
  readonly name: string
  readonly events: number
  /** Of all that was seen; NaN when nothing was. */
  readonly share: number
}

/** Where the events of an agent went, in the order of the stages. */
export function selectivity(metrics: Metrics): readonly Stage[] {
  const rejected = metrics.by('lanner_syscalls_rejected_total', 'reason')
  const lost = Object.entries(metrics.by('lanner_events_lost_total', 'place'))
  const inRing = sum(lost.filter(([place]) => place.startsWith('ring-')))
  const heldBack = sum(lost.filter(([place]) => place === 'limit'))
  const later = sum(lost) - inRing - heldBack
  const records = metrics.total('lanner_records_total')
  const matched = metrics.total('lanner_records_matched_total')
  const seen = sum(Object.entries(rejected)) + inRing + records
  const stages: [name: string, events: number][] = [
    ['seen', seen],
    ...Object.entries(rejected).map(([reason, count]): [string, number] => [
      `rejected in the kernel: ${reason}`,
      count,
    ]),
    ['lost in the ring', inRing],
    ['rejected in the agent', records - matched],
    ['some rule could match', matched],
    ['folded into another', metrics.total('lanner_events_folded_total')],
    ['held back by the limit', heldBack],
    ['lost after the ring', later],
    ['shipped', metrics.total('lanner_sent_events_total')],
  ]
  return stages.map(([name, events]) => ({ name, events, share: events / seen }))
}

function sum(counts: readonly (readonly [string, number])[]): number {
  return counts.reduce((total, [, count]) => total + count, 0)
}
