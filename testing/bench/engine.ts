import { compileRules, type Program } from '#engine'
import { eventTypes, type SyscallEvent, syscallSource } from '#events'
import { loadRules, readRuleFiles } from '#load'
import { falcoMix } from './falco-mix.ts'
import { median, spread, type Table } from './figures.ts'
import { recordWorkload } from './record-workload.ts'
import { library, officialSets, type RuleSet } from './rule-sets.ts'

const ROUNDS = 7
/** Nanoseconds that one round lasts at least. */
const ROUND_NS = 150e6

interface Loaded {
  readonly name: string
  readonly program: Program<SyscallEvent>
  readonly loadMs: readonly number[]
}

/** Rule evaluation alone, on events held in memory; by event type and in a known mix. */
export async function engine(): Promise<Table[]> {
  const events = await recordWorkload()
  const sets = [library, ...officialSets()].map(load)
  const mix = falcoMix(events)
  return [
    {
      title: 'Loading rules',
      note: 'Reading YAML, checking and compiling, after one round to warm up.',
      columns: ['rules', 'of them active', 'ms'],
      rows: sets.map(({ name, program, loadMs }) => [
        name,
        String(program.rules.length),
        spread(loadMs, 0),
      ]),
    },
    {
      title: 'Rule evaluation, ns an event',
      note: `All rules that match, on ${events.length} recorded events, in their order; the last line in the proportions of the table in the comment of falco-mix.ts.`,
      columns: ['events', 'count', ...sets.map(({ name }) => name)],
      rows: [
        ...rowsByType(events, sets),
        row('recorded, all', events, sets),
        row('mix of Falco’s measurement', mix, sets),
      ],
    },
  ]
}

function load({ name, paths }: RuleSet): Loaded {
  const { files } = readRuleFiles(paths)
  let program: Program<SyscallEvent> | undefined
  const loadMs: number[] = []
  for (let round = 0; round < 4; round++) {
    const start = performance.now()
    const { ruleSet } = loadRules(files, {})
    program = compileRules(ruleSet.rules, syscallSource, { matching: 'all' })
    if (round > 0) loadMs.push(performance.now() - start)
  }
  return { name, program: program!, loadMs }
}

function rowsByType(events: readonly SyscallEvent[], sets: readonly Loaded[]): string[][] {
  const byType = Map.groupBy(events, ({ type }) => type)
  return [...byType]
    .filter(([, { length }]) => length >= 100)
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([type, some]) => row(eventTypes[type]!.name, some, sets))
}

function row(name: string, events: readonly SyscallEvent[], sets: readonly Loaded[]): string[] {
  const times = sets.map(({ program }) => {
    const rounds = measure(program, events)
    return `${spread(rounds, 0)}, ${(1e3 / median(rounds)).toFixed(1)} M/s`
  })
  return [name, String(events.length), ...times]
}

/** Nanoseconds of CPU that one event takes, round by round. */
function measure(program: Program<SyscallEvent>, events: readonly SyscallEvent[]): number[] {
  const rounds: number[] = []
  let matched = 0
  for (let round = -1; round < ROUNDS; round++) {
    const start = process.cpuUsage()
    let count = 0
    let spent = 0
    do {
      for (const event of events) matched += program.evaluate(event).length
      count += events.length
      const { user, system } = process.cpuUsage(start)
      spent = (user + system) * 1000
    } while (spent < ROUND_NS)
    if (round >= 0) rounds.push(spent / count)
  }
  if (matched < 0) throw new Error('unreachable: the sum is used')
  return rounds
}
