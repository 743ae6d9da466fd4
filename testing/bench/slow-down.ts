import { median, spread, type Table } from './figures.ts'
import { Floor } from './floor.ts'
import { loops, runLoop } from './loops.ts'
import { library, officialSets, type RuleSet } from './rule-sets.ts'
import { sleep, Watch } from './watch.ts'

const ROUNDS = 5

interface Figures {
  readonly ratio: number[]
  readonly added: number[]
  readonly floor: number[]
  readonly share: number[]
}

/** What a loop of system calls costs more while it is watched, and what is lost of it. */
export async function slowDown(): Promise<Table[]> {
  const floor = Floor.build()
  const tables: Table[] = []
  for (const rules of [library, ...officialSets()]) tables.push(await measure(rules, floor))
  floor?.remove()
  return tables
}

async function measure(rules: RuleSet, floor: Floor | undefined): Promise<Table> {
  const figures = loops.map((): Figures => ({ ratio: [], added: [], floor: [], share: [] }))
  const lost: number[] = []
  const runAll = async () => {
    const results: number[] = []
    for (const loop of loops) results.push((await runLoop(loop)).each)
    return results
  }
  for (let round = 0; round < ROUNDS; round++) {
    const without = await runAll()
    const empty = await floor?.during(runAll)
    const watch = await Watch.start(rules)
    await sleep(300)
    for (const [i, loop] of loops.entries()) {
      const before = watch.agentCpu
      const { each, wall } = await runLoop(loop)
      figures[i]!.share.push(((watch.agentCpu - before) / wall) * 100)
      figures[i]!.ratio.push(each / without[i]!)
      figures[i]!.added.push(each - without[i]!)
      if (empty !== undefined) figures[i]!.floor.push(empty[i]! - without[i]!)
      await watch.settle()
    }
    lost.push((await watch.stop()).lost)
  }
  return {
    title: `Slow-down of a workload, rules: ${rules.name}`,
    note: `${ROUNDS} rounds, each without, with an empty BPF program, and with the sensor. Events lost in a round: ${median(lost)} (${Math.min(...lost)}–${Math.max(...lost)}).`,
    columns: ['loop', 'times slower', 'added ns a pass', 'empty program adds ns', 'agent CPU %'],
    rows: loops.map(({ name }, i) => {
      const { ratio, added, floor: least, share } = figures[i]!
      return [name, spread(ratio), spread(added, 0), spread(least, 0), spread(share, 0)]
    }),
  }
}
