import { appendFileSync, cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { encodeFrame } from '#events'
import { makeBatch } from '#testing/batches.ts'
import { Spool } from './spool.ts'

const limitBytes = 12_000

/** What may happen to a spool. */
const anyStep = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('append' as const), fill: fc.nat(2500) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('append' as const), fill: fc.nat(9000) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('look' as const), batches: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('release' as const), of: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('tear' as const),
      bytes: fc.integer({ min: 1, max: 3000 }),
    }),
  },
)

/** A spool beside what it must hold. */
class Model {
  #directory = mkdtempSync(join(tmpdir(), 'lanner-spool-'))
  #spool!: Spool
  /** Sequences of what was appended and neither released nor given up. */
  #waiting: number[] = []
  #next = 0
  #lent: { readonly index: number; readonly sequence: number }[] = []

  async open(): Promise<void> {
    this.#spool = await Spool.open({
      directory: this.#directory,
      limitBytes,
      onGivenUp: (batches, events) => {
        expect(events).toBe(batches)
        this.#waiting.splice(0, batches)
      },
    })
    this.#lent = []
    const newest = this.#next === 0 ? undefined : { run: 1n, sequence: this.#next - 1 }
    expect(this.#spool.last).toEqual(newest)
  }

  async append(fill: number): Promise<void> {
    await this.#spool.append(makeBatch({ sequence: this.#next, fill }))
    this.#waiting.push(this.#next)
    this.#next += 1
  }

  async look(batches: number): Promise<void> {
    const entries = await this.#spool.next(batches + 1, 6000)
    this.#lent = entries.map(({ index, header }) => ({ index, sequence: header.sequence }))
    expect(this.#lent.map(({ sequence }) => sequence)).toEqual(
      this.#waiting.slice(0, entries.length),
    )
    expect(entries.length > 0).toBe(this.#waiting.length > 0)
  }

  async release(of: number): Promise<void> {
    const lent = this.#lent[of % Math.max(this.#lent.length, 1)]
    if (lent === undefined) return
    const isGivenUp = lent.sequence < (this.#waiting[0] ?? this.#next)
    await this.#spool.release(lent.index)
    if (!isGivenUp) this.#waiting = this.#waiting.filter((sequence) => sequence > lent.sequence)
  }

  async restart(): Promise<void> {
    await this.#spool.close()
    await this.open()
  }

  /** Goes on with the files as they are now, without anything that closing does. */
  async kill(torn = 0): Promise<void> {
    const copy = mkdtempSync(join(tmpdir(), 'lanner-spool-'))
    cpSync(this.#directory, copy, { recursive: true, filter: (path) => !path.endsWith('/lock') })
    await this.end()
    this.#directory = copy
    const cut = this.#tear(torn)
    await this.open()
    expect(this.#spool.figures.tornBytes).toBe(cut)
  }

  /** Leaves the beginning of a batch behind the last, as if it was being written; how much. */
  #tear(bytes: number): number {
    const name = readdirSync(this.#directory)
      .filter((file) => file.endsWith('.frames'))
      .sort()
      .at(-1)
    if (name === undefined) return 0
    const frame = encodeFrame(makeBatch({ sequence: this.#next, fill: 2000 }))
    const part = frame.subarray(0, Math.min(bytes, frame.length - 1))
    appendFileSync(join(this.#directory, name), part)
    return part.length
  }

  check(): void {
    const { bytes, segments, waiting, damaged } = this.#spool.figures
    expect(bytes).toBeLessThanOrEqual(limitBytes)
    expect(segments).toBeLessThanOrEqual(limitBytes / 300)
    expect(waiting).toBe(this.#waiting.length)
    expect(damaged).toBe(0)
  }

  async end(): Promise<void> {
    await this.#spool.close()
    rmSync(this.#directory, { recursive: true })
  }
}

it('a spool holds what was appended, less what was released or given up, whatever happens', {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 5, maxLength: 60 }), async (steps) => {
      const model = new Model()
      await model.open()
      for (const step of steps) {
        if (step.do === 'append') await model.append(step.fill)
        else if (step.do === 'look') await model.look(step.batches)
        else if (step.do === 'release') await model.release(step.of)
        else if (step.do === 'restart') await model.restart()
        else await model.kill(step.do === 'tear' ? step.bytes : 0)
        model.check()
      }
      await model.look(9)
      await model.end()
    }),
    { numRuns: process.env['LANNER_LONG'] === '1' ? 3000 : 150 },
  )
})
