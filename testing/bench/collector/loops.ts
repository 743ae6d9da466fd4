import { median, spread, type Table } from '../figures.ts'
import { type Loop, runLoop } from '../loops.ts'
import type { RuleSet } from '../rule-sets.ts'
import { sleep } from '../watch.ts'
import type { Effort } from './effort.ts'
import { type FalcoLoop, falcoLoops } from './falco-figures.ts'
import { BenchNode, ruleSets } from './node.ts'

interface TightLoop extends Loop {
  /** System calls of one pass; `undefined` where the kernel and libc decide. */
  readonly calls?: number
  readonly falco: FalcoLoop
}

const tightLoops: readonly TightLoop[] = [
  {
    ...{ name: 'open+close /dev/null', args: ['open', '/dev/null'], count: 1_000_000 },
    ...{ calls: 2, falco: falcoLoops.open },
  },
  {
    ...{ name: 'open+close /etc/hostname', args: ['open', '/etc/hostname'], count: 1_000_000 },
    ...{ calls: 2, falco: falcoLoops.open },
  },
  { name: 'spawn /bin/true', args: ['spawn'], count: 2000, falco: falcoLoops.spawn },
  {
    ...{ name: 'getppid, which nobody wants', args: ['getppid'], count: 6_000_000 },
    ...{ calls: 1, falco: falcoLoops.getppid },
  },
]

interface Figures {
  readonly ratio: number[]
  readonly added: number[]
  readonly share: number[]
  readonly perMillion: number[]
}

/** What tight loops of system calls cost more while the collector runs, and what it uses itself. */
export async function loops(effort: Effort): Promise<Table[]> {
  const tables: Table[] = []
  for (const rules of ruleSets()) tables.push(await measure(rules, effort))
  return tables
}

async function measure(rules: RuleSet, { rounds, count }: Effort): Promise<Table> {
  const sized = tightLoops.map((loop) => ({ ...loop, count: count(loop.count) }))
  const figures = sized.map((): Figures => ({ ratio: [], added: [], share: [], perMillion: [] }))
  const lost: number[] = []
  for (let round = 0; round < rounds; round++) {
    const without: number[] = []
    for (const loop of sized) without.push((await runLoop(loop)).each)
    const node = await BenchNode.start(rules)
    await node.settle()
    for (const [i, loop] of sized.entries()) {
      const before = node.cpu
      const { each, wall } = await runLoop(loop)
      const during = node.cpu - before
      await node.settle()
      const spent = node.cpu - before
      figures[i]!.ratio.push(each / without[i]!)
      figures[i]!.added.push(each - without[i]!)
      figures[i]!.share.push((during / wall) * 100)
      figures[i]!.perMillion.push(spent / 1e3 / (loop.count * (loop.calls ?? 1)))
    }
    await sleep(300)
    lost.push((await node.metrics()).total('lanner_events_lost_total'))
    await node.stop()
  }
  return {
    title: `Tight loops, rules: ${rules.name}`,
    note: `${rounds} rounds, each without and with. CPU is of sensor and agent together: of a core while the loop runs, and in seconds per million system calls (spawn: per million spawns), what came after the loop included. Events lost in a round: ${median(lost)}. Falco’s figures are of another run and machine, see falco-figures.ts.`,
    columns: [
      ...['loop', 'times slower', 'Falco', 'added ns a pass', 'Falco'],
      ...['CPU % of a core', 'Falco', 'CPU s per 1M calls'],
    ],
    rows: sized.map(({ name, falco }, i) => {
      const { ratio, added, share, perMillion } = figures[i]!
      return [
        ...[name, spread(ratio), String(falco.ratio), spread(added, 0), String(falco.addedNs)],
        ...[spread(share, 0), String(falco.cpuPercent), spread(perMillion, 3)],
      ]
    }),
  }
}
