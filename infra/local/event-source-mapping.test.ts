import { setTimeout as sleep } from 'node:timers/promises'
import {
  KinesisClient,
  ListShardsCommand,
  PutRecordsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { testCredentials } from '#testing/aws/faults.ts'
import { noFaults } from '#testing/kinesis/faults.ts'
import { startKinesis, type TestKinesis } from '#testing/kinesis/start-kinesis.ts'
import { type Clock, systemClock } from './clock.ts'
import { EventSourceMapping, type EventSourceMappingOptions } from './event-source-mapping.ts'
import type { FailureObject } from './failure-record.ts'
import type { KinesisHandler } from './invoke.ts'
import type { KinesisEvent, KinesisEventRecord } from './kinesis-event.ts'

let kinesis: TestKinesis
let client: KinesisClient
let stream = ''
let streams = 0
let mappings: EventSourceMapping[] = []

beforeAll(async () => {
  kinesis = await startKinesis()
  client = new KinesisClient({
    region: 'us-east-1',
    endpoint: kinesis.endpoint,
    credentials: testCredentials,
    requestHandler: new NodeHttpHandler(),
  })
})
afterAll(async () => {
  client.destroy()
  await kinesis.stop()
})
beforeEach(() => {
  streams += 1
  stream = `events-${streams}`
})
afterEach(async () => {
  Object.assign(kinesis.faults, noFaults)
  await Promise.all(mappings.map((mapping) => mapping.stop()))
  mappings = []
})

/** Record number n is of key n % keys; it says which it is. */
async function put(from: number, count: number, keys = 50, fill = 0): Promise<void> {
  const perRequest = fill > 0 ? 4 : 500
  for (let first = from; first < from + count; first += perRequest) {
    const Records = Array.from({ length: Math.min(perRequest, from + count - first) }, (_, at) => ({
      PartitionKey: `node-${(first + at) % keys}`,
      Data: Buffer.from(`${first + at} `.padEnd(fill, 'x')),
    }))
    await client.send(new PutRecordsCommand({ StreamName: stream, Records }))
  }
}
const numberOf = ({ kinesis }: KinesisEventRecord) =>
  Number.parseInt(Buffer.from(kinesis.data, 'base64').toString(), 10)

/** What a function has done, and whether it was in order. */
class Effects {
  readonly times = new Map<number, number>()
  readonly #highest = new Map<string, number>()
  violations = 0

  take(record: KinesisEventRecord): void {
    const number = numberOf(record)
    const key = record.kinesis.partitionKey
    const times = this.times.get(number) ?? 0
    // Again is allowed, new and too late is not.
    if (times === 0 && number < (this.#highest.get(key) ?? -1)) this.violations += 1
    this.#highest.set(key, Math.max(number, this.#highest.get(key) ?? -1))
    this.times.set(number, times + 1)
  }
}

async function run(
  handler: KinesisHandler,
  options: Partial<EventSourceMappingOptions> & { timeoutMs?: number } = {},
) {
  const failures: FailureObject[] = []
  const mapping = new EventSourceMapping({
    ...{ client, stream, maximumRetryAttempts: 2, maximumRecordAgeSeconds: -1, pollMs: 5 },
    ...{ reportBatchItemFailures: true, bisectBatchOnFunctionError: true },
    function: { name: 'evaluate', handler, timeoutMs: options.timeoutMs ?? 60_000 },
    backOff: { firstMs: 1, maxMs: 20 },
    onFailure: async (object) => {
      failures.push(object)
    },
    ...options,
  })
  mappings.push(mapping)
  await mapping.start()
  return { mapping, failures }
}
async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 50_000
  while (!condition()) {
    if (Date.now() > end) throw new Error('it did not come to that in time')
    await sleep(5)
  }
}
/** Long sleeps end when the test lets time pass; short ones, between polls, by themselves. */
class HeldClock implements Clock {
  readonly #longFromMs: number
  readonly #sleepers = new Set<() => void>()
  #now = 0

  constructor(longFromMs: number) {
    this.#longFromMs = longFromMs
  }

  readonly now = () => this.#now

  get sleeping(): number {
    return this.#sleepers.size
  }

  pass(ms: number): void {
    this.#now += ms
    for (const look of this.#sleepers) look()
  }

  readonly sleep = (ms: number, signal: AbortSignal): Promise<void> => {
    if (ms < this.#longFromMs) return systemClock.sleep(ms, signal)
    const end = this.#now + ms
    return new Promise((resolve) => {
      const look = () => {
        if (this.#now < end && !signal.aborted) return
        this.#sleepers.delete(look)
        resolve()
      }
      this.#sleepers.add(look)
      signal.addEventListener('abort', look)
      look()
    })
  }
}

const settled = ({ counts }: EventSourceMapping) => counts.taken + counts.discarded

describe('a mapping', () => {
  it('brings 20,000 records in order through a split, a bad record and crashes', async () => {
    const total = 20_000
    await kinesis.createStream(stream, 2)
    await put(0, total / 2)
    const effects = new Effects()
    let invocations = 0
    const { mapping, failures } = await run(
      async ({ Records }) => {
        invocations += 1
        // Killed in the middle of a batch, after half of its effects.
        const end = invocations % 17 === 0 ? Records.length >> 1 : Records.length
        for (const record of Records.slice(0, end)) {
          if (numberOf(record) === 7777) {
            return { batchItemFailures: [{ itemIdentifier: record.kinesis.sequenceNumber }] }
          }
          effects.take(record)
        }
        if (end < Records.length) throw new Error('killed')
        return { batchItemFailures: [] }
      },
      { batchSize: 250, parallelizationFactor: 4, maximumRetryAttempts: 5 },
    )
    const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: stream }))
    const { ShardId, HashKeyRange } = Shards[0]!
    await client.send(
      new SplitShardCommand({
        StreamName: stream,
        ShardToSplit: ShardId,
        NewStartingHashKey: `${BigInt(HashKeyRange!.EndingHashKey!) / 2n}`,
      }),
    )
    await put(total / 2, total / 2)
    await until(() => settled(mapping) === total)
    expect(effects.violations).toBe(0)
    expect(effects.times.size).toBe(total - 1)
    expect(failures.map(({ body }) => body.KinesisBatchInfo.batchSize)).toEqual([1])
    const poison = JSON.parse(failures[0]!.body.payload) as KinesisEvent
    expect(poison.Records.map(numberOf)).toEqual([7777])
    expect(mapping.counts).toMatchObject({ taken: total - 1, discarded: 1, lost: 0 })
    expect(mapping.counts.failedInvocations).toBeGreaterThan(5)
    expect(mapping.checkpoints.size).toBe(4)
  })

  it('may deliver every record twice, still in order', async () => {
    await kinesis.createStream(stream)
    await put(0, 2000)
    const effects = new Effects()
    let isSecond = true
    const redeliver = () => {
      isSecond = !isSecond
      return !isSecond
    }
    const { mapping } = await run(
      async ({ Records }) => {
        for (const record of Records) effects.take(record)
      },
      { batchSize: 90, redeliver },
    )
    await until(() => settled(mapping) === 2000)
    expect([...effects.times.values()].every((times) => times === 2)).toBe(true)
    expect(effects).toMatchObject({ violations: 0, times: { size: 2000 } })
  })

  it('loses nothing when the stream throttles, fails and drops connections', async () => {
    await kinesis.createStream(stream, 2)
    await put(0, 2000)
    const effects = new Effects()
    const said: string[] = []
    let seed = 11
    const draw = () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      return seed / 2 ** 32
    }
    const throttled = { status: 400, code: 'ProvisionedThroughputExceededException' }
    kinesis.faults.drop = ({ operation }) => {
      if (operation === 'ListShards') return undefined
      kinesis.faults.error = draw() < 0.2 ? throttled : undefined
      return draw() < 0.3 ? (draw() < 0.5 ? 'after' : 'before') : undefined
    }
    const fragile = new KinesisClient({
      region: 'us-east-1',
      endpoint: kinesis.endpoint,
      credentials: testCredentials,
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler(),
    })
    const { mapping } = await run(
      async ({ Records }) => {
        for (const record of Records) effects.take(record)
      },
      {
        batchSize: 40,
        maxReadAhead: 60,
        announce: (message) => said.push(message),
        client: fragile,
      },
    )
    await until(() => settled(mapping) === 2000)
    expect(effects).toMatchObject({ violations: 0, times: { size: 2000 } })
    expect([...effects.times.values()].every((times) => times === 1)).toBe(true)
    expect(said.length).toBeGreaterThan(0)
    await mapping.stop()
    fragile.destroy()
  })

  it('keeps each event within 6 MB and the batch size', async () => {
    await kinesis.createStream(stream)
    await put(0, 16, 4, 900_000)
    await put(16, 100, 4)
    const sizes: { bytes: number; records: number }[] = []
    const { mapping } = await run(
      async (event) => {
        sizes.push({ bytes: JSON.stringify(event).length, records: event.Records.length })
      },
      { batchSize: 30, maximumBatchingWindowSeconds: 1 },
    )
    await until(() => settled(mapping) === 116)
    expect(Math.max(...sizes.map(({ bytes }) => bytes))).toBeLessThanOrEqual(6 * 1024 * 1024)
    expect(Math.max(...sizes.map(({ bytes }) => bytes))).toBeGreaterThan(4_000_000)
    expect(Math.max(...sizes.map(({ records }) => records))).toBe(30)
  })

  it('waits for a batch to fill, no longer than its window', async () => {
    await kinesis.createStream(stream)
    const batches: number[] = []
    const clock = new HeldClock(1000)
    const { mapping } = await run(
      async ({ Records }) => {
        batches.push(Records.length)
      },
      { batchSize: 20, maximumBatchingWindowSeconds: 2, clock },
    )
    for (let at = 0; at < 25; at += 5) await put(at, 5)
    await until(() => batches.length === 1 && clock.sleeping === 1)
    clock.pass(1999)
    await sleep(20)
    expect(batches).toEqual([20])
    clock.pass(1)
    await until(() => settled(mapping) === 25)
    expect(batches).toEqual([20, 5])
  })

  it('goes on with other keys of a shard while one lane is stuck', async () => {
    await kinesis.createStream(stream)
    await put(0, 400, 8)
    const effects = new Effects()
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const { mapping } = await run(
      async ({ Records }) => {
        if (Records.some(({ kinesis }) => kinesis.partitionKey === 'node-0')) await held
        for (const record of Records) effects.take(record)
      },
      { batchSize: 10, parallelizationFactor: 10 },
    )
    await until(() => effects.times.size >= 200)
    expect([...effects.times.keys()].some((number) => number % 8 === 0)).toBe(false)
    // What is behind the stuck record is not behind the checkpoint.
    expect(mapping.checkpoints.size).toBe(0)
    release()
    await until(() => settled(mapping) === 400)
    expect(effects.violations).toBe(0)
  })

  it('fails a function that is out of time, and delivers its batch again', async () => {
    await kinesis.createStream(stream)
    await put(0, 10)
    let invocations = 0
    const said: string[] = []
    const remaining: number[] = []
    const { mapping } = await run(
      async (_, context) => {
        remaining.push(context.getRemainingTimeInMillis())
        invocations += 1
        if (invocations === 1) await new Promise(() => {})
      },
      {
        timeoutMs: 40,
        bisectBatchOnFunctionError: false,
        announce: (message) => said.push(message),
      },
    )
    await until(() => settled(mapping) === 10)
    expect(invocations).toBe(2)
    expect(said).toEqual(['evaluate, 10 records again: Task timed out after 0.04 seconds'])
    expect(Math.max(...remaining)).toBeLessThanOrEqual(40)
  })

  it('stops after the invocation that runs, and goes on later from its checkpoint', async () => {
    await kinesis.createStream(stream, 2)
    await put(0, 3000)
    const effects = new Effects()
    let running = 0
    const handler: KinesisHandler = async ({ Records }) => {
      running += 1
      await sleep(2)
      for (const record of Records) effects.take(record)
      running -= 1
    }
    const first = await run(handler, { batchSize: 50, parallelizationFactor: 3 })
    await until(() => first.mapping.counts.taken >= 500)
    await first.mapping.stop()
    expect(running).toBe(0)
    const before = effects.times.size
    expect(before).toBeLessThan(3000)
    const { mapping } = await run(handler, { checkpoints: first.mapping.checkpoints })
    await until(() => effects.times.size === 3000)
    expect(effects.violations).toBe(0)
    // Only what other lanes had taken beyond the checkpoint came twice.
    expect(mapping.counts.taken).toBeLessThan(3000)
  })

  it('begins at the end of the stream if told to', async () => {
    await kinesis.createStream(stream)
    await put(0, 100)
    const effects = new Effects()
    const { mapping } = await run(
      async ({ Records }) => {
        for (const record of Records) effects.take(record)
      },
      { startingPosition: 'LATEST' },
    )
    for (let at = 1000; mapping.counts.taken === 0; at += 1) {
      await put(at, 1)
      await sleep(10)
    }
    expect(Math.min(...effects.times.keys())).toBeGreaterThanOrEqual(1000)
  })

  it('refuses settings that AWS refuses, all of them at once', async () => {
    const wrong = { batchSize: 10_001, parallelizationFactor: 0, maximumRetryAttempts: 1.5 }
    await expect(run(async () => {}, wrong)).rejects.toThrow(
      'batchSize is 10001, not from 1 to 10000; parallelizationFactor is 0, not from 1 to 10; ' +
        'maximumRetryAttempts is 1.5, not from -1 to 10000',
    )
    stream = 'absent'
    await expect(run(async () => {})).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })
})
