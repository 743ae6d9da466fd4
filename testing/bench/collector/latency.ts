import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { actor } from '../../live/watcher.ts'
import { quantile, spread, type Table } from '../figures.ts'
import { probes, type RuleSet } from '../rule-sets.ts'
import { sleep } from '../watch.ts'
import type { Effort } from './effort.ts'
import { type ArrivedBatch, BenchNode, ruleSets } from './node.ts'

const seconds = 20
const goals = { batchMs: 1200, startMs: 2000 }

/** Starts a program each 1/rate s: an event that is never folded. */
const execs = (rate: number): ChildProcess =>
  spawn('sh', ['-c', `while :; do /bin/true; sleep ${1 / rate}; done`], { stdio: 'ignore' })

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

const milliseconds = (nanoseconds: bigint) => Number(nanoseconds / 1000n) / 1000

/** From the kernel's time of an event to its batch, and from the start to the first event. */
export async function latency(effort: Effort): Promise<Table[]> {
  return [await toBatch(effort), await toFirstEvent(effort)]
}

async function toBatch({ count }: Effort): Promise<Table> {
  const rows: string[][] = []
  for (const background of [0, 1000, 20_000]) {
    const batches = await probed(background, count(seconds))
    const delays = (finish: (batch: ArrivedBatch) => number, isFolded: boolean) =>
      batches.flatMap((batch) =>
        batch.events
          .filter((event) => event.count > 1 === isFolded)
          .map((event) => finish(batch) - milliseconds(event.time)),
      )
    const sealed = (batch: ArrivedBatch) => milliseconds(batch.header.sealedAt)
    const parts: readonly (readonly [string, readonly number[]])[] = [
      ['sealed', delays(sealed, false)],
      ['in the stream', delays((batch) => batch.arrivedAt, false)],
      ['sealed, of repeats the first', delays(sealed, true)],
    ]
    for (const [name, values] of parts) {
      if (values.length === 0) continue
      const figures = [0.5, 0.99, 1].map((share) => quantile(values, share).toFixed(0))
      rows.push([background.toLocaleString('en'), name, ...figures, String(values.length)])
    }
  }
  return {
    title: 'Event to batch, milliseconds',
    note: `About 50 execs a second for ${count(seconds)} s, each matches; background: opens that match and fold. The window of a batch is 1 s, that of repeats 5 s. The emulator’s processing is part of "in the stream". Goal: p99 sealed ≤ ${goals.batchMs}.`,
    columns: ['background opens a second', 'until', 'median', 'p99', 'most', 'events'],
    rows,
  }
}

async function probed(background: number, duration: number): Promise<ArrivedBatch[]> {
  const node = await BenchNode.start(probes, { settings: 'limit: {events: 1000000}' })
  try {
    await node.settle()
    const load =
      background === 0
        ? undefined
        : spawn(actor, ['paced', String(2 ** 40), String(background), '/etc/shadow'], {
            stdio: 'ignore',
          })
    const probe = execs(50)
    await sleep(duration * 1000)
    await end(probe)
    if (load !== undefined) await end(load)
    await sleep(2000)
    // before the end of the agent, which seals early
    return await node.batches()
  } finally {
    await node.stop()
  }
}

async function toFirstEvent({ rounds }: Effort): Promise<Table> {
  const rows: string[][] = []
  for (const { name, paths } of ruleSets()) {
    const rules: RuleSet = { name, paths: [...new Set([...paths, ...probes.paths.slice(1)])] }
    const happened: number[] = []
    const sealed: number[] = []
    const arrived: number[] = []
    for (let round = 0; round < rounds; round++) {
      const { event, batch, start } = await firstEvent(rules)
      happened.push(event - start)
      sealed.push(milliseconds(batch.header.sealedAt) - start)
      arrived.push(batch.arrivedAt - start)
    }
    rows.push([name, spread(happened, 0), spread(sealed, 0), spread(arrived, 0)])
  }
  return {
    title: 'Start to first event, milliseconds',
    note: `From the command line to the first event that is reported, its batch, and that in the stream; matching execs all the time, the batch waits up to 1 s; ${rounds} rounds. Goal: ≤ ${goals.startMs} until sealed.`,
    columns: ['rules and probes', 'first event', 'its batch sealed', 'in the stream'],
    rows,
  }
}

async function firstEvent(rules: RuleSet) {
  const probe = execs(100)
  let start = 0
  let node: BenchNode | undefined
  try {
    node = await BenchNode.spawn(rules, {}, () => {
      start = Date.now()
    })
    for (const limit = Date.now() + 30_000; Date.now() < limit; ) {
      await sleep(250)
      const batch = (await node.batches()).find(({ events }) => events.length > 0)
      if (batch === undefined) continue
      const event = Math.min(...batch.events.map(({ time }) => milliseconds(time)))
      return { event, batch, start }
    }
    throw new Error('no event came within 30 s')
  } finally {
    await end(probe)
    await node?.stop()
  }
}
