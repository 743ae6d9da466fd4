import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { eventTypes, type SyscallEvent } from '#events'
import { actor } from '../../live/watcher.ts'
import { spread, type Table } from '../figures.ts'
import type { RuleSet } from '../rule-sets.ts'
import { sleep } from '../watch.ts'
import type { Effort } from './effort.ts'
import { falcoFloodLoss } from './falco-figures.ts'
import { BenchNode, ruleSets } from './node.ts'

const opens = 2_000_000
const pacedSeconds = 5
/** Each costs a start of the agent. */
const mostRounds = 3
const spawns = 2000
const connects = 20_000
/** What each rule set makes of a flood of them: dropped in the kernel; through the whole agent. */
const unwanted = '/etc/hostname'
const wanted = '/etc/shadow'
const floodRules: RuleSet = {
  name: 'the flood’s own',
  paths: [fileURLToPath(new URL('rules/flood.yaml', import.meta.url))],
}
/** The question here is the ring and what is behind it, not what a bill may be. */
const unlimited = 'limit: {events: 1000000}'

/** What is lost of a flood of opens, where losing starts, and that nothing else is lost before. */
export async function flood({ rounds, count }: Effort): Promise<Table[]> {
  const effort = { rounds: Math.min(rounds, mostRounds), count }
  return [await lossByRate(effort), await othersDuring(effort)]
}

interface Offer {
  readonly name: string
  readonly processes: number
  /** Opens a second; as fast as it goes when `undefined`. */
  readonly rate?: number
}

/** More and more, to see where losing starts. */
const offers: readonly Offer[] = [
  ...[50_000, 100_000, 200_000].map((rate) => ({
    name: `1 process, ${rate.toLocaleString('en')}/s`,
    processes: 1,
    rate,
  })),
  ...[1, 2, 4].map((processes) => ({ name: `${processes} as fast as they can`, processes })),
]

interface Flooded {
  readonly perSecond: number
  /** Of the opens, per cent. */
  readonly lostShare: number
  /** Opens that are neither in the stream nor counted as lost, where all of them match. */
  readonly unaccounted: number
  readonly shipped: number
}

async function lossByRate({ rounds, count }: Effort): Promise<Table> {
  const rows: string[][] = []
  for (const rules of ruleSets()) {
    for (const path of [unwanted, wanted]) {
      for (const offer of offers) {
        if (path === unwanted && offer.rate !== undefined) continue
        const results: Flooded[] = []
        for (let round = 0; round < rounds; round++) {
          const total = offer.rate === undefined ? opens : offer.rate * pacedSeconds
          results.push(await floodOnce(rules, path, offer, count(total)))
        }
        const figure = (key: keyof Flooded, digits = 0) =>
          spread(
            results.map((result) => result[key]),
            digits,
          )
        rows.push([
          ...[rules.name, path, offer.name, figure('perSecond', 2), figure('lostShare', 2)],
          ...[path === wanted ? figure('unaccounted') : '–', figure('shipped')],
        ])
      }
    }
  }
  const { stable, stableTwoProcesses, allThree } = falcoFloodLoss
  return {
    title: 'A flood of opens',
    note: `${count(opens).toLocaleString('en')} opens in all, or for ${count(pacedSeconds)} s at a given rate; ${rounds} rounds. No rule wants ${unwanted}; each open of ${wanted} matches one. Lost: counted at any place, of the opens. Unaccounted: opens that are neither in the stream nor counted as lost (less than none where others lose, too). Falco on another machine lost ${stable} % of such a flood with the stable rules (two processes: ${stableTwoProcesses} %) and ${allThree} % with all three.`,
    columns: [
      ...['rules', 'opens of', 'offered by', 'M opens/s', 'lost %', 'unaccounted'],
      'events shipped for them',
    ],
    rows,
  }
}

