import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { actor } from '../live/watcher.ts'

/** A loop of the load generator. */
export interface Loop {
  readonly name: string
  readonly args: readonly string[]
  readonly count: number
}

export interface LoopResult {
  /** Nanoseconds for one pass of the loop, by the clock. */
  readonly each: number
  /** Of a pass, nanoseconds of CPU of the process itself. */
  readonly cpuEach: number
  /** Nanoseconds for all passes. */
  readonly wall: number
}

const run = promisify(execFile)

export async function runLoop({ args, count }: Loop): Promise<LoopResult> {
  const [what, ...rest] = args
  const { stdout } = await run(actor, ['loop', what!, String(count), ...rest])
  const { wall_ns, cpu_ns } = JSON.parse(stdout) as { wall_ns: number; cpu_ns: number }
  return { each: wall_ns / count, cpuEach: cpu_ns / count, wall: wall_ns }
}

const openHostname: Loop = {
  name: 'open+close /etc/hostname',
  args: ['open', '/etc/hostname'],
  count: 400_000,
}
export const loops: readonly Loop[] = [
  openHostname,
  { name: 'open+close /dev/null', args: ['open', '/dev/null'], count: 400_000 },
  { name: 'socket+connect+close, UDP', args: ['connect'], count: 100_000 },
  { name: 'spawn /bin/true', args: ['spawn'], count: 1500 },
  { name: 'getppid, which nobody wants', args: ['getppid'], count: 4_000_000 },
]

/** An open flood of `count` opens. */
export function flood(count: number): Loop {
  return { ...openHostname, count }
}
