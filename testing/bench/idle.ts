import { spread, type Table } from './figures.ts'
import { library, officialSets } from './rule-sets.ts'
import { sleep, Watch } from './watch.ts'

const ROUNDS = 3
const SECONDS = 20

/** CPU of sensor and agent on a machine that does nothing else, after the start. */
export async function idle(): Promise<Table[]> {
  const rows: string[][] = []
  for (const rules of [library, ...officialSets().slice(-1)]) {
    const share: number[] = []
    const start: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const watch = await Watch.start(rules)
      start.push(watch.cpu / 1e6)
      await sleep(1000)
      const before = watch.cpu
      await sleep(SECONDS * 1000)
      share.push(((watch.cpu - before) / (SECONDS * 1e9)) * 100)
      await watch.stop()
    }
    rows.push([rules.name, spread(share, 3), spread(start, 0)])
  }
  return [
    {
      title: 'Idle',
      note: `Over ${SECONDS} s; whatever else runs on the machine shows in it.`,
      columns: ['rules', '% of a core', 'CPU ms until it watches'],
      rows,
    },
  ]
}
