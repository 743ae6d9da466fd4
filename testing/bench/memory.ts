import { MemoryGroup } from './cgroup.ts'
import { spread, type Table } from './figures.ts'
import { flood, loops, runLoop } from './loops.ts'
import { library, officialSets, type RuleSet } from './rule-sets.ts'
import { sleep, Watch } from './watch.ts'

const ROUNDS = 3

/** Memory of sensor and agent: a cgroup of their own, with the ring and all else in the kernel. */
export async function memory(): Promise<Table[]> {
  const rows: string[][] = []
  for (const rules of [library, ...officialSets()]) rows.push(...(await measure(rules)))
  return [
    {
      title: 'Memory, MiB',
      note: 'Working set of the cgroup: usage without inactive file pages; of it anonymous.',
      columns: ['rules', 'when', 'working set', 'anonymous'],
      rows,
    },
  ]
}

async function measure(rules: RuleSet): Promise<string[][]> {
  const spawns = loops.find(({ args }) => args[0] === 'spawn')!
  const steps: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['3 s after the start', () => sleep(3000)],
    ['after 1,000,000 opens', () => runLoop(flood(1_000_000))],
    ['after 10,000 short processes', () => runLoop({ ...spawns, count: 10_000 })],
    ['after 10,000 more', () => runLoop({ ...spawns, count: 10_000 })],
  ]
  const figures = steps.map(() => ({ working: [] as number[], anonymous: [] as number[] }))
  for (let round = 0; round < ROUNDS; round++) {
    const group = new MemoryGroup(`lanner-bench-${process.pid}`)
    const watch = await Watch.start(rules, undefined, group.enter)
    for (const [i, [, act]] of steps.entries()) {
      await act()
      await sleep(1000)
      figures[i]!.working.push(group.workingSet / 2 ** 20)
      figures[i]!.anonymous.push(group.anonymous / 2 ** 20)
    }
    await watch.stop()
    await sleep(200)
    group.remove()
  }
  return steps.map(([when], i) => {
    const { working, anonymous } = figures[i]!
    return [rules.name, when, spread(working, 1), spread(anonymous, 1)]
  })
}
