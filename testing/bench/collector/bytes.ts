import { fileURLToPath } from 'node:url'
import { quantile, type Table } from '../figures.ts'
import type { RuleSet } from '../rule-sets.ts'
import type { Effort } from './effort.ts'
import { playMixedLoad } from './mixed-load.ts'
import { type ArrivedBatch, BenchNode } from './node.ts'

const dense = 500
const goal = 16
/** Rules that a good share of the workload matches. */
export const mixedRules: RuleSet = {
  name: 'execs, writes, /etc, connections, directory changes',
  paths: [fileURLToPath(new URL('rules/mixed.yaml', import.meta.url))],
}

const representedIn = ({ events }: ArrivedBatch) =>
  events.reduce((sum, { count }) => sum + count, 0)

/** Bytes in the stream for one event of a mixed workload. */
export async function bytes({ count }: Effort): Promise<Table[]> {
  const rows: string[][] = []
  for (const wait of ['1s', '5s']) {
    const all = await ship(count(10), wait)
    const classes: readonly (readonly [string, (batch: ArrivedBatch) => boolean])[] = [
      [`≥ ${dense} events shipped`, ({ events }) => events.length >= dense],
      [
        `fewer, standing for ≥ ${dense}`,
        (batch) => batch.events.length < dense && representedIn(batch) >= dense,
      ],
      [`sparse: standing for < ${dense}`, (batch) => representedIn(batch) < dense],
      ['all', () => true],
    ]
    for (const [name, belongs] of classes) rows.push([wait, name, ...describe(all.filter(belongs))])
  }
  return [
    {
      title: 'Bytes an event in the stream',
      note: `The workload of workload.ts, ${count(10)} times, two at once; rules: ${mixedRules.name}; no limit of events. Whole records, header included; a folded event counts as its count. Batches without events are left out. Goal: ≤ ${goal} at ≥ ${dense} events.`,
      columns: [
        ...['wait', 'batches', 'number', 'events a batch: median', 'p10', 'p90', 'most'],
        ...['represented', 'bytes a represented event', 'bytes a shipped event'],
      ],
      rows,
    },
  ]
}

async function ship(times: number, wait: string): Promise<ArrivedBatch[]> {
  const settings = `limit: {events: 1000000}\nbatch: {wait: ${wait}}`
  const node = await BenchNode.start(mixedRules, { settings })
  try {
    await playMixedLoad(times)
    await node.end()
    return (await node.batches()).filter(({ events }) => events.length > 0)
  } finally {
    await node.stop()
  }
}

function describe(batches: readonly ArrivedBatch[]): string[] {
  const sizes = batches.map(({ events }) => events.length)
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
  const length = sum(batches.map(({ bytes: length }) => length))
  const represented = sum(batches.map(representedIn))
  const shipped = sum(sizes)
  if (shipped === 0) return ['0', ...Array.from({ length: 7 }, () => '–')]
  return [
    String(batches.length),
    ...[0.5, 0.1, 0.9, 1].map((share) => String(quantile(sizes, share))),
    String(represented),
    (length / represented).toFixed(1),
    (length / shipped).toFixed(1),
  ]
}
