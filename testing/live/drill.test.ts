import { execFile } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { Drilled } from '../../cli/drill.ts'
import { simulations } from '../../cli/simulations/catalogue.ts'
import { whyNotLive } from './machine.ts'
import { lanner } from './watcher.ts'

const reason = whyNotLive()

/** Runs `lanner drill` as people do. */
function drill(...args: string[]): Promise<{ code: number; done: Drilled[]; err: string }> {
  return new Promise((resolve) => {
    execFile(lanner, ['drill', '--json', ...args], (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      const done = out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
      resolve({ code, done, err })
    })
  })
}

describe.skipIf(reason !== '')(`live: lanner drill ${reason}`, () => {
  it('says of every simulation that it reached the bus, when, and in which incident', async () => {
    const { code, done, err } = await drill('--within', '60')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(done.map(({ name, rule }) => ({ name, rule }))).toEqual(
      simulations.map(({ name, rule }) => ({ name, rule })),
    )
    for (const { ms, incident } of done) {
      expect(ms).toBeGreaterThan(0)
      expect(incident).toMatch(/^[0-9a-f]{20}-[0-9a-f]{12}$/)
    }
  })

  it('fails for what no rule looks for and for what comes too late', async () => {
    const file = 'rules/library/crypto-miner.yaml'
    const other = await drill('crypto-miner', 'log-clearing', '--within', '60', '--rules', file)
    expect(other.code).toBe(1)
    expect(other.done.map(({ problem }) => problem)).toEqual([
      undefined,
      'these rules have no such rule',
    ])
    const late = await drill('crypto-miner', '--within', '0.01', '--rules', file)
    expect(late).toMatchObject({ code: 1, done: [{ problem: 'not noticed in time' }] })
  })
})