async function floodOnce(
  rules: RuleSet,
  path: string,
  { processes, rate }: Offer,
  count: number,
): Promise<Flooded> {
  const node = await BenchNode.start(rules, { settings: unlimited })
  try {
    await node.settle()
    const each = Math.ceil(count / processes)
    const steps =
      rate === undefined
        ? ['loop', 'open', String(each), path]
        : ['paced', String(each), String(rate), path]
    const start = performance.now()
    const flooders = Array.from({ length: processes }, () => play(steps))
    await Promise.all(flooders.map(({ over }) => over))
    const seconds = (performance.now() - start) / 1000
    const total = each * processes
    await node.settle()
    const lost = (await node.metrics()).total('lanner_events_lost_total')
    await node.end()
    const pids = flooders.map(({ child }) => child.pid)
    const mine = (await eventsOf(node)).filter(
      ({ fd, process }) => fd?.name === path && pids.includes(process.pid),
    )
    return {
      perSecond: total / seconds / 1e6,
      lostShare: (lost / total) * 100,
      unaccounted: total - represented(mine) - lost,
      shipped: mine.length,
    }
  } finally {
    await node.stop()
  }
}

/** Programs and connections of one process while others flood the ring with opens. */
async function othersDuring({ rounds, count }: Effort): Promise<Table> {
  const rows: string[][] = []
  for (const processes of [0, 1, 2, 4]) {
    const missing = { execs: [] as number[], connects: [] as number[] }
    const lost: number[] = []
    for (let round = 0; round < rounds; round++) {
      const result = await othersOnce(processes, count(spawns), count(connects))
      missing.execs.push(count(spawns) - result.execs)
      missing.connects.push(count(connects) - result.connects)
      lost.push(result.lostOpens * 100)
    }
    rows.push([
      ...[String(processes), spread(lost, 2)],
      ...[spread(missing.execs, 0), spread(missing.connects, 0)],
    ])
  }
  return {
    title: 'Execs and connects during a flood of opens',
    note: `${count(spawns)} programs started and ${count(connects)} connections made by one process, while others open ${wanted} without a pause; a rule wants each of all three. ${rounds} rounds. Goal: none missing.`,
    columns: ['flooding processes', 'opens lost %', 'execs missing', 'connects missing'],
    rows,
  }
}

async function othersOnce(processes: number, execCount: number, connectCount: number) {
  const node = await BenchNode.start(floodRules, { settings: unlimited })
  const endless = ['loop', 'open', String(2 ** 40), wanted]
  const flooders = Array.from({ length: processes }, () => play(endless))
  try {
    await sleep(500)
    const spawning = play(['loop', 'spawn', String(execCount)])
    await spawning.over
    const connecting = play(['loop', 'connect', String(connectCount)])
    await connecting.over
    await end(flooders)
    await node.settle()
    const metrics = await node.metrics()
    const lostOpens = metrics.by('lanner_events_lost_total', 'place')['ring-file'] ?? 0
    await node.end()
    const events = await eventsOf(node)
    const name = ({ type }: SyscallEvent) => eventTypes[type]!.name
    return {
      lostOpens: lostOpens / metrics.total('lanner_syscalls_wanted_total'),
      execs: represented(
        events.filter(
          (event) => name(event) === 'execve' && event.process.parent?.pid === spawning.child.pid,
        ),
      ),
      connects: represented(
        events.filter(
          (event) => name(event) === 'connect' && event.process.pid === connecting.child.pid,
        ),
      ),
    }
  } finally {
    await end(flooders)
    await node.stop()
  }
}

interface Played {
  readonly child: ChildProcess
  readonly over: Promise<unknown>
}

function play(steps: readonly string[]): Played {
  const child = spawn(actor, steps, { stdio: 'ignore' })
  return { child, over: once(child, 'exit') }
}

async function end(played: readonly Played[]): Promise<void> {
  for (const { child, over } of played) {
    child.kill('SIGKILL')
    await over
  }
}

async function eventsOf(node: BenchNode): Promise<SyscallEvent[]> {
  return (await node.batches()).flatMap(({ events }) => events)
}

function represented(events: readonly SyscallEvent[]): number {
  return events.reduce((sum, { count }) => sum + count, 0)
}
