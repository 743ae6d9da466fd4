import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { encodeArtefact } from '#artefact'
import { runLanner } from '#testing/run-lanner.ts'
import type { BusEvent } from '../infra/local/event-bus.ts'
import { startLocal } from '../infra/local/start-local.ts'
import { topology } from '../infra/topology/index.ts'
import { artefactOf } from './artefact.ts'
import { libraryPath } from './library-path.ts'
import { replayTrace } from './local/replay-trace.ts'
import { RuleBucket } from './rule-bucket.ts'
import { loadRuleFiles, parseRuleOptions } from './rule-options.ts'
import { recordedAttack } from './watch.ts'

vi.setConfig({ testTimeout: 120_000 })

const directory = mkdtempSync(join(tmpdir(), 'lanner-lake-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const linesOf = (text: string) =>
  text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))

describe('local', () => {
  it('finds in a recorded attack what replay finds, by the same ids', async () => {
    const stages = ['--stage', 'evaluate', '--stage', 'lake']
    const { code, out } = await runLanner('local', '--trace', recordedAttack, '--json', ...stages)
    expect(code).toBe(0)
    const events = linesOf(out) as BusEvent[]
    const found = events
      .filter((event) => event['detail-type'] === 'Detection')
      .map(({ detail }) => (detail as never)['detection'] as never)
      .filter((detection) => detection['lanner']['kind'] === 'rule')
      .map((detection) => `${detection['rule']} ${detection['lanner']['id']}`)
    const replay = ['--rules', libraryPath, '--rule-matching', 'all', '--json']
    const { out: replayed } = await runLanner('replay', recordedAttack, ...replay)
    const expected = linesOf(replayed).map(({ rule, lanner: { id } }) => `${rule} ${id}`)
    expect(found.length).toBeGreaterThan(10)
    expect(found.sort()).toEqual(expected.sort())
  })

  it('leaves a lake that gives the same verdicts again', async () => {
    const stack = await startLocal(topology, {
      ...{ stages: ['evaluate', 'lake'], schedules: false, deliverySeconds: 0 },
    })
    try {
      const { rules } = parseRuleOptions(['--rules', libraryPath], {})
      const bucket = new RuleBucket(stack.clients.s3, stack.names.name('rules'))
      const set = encodeArtefact(artefactOf(loadRuleFiles(rules) as never, []))
      await bucket.assign({ default: await bucket.putSet(set), clusters: {}, labels: {} })
      await replayTrace(stack.clients.kinesis, stack.names.name('stream'), recordedAttack)
      await stack.settle(60_000)
      const { s3 } = stack.clients
      const where = { Bucket: stack.names.name('lake'), Prefix: 'batches/' }
      for (const { Key = '' } of (await s3.send(new ListObjectsV2Command(where))).Contents ?? []) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: where.Bucket, Key }))
        mkdirSync(dirname(join(directory, Key)), { recursive: true })
        writeFileSync(join(directory, Key), await Body!.transformToByteArray())
      }
      const replay = ['--rules', libraryPath, '--rule-matching', 'all', '--json']
      const fromLake = await runLanner('replay', directory, ...replay)
      const fromTrace = await runLanner('replay', recordedAttack, ...replay)
      expect(linesOf(fromLake.out)).toEqual(linesOf(fromTrace.out))
      expect(linesOf(fromLake.out).length).toBeGreaterThan(10)
    } finally {
      await stack.stop()
    }
  })

  it('refuses what it does not know', async () => {
    expect(await runLanner('local', '--stage', 'evalaute')).toMatchObject({
      code: 2,
      err: expect.stringContaining('there is no function "evalaute"'),
    })
    expect((await runLanner('local', '--duration', 'x')).code).toBe(2)
  })
})
