import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { lanner } from '../live/watcher.ts'
import type { RuleSet } from './rule-sets.ts'

/** What a watch says of itself when it ends. */
export interface Closing {
  readonly lost: number
  readonly detections: number
}

const START_LIMIT_MS = 30_000

/** A running `lanner watch --json --rule-matching all`. */
export class Watch {
  readonly child: ChildProcess
  readonly sensorPid: number
  readonly agentPid: number
  #errors: string

  private constructor(child: ChildProcess, agentPid: number, errors: string) {
    this.child = child
    this.sensorPid = child.pid!
    this.agentPid = agentPid
    this.#errors = errors
    child.stderr!.on('data', (text: Buffer) => {
      this.#errors += text
    })
  }

  /**
   * Starts it and waits until system calls are reported.
   * @param onOutput called with what it writes, as it comes
   * @param before words of a command that runs the rest as its arguments
   */
  static async start(
    { paths }: RuleSet,
    onOutput: (bytes: Buffer) => void = () => {},
    before: readonly string[] = [],
  ): Promise<Watch> {
    const rules = paths.flatMap((path) => ['--rules', path])
    const words = [...before, lanner, 'watch', '--json', '--rule-matching', 'all', ...rules]
    const child = spawn(words[0]!, words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.on('data', onOutput)
    let errors = ''
    const collect = (text: Buffer) => {
      errors += text
    }
    child.stderr.on('data', collect)
    const limit = performance.now() + START_LIMIT_MS
    while (!errors.includes('watching')) {
      if (child.exitCode !== null || performance.now() > limit) {
        throw new Error(`watch did not start:\n${errors}`)
      }
      await sleep(10)
    }
    child.stderr.off('data', collect)
    const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
    return new Watch(child, Number.parseInt(children, 10), errors)
  }

  /** Nanoseconds of CPU that the agent, and sensor and agent, have used so far. */
  get agentCpu(): number {
    return cpuOf(this.agentPid)
  }

  get cpu(): number {
    return cpuOf(this.sensorPid) + cpuOf(this.agentPid)
  }

  /** Waits until the agent has worked off what lies in the ring. */
  async settle(): Promise<void> {
    for (let before = -1, now = this.agentCpu; now - before > 2_000_000; now = this.agentCpu) {
      before = now
      await sleep(50)
    }
  }

  async stop(): Promise<Closing> {
    this.child.kill('SIGINT')
    if (this.child.exitCode === null) await once(this.child, 'close')
    const number = (what: string) =>
      Number(new RegExp(`(\\d+) ${what}`).exec(this.#errors)?.[1] ?? Number.NaN)
    return { lost: number('lost'), detections: number('detections') }
  }
}

/** CPU time of all threads of a process, nanoseconds. */
export function cpuOf(pid: number): number {
  let sum = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [running] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')
    sum += Number(running)
  }
  return sum
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
