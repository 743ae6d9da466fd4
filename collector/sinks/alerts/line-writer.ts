import type { AlertOutput, AlertOutputFigures } from '../alert-output.ts'
import type { Tally } from './tally.ts'

/** What became of the lines that a {@link PutLines} was given. */
export type PutResult =
  /** The first of them are written, at least one; the others come again. */
  | { readonly written: number }
  /** None is written, and these are not tried again; `isFinal` when no other can ever be. */
  | { readonly problem: string; readonly isFinal?: boolean }

/** Writes whole lines, each with its newline. Called again only when it is done. */
export type PutLines = (lines: readonly Buffer[]) => Promise<PutResult>

export interface LineWriterOptions {
  readonly put: PutLines
  readonly tally: Tally
  /** Bytes that may wait, those being written among them. */
  readonly limitBytes?: number
  /** How long {@link LineWriter.close} waits. */
  readonly closeMs?: number
  /** Called at the end, when nothing is being written; not after a `closeMs` that was too short. */
  readonly onClosed?: () => Promise<void>
}

/**
 * Gathers lines, and hands all that came during a turn of the event loop, or while the write before
 * went on, to one write. What does not fit into the limit is dropped.
 */
export class LineWriter implements AlertOutput {
  readonly #options: Required<LineWriterOptions>
  #waiting: Buffer[] = []
  /** Of what waits and of what is being written. */
  #bytes = 0
  #pending = 0
  #running: Promise<void> | undefined
  /** Why nothing more is written. */
  #end: string | undefined
  #isAbandoned = false

  constructor(options: LineWriterOptions) {
    this.#options = { limitBytes: 1 << 20, closeMs: 3000, onClosed: async () => {}, ...options }
  }

  get figures(): AlertOutputFigures {
    return this.#options.tally.figures
  }

  write(alert: string): void {
    const { tally, limitBytes } = this.#options
    if (this.#end !== undefined) {
      tally.drop(1, this.#end)
      return
    }
    const line = Buffer.from(`${alert}\n`)
    if (this.#bytes + line.length > limitBytes) {
      tally.drop(1, `${limitBytes >> 10} KiB of them wait already`)
      return
    }
    this.#pending += 1
    this.#waiting.push(line)
    this.#bytes += line.length
    this.#running ??= this.#run()
  }

  async close(): Promise<void> {
    const { closeMs, onClosed, tally } = this.#options
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), closeMs)
    })
    const isDone = await Promise.race([(this.#running ?? Promise.resolve()).then(() => true), late])
    clearTimeout(timer)
    this.#end ??= 'the agent stops'
    if (isDone) return onClosed()
    this.#isAbandoned = true
    this.#waiting = []
    tally.drop(this.#pending, 'they were not taken in time for the end of the agent')
  }

  async #run(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const lines = this.#waiting
      this.#waiting = []
      await this.#put(lines)
    }
    this.#running = undefined
  }

  async #put(lines: readonly Buffer[]): Promise<void> {
    const { tally, put } = this.#options
    for (let from = 0; from < lines.length; ) {
      const rest = from === 0 ? lines : lines.slice(from)
      const result = await put(rest)
      if (this.#isAbandoned) return
      const done = 'problem' in result ? rest.length : result.written
      this.#bytes -= rest.slice(0, done).reduce((sum, { length }) => sum + length, 0)
      this.#pending -= done
      from += done
      if (!('problem' in result)) {
        tally.wrote(done)
        continue
      }
      tally.drop(done, result.problem)
      if (result.isFinal === true) this.#endWith(result.problem)
    }
  }

  #endWith(reason: string): void {
    this.#end = reason
    this.#options.tally.drop(this.#waiting.length, reason)
    this.#waiting = []
    this.#bytes = 0
    this.#pending = 0
  }
}
