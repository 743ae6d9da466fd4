import { act } from '../../live/watcher.ts'
import { MemoryGroup } from '../cgroup.ts'
import { spread, type Table } from '../figures.ts'
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

const round = (effort: Effort) => effort.count(containers / steps)
const names = (effort: Effort) => [
  '3 s after the start',
  'mixed load, median of the samples',
  'mixed load, most',
  ...Array.from({ length: steps }, (_, i) => `after ${round(effort) * (i + 1)} containers`),
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
      rounds.map((samples) => (samples.at(-1)![key] / samples.at(-steps)![key] - 1) * 100),
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
    samples.push(...underLoad(await sampleLoad(sample, effort.count(loadSeconds))))
    for (let step = 0; step < steps; step++) {
      await act('containers', String(round(effort)))
      await sleep(1500)
      samples.push(sample())
    }
    return samples
  } finally {
    await node.stop()
    await sleep(200)
    group.remove()
  }
}

/** Samples every half a second while a mixed load runs. */
async function sampleLoad(sample: () => Sample, seconds: number): Promise<Sample[]> {
  const end = performance.now() + seconds * 1000
  let isOver = false
  const load = (async () => {
    while (performance.now() < end) await playMixedLoad(1)
  })().finally(() => {
    isOver = true
  })
  const samples: Sample[] = []
  while (!isOver) {
    await sleep(500)
    samples.push(sample())
  }
  await load
  return samples
}

/** The middle and the most of it. */
function underLoad(samples: readonly Sample[]): [Sample, Sample] {
  const sorted = (key: keyof Sample) => samples.map((each) => each[key]).sort((a, b) => a - b)
  const working = sorted('working')
  const written = sorted('written')
  const at = (index: number): Sample => ({ working: working[index]!, written: written[index]! })
  return [at(working.length >> 1), at(working.length - 1)]
}
