import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { appendAnnouncement, encodeBatch } from '#events'
import { compress, ZSTD } from '../../collector/agent/zstd.ts'
import type { Detection } from '../../lambdas/shared/detection.ts'
import { sendersKey } from '../../lambdas/shared/read-senders.ts'
import { TestIssuer, TestSensor } from '../../lambdas/shared/senders/testing/samples.ts'
import { makeEvent, makeFile, makeProcess } from '../events.ts'
import { Pipeline } from './pipeline.ts'

const issuer = new TestIssuer('prod')
let pipeline: Pipeline

beforeEach(async () => {
  pipeline = await Pipeline.start({ stages: ['evaluate', 'sweep', 'departures', 'lake'] })
  const { clients, names } = pipeline.stack
  await clients.s3.send(
    new PutObjectCommand({
      ...{ Bucket: names.name('rules'), Key: sendersKey },
      Body: JSON.stringify({
        issuers: [{ issuer: issuer.issuer, cluster: 'prod', keys: await issuer.keys() }],
      }),
    }),
  )
})
afterEach(() => pipeline.stop())

/** A token of now. */
const tokenOf = (node: string) => {
  const now = Math.floor(Date.now() / 1000)
  return issuer.token(node, { iat: now - 10, exp: now + 3600 })
}

/** Somebody reads /etc/shadow on the node that the batch names. */
function shadowRead(sensor: TestSensor, sequence: number, lost = 0): Uint8Array {
  const time = BigInt(Date.now()) * 1_000_000n
  const name = '/etc/shadow'
  const event = makeEvent('openat', {
    ...{ time, seq: sequence, process: makeProcess({ comm: 'cat', exePath: '/usr/bin/cat' }) },
    ...{ fd: makeFile(name), result: 3, args: { name, flags: 1 }, paths: { name } },
  })
  const counters = {
    seen: 1,
    filtered: 0,
    folded: 0,
    lost: lost === 0 ? {} : { 'ring-file': lost },
  }
  const info = { ...sensor.info, sequence, counters, sealedAt: time, compression: ZSTD }
  return sensor.sign(encodeBatch(info, [event], compress))
}

const announced = async (sensor: TestSensor, batch: Uint8Array, tokenNode: string) =>
  appendAnnouncement(batch, {
    ...{ publicKey: sensor.publicKey, instance: 'i-1', token: await tokenOf(tokenNode) },
  })

const seen = () =>
  new Set(
    pipeline.said
      .filter((event) => event['detail-type'] === 'Detection')
      .map(({ detail }) => (detail as unknown as { detection: Detection }).detection)
      .map(({ rule, lanner }) => `${rule} | ${lanner.node} | ${lanner.sender}`),
  )
const until = async (condition: () => boolean | Promise<boolean>) => {
  for (let attempt = 0; attempt < 200 && !(await condition()); attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  expect(await condition(), [...seen()].join('; ')).toBe(true)
}

it('a node speaks for itself alone, and what it lost is told, through the whole way', async () => {
  const honest = new TestSensor({ node: 'a' })
  const liar = new TestSensor({ node: 'a', run: 66n })
  await pipeline.put([await announced(honest, shadowRead(honest, 0), 'a')])
  await until(() => [...seen()].some((one) => one.endsWith('| a | verified')))
  const before = new Set(seen())
  await pipeline.put([
    await announced(liar, shadowRead(liar, 0), 'b'),
    shadowRead(liar, 1),
    shadowRead(honest, 1, 12),
  ])
  await until(() => seen().has('Sensor claims to be another node | b | verified'))
  await until(async () => {
    await pipeline.stack.runSchedule('sweep')
    return seen().has('Sensor lost events | a | verified')
  })
  const more = [...seen()].filter((one) => !before.has(one)).sort()
  expect(more).toEqual([
    'Sensor claims to be another node | b | verified',
    'Sensor lost events | a | verified',
  ])
  // Neither the lake nor the bus nor a log has a token.
  const start = (await tokenOf('a')).slice(0, 30)
  const kept = await pipeline.objects('lake')
  expect(kept.some(({ body }) => body.includes(start))).toBe(false)
  expect(JSON.stringify([pipeline.said, pipeline.logged])).not.toContain(start)
}, 60_000)
