import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { noFaults } from './faults.ts'
import { ShardLimits } from './shard-limits.ts'
import { startKinesis, type TestKinesis, testCredentials } from './start-kinesis.ts'

let kinesis: TestKinesis
let client: KinesisClient

beforeAll(async () => {
  kinesis = await startKinesis()
  client = new KinesisClient({
    region: 'us-east-1',
    endpoint: kinesis.endpoint,
    credentials: testCredentials,
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler(),
  })
})
afterAll(async () => {
  client.destroy()
  await kinesis.stop()
})
afterEach(() => {
  Object.assign(kinesis.faults, noFaults)
})

const put = (stream: string, keys: readonly string[], size = 1) =>
  client.send(
    new PutRecordsCommand({
      StreamName: stream,
      Records: keys.map((key, at) => ({
        PartitionKey: key,
        Data: new Uint8Array(size).fill(at),
      })),
    }),
  )

describe('the Kinesis of the tests', () => {
  it('keeps the records of a key in order, in the shard of the key', async () => {
    await kinesis.createStream('order', 4)
    const keys = Array.from({ length: 60 }, (_, at) => `node-${at % 6}`)
    await put('order', keys)
    const records = await kinesis.readAll('order')
    expect(records).toHaveLength(60)
    for (const key of new Set(keys)) {
      const own = records.filter(({ partitionKey }) => partitionKey === key)
      expect(new Set(own.map(({ shardId }) => shardId)).size).toBe(1)
      expect(own.map(({ data }) => data[0])).toEqual(
        own.map(({ data }) => data[0]).sort((a, b) => a! - b!),
      )
    }
    expect(new Set(records.map(({ shardId }) => shardId)).size).toBeGreaterThan(1)
  })

  it('answers for throttled records as AWS does, and does not store them', async () => {
    await kinesis.createStream('throttled')
    kinesis.faults.throttle = (key) => key === 'b'
    const answer = await put('throttled', ['a', 'b', 'c', 'b'])
    expect(answer.FailedRecordCount).toBe(2)
    expect(answer.Records!.map(({ ErrorCode }) => ErrorCode)).toEqual([
      undefined,
      'ProvisionedThroughputExceededException',
      undefined,
      'ProvisionedThroughputExceededException',
    ])
    const stored = await kinesis.readAll('throttled')
    expect(stored.map(({ partitionKey }) => partitionKey)).toEqual(['a', 'c'])
    expect(stored.map(({ sequenceNumber }) => sequenceNumber)).toEqual(
      answer.Records!.filter(({ SequenceNumber }) => SequenceNumber).map((r) => r.SequenceNumber),
    )
  })

  it('holds each shard to 1,000 records and 1 MiB a second, by a given clock', async () => {
    await kinesis.createStream('limited', 2)
    let now = 0
    kinesis.faults.shardLimits = () => now
    const keys = Array.from({ length: 500 }, () => 'one')
    const failed = async (...args: Parameters<typeof put>) => (await put(...args)).FailedRecordCount
    expect(await failed('limited', keys)).toBe(0)
    expect(await failed('limited', keys)).toBe(0)
    expect(await failed('limited', ['one'])).toBe(1)
    now = 1000
    expect(await failed('limited', ['one'])).toBe(0)
    expect(await failed('limited', ['one', 'one', 'one'], 400_000)).toBe(1)
  })

  it('knows the shard of a key as the service does', async () => {
    await kinesis.createStream('hashed', 8)
    const quarter = 1n << 126n
    const limits = new ShardLimits(
      [0n, 1n, 2n, 3n].map((n) => ({
        shardId: `${n}`,
        start: n * quarter,
        end: (n + 1n) * quarter - 1n,
      })),
    )
    await put('hashed', ['a', 'b', 'c', 'd', 'e', 'f'])
    for (const { partitionKey, shardId } of await kinesis.readAll('hashed')) {
      expect(limits.shardOf(partitionKey)).toBe(`${Math.floor(Number(shardId.slice(-2)) / 2)}`)
    }
  })

  it('counts what it does, and comes back at the same address', async () => {
    await kinesis.createStream('counted')
    const before = { ...kinesis.counts }
    await put('counted', ['a', 'b'])
    kinesis.faults.drop = 'before'
    await expect(put('counted', ['a'])).rejects.toThrow()
    kinesis.faults.drop = undefined
    kinesis.faults.error = { status: 500, code: 'InternalFailure' }
    await expect(put('counted', ['a'])).rejects.toThrow()
    kinesis.faults.error = undefined
    await kinesis.refuse()
    await expect(put('counted', ['a'])).rejects.toThrow(/ECONNREFUSED|ECONNRESET|hang up/)
    await kinesis.accept()
    await put('counted', ['a'])
    expect(kinesis.counts).toEqual({
      requests: before.requests + 4,
      failed: before.failed + 1,
      dropped: before.dropped + 1,
      passed: before.passed + 3,
      throttled: before.throttled,
    })
  })
})
