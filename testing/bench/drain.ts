import { spread, type Table } from './figures.ts'
import { flood, type Loop, loops, runLoop } from './loops.ts'
import { library, neverMatching, officialSets, type RuleSet } from './rule-sets.ts'
import { sleep, Watch } from './watch.ts'

const ROUNDS = 5

/** CPU that the agent needs for a flood: draining, decoding, process, rules. */
export async function drain(): Promise<Table[]> {
  const connects = { ...loops.find(({ args }) => args[0] === 'connect')!, count: 200_000 }
  const sets = [neverMatching, library, ...officialSets()]
  const rows: string[][] = []
  for (const loop of [flood(1_000_000), connects]) {
    for (const rules of sets) rows.push(await measure(loop, rules))
  }
  return [
    {
      title: 'Draining the ring',
      note: 'CPU time of the agent process, all threads, for one pass of the loop. An open is one event; a connect brings a second one, of its socket call, under rules that look at socket.',
      columns: ['flood', 'rules', 'ns a pass', 'passes/s on one core', 'lost'],
      rows,
    },
  ]
}

async function measure(loop: Loop, rules: RuleSet): Promise<string[]> {
  const watch = await Watch.start(rules)
  await sleep(300)
  await runLoop({ ...loop, count: loop.count / 4 })
  await watch.settle()
  const each: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const before = watch.agentCpu
    await runLoop(loop)
    await watch.settle()
    each.push((watch.agentCpu - before) / loop.count)
  }
  const { lost } = await watch.stop()
  const perSecond = each.map((ns) => 1e3 / ns)
  return [loop.name, rules.name, spread(each, 0), `${spread(perSecond)} M`, String(lost)]
}
