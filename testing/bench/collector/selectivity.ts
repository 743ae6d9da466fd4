import { type Stage, selectivity as stagesOf } from '../../../cli/selectivity.ts'
import type { Table } from '../figures.ts'
import { sleep } from '../watch.ts'
import { mixedRules } from './bytes.ts'
import type { Effort } from './effort.ts'
import { playMixedLoad } from './mixed-load.ts'
import { BenchNode, ruleSets } from './node.ts'

/** After this the last repeats are out of their window and their batch has been shipped. */
const foldAndBatchMs = 8000

/** Where the events of a mixed workload end, stage by stage. */
export async function selectivity({ count }: Effort): Promise<Table[]> {
  const sets = [...ruleSets(), mixedRules]
  const results: (readonly Stage[])[] = []
  for (const rules of sets) {
    const node = await BenchNode.start(rules)
    try {
      await node.settle()
      const before = await node.metrics()
      await playMixedLoad(count(5))
      await sleep(foldAndBatchMs)
      results.push(stagesOf((await node.metrics()).since(before)))
    } finally {
      await node.stop()
    }
  }
  const cell = (events: number, share: number) =>
    `${events.toLocaleString('en')} (${(share * 100).toFixed(2)} %)`
  return [
    {
      title: 'Where events end',
      note: `The workload of workload.ts, ${count(5)} times, two at once. System calls that no rule names are never seen.`,
      columns: ['stage', ...sets.map(({ name }) => name)],
      rows: results[0]!.map(({ name }, row) => [
        name,
        ...results.map((stages) => cell(stages[row]!.events, stages[row]!.share)),
      ]),
    },
  ]
}
