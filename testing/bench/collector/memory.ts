import { act } from '../../live/watcher.ts'
import { MemoryGroup } from '../cgroup.ts'
import { median, spread, type Table } from '../figures.ts'
import type { RuleSet } from '../rule-sets.ts'
import { sleep } from '../watch.ts'
import type { Effort } from './effort.ts'
import { playMixedLoad } from './mixed-load.ts'
import { BenchNode, ruleSets } from './node.ts'

const loadSeconds = 30
const containers = 10_000
const steps = 5
const goalMiB = 64

interface Sample {
  readonly working: number
  readonly written: number
}

/** Memory of sensor and agent: under a mixed load, and through many short containers. */
export async function memory(effort: Effort): Promise<Table[]> {
  const tables: Table[] = []
  for (const rules of ruleSets()) tables.push(await measure(rules, effort))
  return tables
}

/** Containers between two figures. */
const step = (effort: Effort) => effort.count(containers / steps)
const names = (effort: Effort) => [
  '3 s after the start',
  'mixed load, median of the samples',
  'mixed load, most',
  ...Array.from(
    { length: steps },
    (_, i) => `until ${(step(effort) * (i + 1)).toLocaleString('en')} containers, median`,
  ),
  'all containers, most',
]

async function measure(rules: RuleSet, effort: Effort): Promise<Table> {
  const rows = names(effort)
  const rounds: Sample[][] = []
  for (let i = 0; i < Math.min(effort.rounds, 3); i++) rounds.push(await oneRound(rules, effort))
  const column = (key: keyof Sample) =>
    rows.map((_, row) =>
      spread(
        rounds.map((samples) => samples[row]![key] / 2 ** 20),
        1,
      ),
    )
  const working = column('working')
  const written = column('written')
  const drift = (key: keyof Sample) =>
    spread(
      rounds.map((samples) => (samples.at(-2)![key] / samples.at(-1 - steps)![key] - 1) * 100),
      1,
    )
  return {
    title: `Memory of sensor and agent, MiB, rules: ${rules.name}`,
    note: `Working set of their cgroup (usage without inactive file pages) and pages that they have written themselves; ${rounds.length} rounds. Goal: ≤ ${goalMiB} MiB, and ± 5 % from the first to the last of the containers.`,
    columns: ['when', 'working set', 'private'],
    rows: [
      ...rows.map((name, i) => [name, working[i]!, written[i]!]),
      ['change over the containers, %', drift('working'), drift('written')],
    ],
  }
}

async function oneRound(rules: RuleSet, effort: Effort): Promise<Sample[]> {
  const group = new MemoryGroup(`lanner-bench-${process.pid}`)
  const node = await BenchNode.start(rules, { before: group.enter })
  const sample = (): Sample => ({ working: group.workingSet, written: node.privateMemory })
  try {
    await sleep(3000)
    const samples = [sample()]
    const end = performance.now() + effort.count(loadSeconds) * 1000
    const loaded = await sampleDuring(sample, async () => {
      while (performance.now() < end) await playMixedLoad(1)
    })
    samples.push(middle(loaded), most(loaded))
    const contained: Sample[] = []
    for (let i = 0; i < steps; i++) {
      const during = await sampleDuring(sample, async () => {
        await act('containers', String(step(effort)))
        await sleep(1500)
      })
      contained.push(...during)
      samples.push(middle(during))
    }
    samples.push(most(contained))
    return samples
  } finally {
    await node.stop()
    await sleep(200)
    group.remove()
  }
}

/** Samples four times a second until `work` is done. */
async function sampleDuring(sample: () => Sample, work: () => Promise<void>): Promise<Sample[]> {
  let isOver = false
  const working = work().finally(() => {
    isOver = true
  })
  const samples: Sample[] = []
  while (!isOver) {
    await sleep(250)
    samples.push(sample())
  }
  await working
  return samples
}

function of(samples: readonly Sample[], choose: (values: readonly number[]) => number): Sample {
  return {
    working: choose(samples.map(({ working }) => working)),
    written: choose(samples.map(({ written }) => written)),
  }
}
const middle = (samples: readonly Sample[]) => of(samples, median)
const most = (samples: readonly Sample[]) => of(samples, (values) => Math.max(...values))
