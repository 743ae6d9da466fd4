import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { actor } from '../live/watcher.ts'
import { quantile, type Table } from './figures.ts'
import { probes } from './rule-sets.ts'
import { sleep, Watch } from './watch.ts'

const SECONDS = 20

/** Wall-clock milliseconds of `process.hrtime() === 0`, better than `Date.now()` can tell. */
function wallClockOffset(): number {
  let best = Number.NEGATIVE_INFINITY
  for (let i = 0; i < 5; i++) {
    const start = Date.now()
    let now = start
    while (now === start) now = Date.now()
    best = Math.max(best, now - Number(process.hrtime.bigint()) / 1e6)
  }
  return best
}

/** Notes when each line could be read, and little else, so as not to be in the way. */
class Stopwatch {
  readonly #chunks: { readonly bytes: Buffer; readonly at: bigint }[] = []

  readonly onOutput = (bytes: Buffer): void => {
    this.#chunks.push({ bytes, at: process.hrtime.bigint() })
  }

  /** Milliseconds from event to line, of the alerts of one rule. */
  delays(rule: string, offset: number): number[] {
    const found: number[] = []
    let rest = ''
    for (const { bytes, at } of this.#chunks) {
      const lines = (rest + bytes.toString('latin1')).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const alert = JSON.parse(line) as { rule: string; time: string }
        if (alert.rule !== rule) continue
        found.push(Number(at) / 1e6 + offset - milliseconds(alert.time))
      }
    }
    return found
  }
}

/** Of `2026-01-02T03:04:05.123456789Z`, with its fraction. */
function milliseconds(time: string): number {
  const [seconds, fraction] = time.split(/[.Z]/)
  return Date.parse(`${seconds}Z`) + Number(`0.${fraction}`) * 1000
}

const paced = (seconds: number, rate: number, path: string) =>
  spawn(actor, ['paced', String(seconds * rate), String(rate), path], { stdio: 'ignore' })

const execs = (seconds: number) =>
  spawn('sh', ['-c', `for i in $(seq ${seconds * 10}); do /bin/true; sleep 0.1; done`], {
    stdio: 'ignore',
  })

interface Scene {
  readonly probe: string
  readonly rule: string
  readonly background: number
  play(seconds: number): ChildProcess
}

const opening = { probe: 'open, 10/s', rule: 'Open probe' }
const scenes: readonly Scene[] = [
  ...[0, 10, 1000, 20_000].map((background) => ({
    ...opening,
    background,
    play: (seconds: number) => paced(seconds, 10, '/etc/shadow'),
  })),
  ...[0, 20_000].map((background) => ({
    ...{ probe: 'exec, 10/s', rule: 'Exec probe', background },
    play: execs,
  })),
  {
    ...{ probe: 'open, 1,000/s, each matches', rule: 'Open probe', background: 0 },
    play: (seconds) => paced(seconds, 1000, '/etc/shadow'),
  },
]

/** From the kernel's time of an event to its alert as a line that the parent process can read. */
export async function latency(): Promise<Table[]> {
  const rows: string[][] = []
  for (const scene of scenes) rows.push(await measure(scene))
  return [
    {
      title: 'Event to alert, milliseconds',
      note: `Background: opens that are shipped and match nothing. ${SECONDS} s each.`,
      columns: ['probe', 'background a second', 'median', 'p99', 'max', 'alerts', 'lost'],
      rows,
    },
  ]
}

async function measure({ probe, rule, background, play }: Scene): Promise<string[]> {
  const stopwatch = new Stopwatch()
  const watch = await Watch.start(probes, stopwatch.onOutput)
  await sleep(1000)
  const load = background === 0 ? undefined : paced(SECONDS + 2, background, '/etc/hostname')
  await sleep(500)
  const offset = wallClockOffset()
  await once(play(SECONDS), 'exit')
  load?.kill()
  await sleep(200)
  const { lost } = await watch.stop()
  const delays = stopwatch.delays(rule, offset)
  const figures = [0.5, 0.99, 1].map((share) => quantile(delays, share).toFixed(2))
  return [probe, background.toLocaleString('en'), ...figures, String(delays.length), String(lost)]
}
