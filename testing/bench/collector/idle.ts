import { spread, type Table } from '../figures.ts'
import { sleep } from '../watch.ts'
import type { Effort } from './effort.ts'
import { BenchNode, ruleSets } from './node.ts'

const seconds = 60

/** CPU of sensor and agent on a machine that does nothing else. */
export async function idle({ rounds, count }: Effort): Promise<Table[]> {
  const rows: string[][] = []
  for (const rules of ruleSets()) {
    const share: number[] = []
    const start: number[] = []
    for (let round = 0; round < Math.min(rounds, 3); round++) {
      const node = await BenchNode.start(rules)
      await node.settle()
      start.push(node.cpu / 1e6)
      await sleep(2000)
      const before = node.cpu
      const since = performance.now()
      await sleep(count(seconds) * 1000)
      share.push(((node.cpu - before) / ((performance.now() - since) * 1e6)) * 100)
      await node.stop()
    }
    rows.push([rules.name, spread(share, 3), spread(start, 0)])
  }
  return [
    {
      title: 'Idle',
      note: `Over ${count(seconds)} s; whatever else runs on the machine shows in it. Falco on another machine: 0.27 % of a core, 1,200–1,700 ms for its start.`,
      columns: ['rules', '% of a core', 'CPU ms until it is at rest'],
      rows,
    },
  ]
}
