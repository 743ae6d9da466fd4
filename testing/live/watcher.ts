import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const lanner = `${root}cli/lanner`
export const actor = `${root}build/lanner-actor`

export interface SeenAlert {
  readonly rule: string
  readonly priority: string
  readonly output: string
  readonly output_fields: Readonly<Record<string, unknown>>
  readonly time: string
  readonly lanner?: { readonly via?: string; readonly lineage: readonly { name: string }[] }
  /** When the line was read, milliseconds since the epoch. */
  readonly readAt: number
}

const START_LIMIT_MS = 60_000
/** Long enough for any machine: what is waited for comes within a second on an idle one. */
const LIMIT_MS = 40_000

/** A `lanner watch --json` that runs beside a test. */
export class Watcher {
  readonly alerts: SeenAlert[] = []
  readonly child: ChildProcess
  errors = ''
  readonly #waiting = new Set<() => void>()

  private constructor(child: ChildProcess) {
    this.child = child
    createInterface({ input: child.stdout! }).on('line', (line) => {
      this.alerts.push({ ...JSON.parse(line), readAt: Date.now() })
      for (const check of this.#waiting) check()
    })
    child.stderr!.on('data', (text: Buffer) => {
      this.errors += text
      for (const check of this.#waiting) check()
    })
    child.on('exit', () => {
      for (const check of this.#waiting) check()
    })
  }

  /** Starts watching and waits until system calls are reported. */
  static async start(
    args: readonly string[],
    command: readonly string[] = [lanner],
  ): Promise<Watcher> {
    const [file, ...before] = command
    const child = spawn(file!, [...before, 'watch', '--json', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const watcher = new Watcher(child)
    const started = await watcher.until(() => watcher.errors.includes('watching'), START_LIMIT_MS)
    if (!started) throw new Error(`watch did not start:\n${watcher.errors}`)
    return watcher
  }

  /** Waits until `condition` holds; false when it does not in time or the watch has ended. */
  until(condition: () => boolean, limitMs = LIMIT_MS): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (result: boolean) => {
        clearTimeout(timer)
        this.#waiting.delete(check)
        resolve(result)
      }
      const check = () => {
        if (condition()) done(true)
        else if (this.child.exitCode !== null || this.child.signalCode !== null) done(false)
      }
      const timer = setTimeout(() => done(condition()), limitMs)
      this.#waiting.add(check)
      check()
    })
  }

  /** The first alert of a rule from `since` on that satisfies `where`. */
  async alert(
    rule: string,
    since: number,
    where: (alert: SeenAlert) => boolean = () => true,
    limitMs = LIMIT_MS,
  ): Promise<SeenAlert | undefined> {
    const find = () => this.alerts.slice(since).find((alert) => alert.rule === rule && where(alert))
    await this.until(() => find() !== undefined, limitMs)
    return find()
  }

  /** Ends it as Ctrl-C does; resolves to the exit code. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGINT')
      await once(this.child, 'exit')
    }
    return this.child.exitCode
  }
}

const run = promisify(execFile)

/** Plays steps of `lanner-actor`; what they print. */
export async function act(...steps: string[]): Promise<string> {
  return (await run(actor, steps)).stdout
}

/** Runs a program to its end, whatever its exit code. */
export async function attempt(file: string, ...args: string[]): Promise<void> {
  await run(file, args).catch(() => {})
}
