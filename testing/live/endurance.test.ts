import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { readRuleFiles } from '#load'
import { whyNotLive } from './machine.ts'
import { LiveNode, type NodeOptions } from './node.ts'
import { act, actor } from './watcher.ts'

const long = process.env['LANNER_LONG'] === '1'
const reason = whyNotLive() || (long ? '' : 'only in test:long')
const library = join(import.meta.dirname, '../../rules/library')

/** The rules alone: what else lies there is no rules file. */
function libraryRules(): string {
  return readRuleFiles([library])
    .files.map(({ text }) => text)
    .join('\n')
}

/** Memory that the agent has written, bytes. */
function memoryOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Private_Dirty:\s+(\d+) kB$/m.exec(text)?.[1]) * 1024
}

describe.skipIf(reason !== '')(`live: endurance ${reason}`, () => {
  let node: LiveNode | undefined
  const start = async (options: NodeOptions) => {
    node = await LiveNode.start(options)
    return node
  }

  afterEach(async () => {
    await node?.stop()
    node = undefined
  })

  it('stays as small as it was through ten thousand short containers', async () => {
    const node = await start({ rules: libraryRules() })
    const samples: number[] = []
    for (let round = 0; round < 10; round++) {
      await act('containers', '1000')
      await new Promise((resolve) => setTimeout(resolve, 3000))
      samples.push(memoryOf(node.agentPid))
    }
    const early = Math.max(...samples.slice(1, 4))
    expect(Math.max(...samples.slice(-3))).toBeLessThan(early * 1.15)
    expect(Math.max(...samples)).toBeLessThan(64 << 20)
    await node.end()
    expect((await node.batches()).at(-1)!.header.counters.lost).toEqual({})
  }, 300_000)

  it('accounts for every open while it is killed again and again', async () => {
    const rule = `- rule: r\n  desc: d\n  condition: evt.type in (open, openat) and fd.name = /etc/shadow\n  output: o\n  priority: NOTICE\n`
    const node = await start({ rules: rule, settings: 'limit: {events: 1000000}\n' })
    const times = 40_000
    const load = spawn(actor, ['paced', String(times), '1000', '/etc/shadow'])
    for (let kill = 0; kill < 5; kill++) {
      await new Promise((resolve) => setTimeout(resolve, 5000))
      const said = node.errors.split('watching').length
      process.kill(node.agentPid, 'SIGKILL')
      expect(await node.until(() => node.errors.split('watching').length > said)).toBe(true)
    }
    if (load.exitCode === null) await once(load, 'exit')
    await node.end()
    const batches = await node.batches()
    const events = new Map(batches.flatMap((batch) => batch.events).map((each) => [each.seq, each]))
    const represented = [...events.values()].reduce((sum, { count }) => sum + count, 0)
    const { lost } = batches.at(-1)!.header.counters
    const counted = Object.values(lost).reduce((sum, count) => sum + count, 0)
    // what only existed as a count in a killed agent is lost, and said to be
    expect(represented + counted).toBeGreaterThanOrEqual(times)
    expect(batches.map(({ header }) => header.sequence)).toEqual(batches.map((_, i) => i))
  }, 300_000)
})
