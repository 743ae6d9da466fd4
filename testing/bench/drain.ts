import { spread, type Table } from './figures.ts'
import { flood, type Loop, loops, runLoop } from './loops.ts'
import { library, neverMatching, officialSets, type RuleSet } from './rule-sets.ts'
import { sleep, Watch } from './watch.ts'

const ROUNDS = 5

/** CPU that the agent needs for an event: draining, decoding, process, rules. */
export async function drain(): Promise<Table[]> {
  const connects = { ...loops.find(({ args }) => args[0] === 'connect')!, count: 200_000 }
  const sets = [neverMatching, library, ...officialSets()]
  const rows: string[][] = []
  for (const [loop, eventsEach] of [
    [flood(1_000_000), 1],
    [connects, 2],
  ] as const) {
    for (const rules of sets) rows.push(await measure(loop, eventsEach, rules))
  }
  return [
    {
      title: 'Draining the ring',
      note: 'CPU time of the agent process, all threads, for one event of a flood.',
      columns: ['flood', 'rules', 'ns an event', 'events/s on one core', 'lost'],
      rows,
    },
  ]
}

/** @param eventsEach records of one pass of the loop; calls that no rule wants are none */
async function measure(loop: Loop, eventsEach: number, rules: RuleSet): Promise<string[]> {
  const watch = await Watch.start(rules)
  await sleep(300)
  await runLoop({ ...loop, count: loop.count / 4 })
  await watch.settle()
  const each: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const before = watch.agentCpu
    await runLoop(loop)
    await watch.settle()
    each.push((watch.agentCpu - before) / (loop.count * eventsEach))
  }
  const { lost } = await watch.stop()
  const perSecond = each.map((ns) => 1e9 / ns / 1e6)
  return [loop.name, rules.name, spread(each, 0), `${spread(perSecond)} M`, String(lost)]
}
