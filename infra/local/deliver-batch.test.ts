import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Clock } from './clock.ts'
import { type DeliveryOptions, type DeliveryRoute, deliverBatch } from './deliver-batch.ts'
import type { FailureObject } from './failure-record.ts'
import type { KinesisHandler } from './invoke.ts'
import { type KinesisEvent, type KinesisEventRecord, toEventRecord } from './kinesis-event.ts'

const start = Date.UTC(2026, 10, 25, 3, 4, 5)
/** What a function may take; pauses between retries are shorter. */
const timeoutMs = 60_000

/** Pauses cost nothing but time on the clock; a function is never out of time. */
function makeClock(): Clock & { at: number; pauses: number[] } {
  const clock = {
    at: start,
    pauses: [] as number[],
    now: () => clock.at,
    async sleep(ms: number, signal: AbortSignal) {
      if (ms === timeoutMs) {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        return
      }
      clock.pauses.push(ms)
      clock.at += ms
    },
  }
  return clock
}

const batchOf = (count: number): KinesisEventRecord[] =>
  Array.from({ length: count }, (_, at) =>
    toEventRecord('events', 'shardId-000000000000', {
      PartitionKey: `node-${at % 3}`,
      SequenceNumber: `${1000 + at}`,
      Data: Buffer.from(`${at}`),
      ApproximateArrivalTimestamp: new Date(start + at * 1000 - 100_000),
    }),
  )
const places = ({ Records }: KinesisEvent) =>
  Records.map(({ kinesis }) => Number(kinesis.sequenceNumber) - 1000)
const failing = (places_: readonly number[]) => ({
  batchItemFailures: places_.map((at) => ({ itemIdentifier: `${1000 + at}` })),
})

interface Run {
  readonly settled: number
  /** Places in the batch, invocation by invocation. */
  readonly invocations: number[][]
  readonly failures: FailureObject[]
  readonly discarded: number[][]
  readonly counts: DeliveryRoute['counts']
  readonly clock: ReturnType<typeof makeClock>
  readonly said: string[]
}

async function deliver(
  count: number,
  handler: (event: KinesisEvent, invocation: number) => unknown,
  options: Partial<DeliveryOptions> = {},
  more: Partial<DeliveryRoute> = {},
): Promise<Run> {
  const clock = makeClock()
  const invocations: number[][] = []
  const failures: FailureObject[] = []
  const said: string[] = []
  const observed: KinesisHandler = async (event) => {
    invocations.push(places(event))
    return handler(event, invocations.length)
  }
  const route = {
    ...{ mappingId: 'mapping', stream: 'events', shardId: 'shardId-000000000000', clock },
    target: { name: 'evaluate', handler: observed, timeoutMs },
    counts: { invocations: 0, failedInvocations: 0, taken: 0, discarded: 0, lost: 0 },
    signal: new AbortController().signal,
    announce: (message: string) => said.push(message),
    ...more,
  }
  const settled = await deliverBatch(batchOf(count), route, {
    ...{ reportBatchItemFailures: true, bisectBatchOnFunctionError: true },
    ...{ maximumRetryAttempts: 2, maximumRecordAgeSeconds: -1, redeliver: () => false },
    backOff: { firstMs: 100, maxMs: 1000 },
    onFailure: async (object) => {
      failures.push(object)
    },
    ...options,
  })
  const discarded = failures.map(({ body }) => places(JSON.parse(body.payload) as KinesisEvent))
  return { settled, invocations, failures, discarded, counts: route.counts, clock, said }
}

describe('what an answer means', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['an empty object', {}],
    ['no list', { batchItemFailures: null }],
    ['an empty list', { batchItemFailures: [] }],
  ])('%s is success', async (_, answer) => {
    const { invocations, counts } = await deliver(3, () => answer)
    expect(invocations).toEqual([[0, 1, 2]])
    expect(counts.taken).toBe(3)
  })

  it.each([
    ['an empty name', { batchItemFailures: [{ itemIdentifier: '' }] }],
    ['no name', { batchItemFailures: [{ itemIdentifier: null }] }],
    ['a wrong key', { batchItemFailures: [{ itemIdentifer: '1001' }] }],
    ['a name of no record', { batchItemFailures: [{ itemIdentifier: '7' }] }],
    ['no list at all', { batchItemFailures: 'all' }],
  ])('%s fails the whole batch', async (_, answer) => {
    const bisectBatchOnFunctionError = false
    const run = await deliver(3, (_, n) => (n === 1 ? answer : {}), { bisectBatchOnFunctionError })
    expect(run.invocations).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ])
  })

  it('is not looked at unless the mapping asks for it', async () => {
    const run = await deliver(3, () => failing([1]), { reportBatchItemFailures: false })
    expect(run.invocations).toHaveLength(1)
    expect(run.counts.taken).toBe(3)
  })
})

describe('a failure', () => {
  it('sets the checkpoint at the lowest record reported; all after it come again', async () => {
    const run = await deliver(6, (_, n) => (n === 1 ? failing([4, 2, 5]) : {}))
    expect(run.invocations).toEqual([
      [0, 1, 2, 3, 4, 5],
      [2, 3, 4, 5],
    ])
    expect(run).toMatchObject({ settled: 6, counts: { taken: 6, failedInvocations: 1 } })
  })

  it('halves the batch until the bad record is alone, and only then spends retries', async () => {
    const run = await deliver(8, (event) => {
      if (places(event).includes(5)) throw new Error('cannot read record 5')
    })
    expect(run.invocations).toEqual([
      ...[
        [0, 1, 2, 3, 4, 5, 6, 7],
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [4, 5],
      ],
      ...[[4], [5], [5], [5], [6, 7]],
    ])
    expect(run.discarded).toEqual([[5]])
    expect(run.said[0]).toContain('cannot read record 5')
  })

  it('gives up the rest of the batch after its retries when there is no bisecting', async () => {
    const bisectBatchOnFunctionError = false
    const run = await deliver(4, (event) => failing(places(event).includes(1) ? [1] : []), {
      bisectBatchOnFunctionError,
    })
    expect(run.invocations).toEqual([
      [0, 1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ])
    expect(run.discarded).toEqual([[1, 2, 3]])
    expect(run).toMatchObject({ settled: 4, counts: { taken: 1, discarded: 3 } })
  })

  it('waits longer from retry to retry', async () => {
    const run = await deliver(1, () => failing([0]), { maximumRetryAttempts: 6 })
    expect(run.clock.pauses).toEqual([100, 200, 400, 800, 1000, 1000])
    expect(run.invocations).toHaveLength(7)
  })

  it('is retried without end if asked to, until it is stopped', async () => {
    const stop = new AbortController()
    const run = await deliver(
      3,
      (_, n) => {
        if (n === 50) stop.abort()
        return failing([1])
      },
      { maximumRetryAttempts: -1, bisectBatchOnFunctionError: false },
      { signal: stop.signal },
    )
    expect(run.invocations).toHaveLength(50)
    expect(run).toMatchObject({ settled: 1, failures: [] })
  })

  it('puts into the destination what S3 gets of Lambda: metadata and payload', async () => {
    const { failures } = await deliver(2, () => failing([0]), {
      bisectBatchOnFunctionError: false,
      maximumRetryAttempts: 1,
    })
    const [{ key, body } = {} as FailureObject] = failures
    expect(key).toMatch(
      /^aws\/lambda\/mapping\/shardId-000000000000\/2026\/11\/25\/2026-11-25T03\.04\.05-[0-9a-f-]{36}$/,
    )
    expect(body).toMatchObject({
      requestContext: {
        functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:evaluate',
        condition: 'RetryAttemptsExhausted',
        approximateInvokeCount: 2,
      },
      responseContext: { statusCode: 200, functionError: 'Unhandled' },
      version: '1.0',
      timestamp: '2026-11-25T03:04:05.100Z',
      KinesisBatchInfo: {
        shardId: 'shardId-000000000000',
        startSequenceNumber: '1000',
        endSequenceNumber: '1001',
        approximateArrivalOfFirstRecord: '2026-11-25T03:02:25.000Z',
        approximateArrivalOfLastRecord: '2026-11-25T03:02:26.000Z',
        batchSize: 2,
        streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/events',
      },
    })
    expect(JSON.parse(body.payload)).toEqual({ Records: batchOf(2) })
  })

  it('is lost, and counted, when the destination fails too', async () => {
    let attempts = 0
    const onFailure = async () => {
      attempts += 1
      throw new Error('no such bucket')
    }
    const run = await deliver(2, (event) => failing(places(event)), { onFailure })
    expect(run.counts).toMatchObject({ discarded: 2, lost: 2 })
    expect(attempts).toBe(6)
    expect(run.said.join()).toContain('no such bucket')
  })
})

describe('records that are too old', () => {
  it('are given up before the function is invoked', async () => {
    // The first record is 100 s old, each further one a second less.
    const run = await deliver(10, () => {}, { maximumRecordAgeSeconds: 96 })
    expect(run.discarded).toEqual([[0, 1, 2, 3]])
    expect(run.invocations).toEqual([[4, 5, 6, 7, 8, 9]])
    expect(run.failures[0]!.body).toMatchObject({
      requestContext: { condition: 'RecordAgeExceeded', approximateInvokeCount: 0 },
      responseContext: null,
    })
  })

  it('end the retries of a record that never succeeds', async () => {
    const run = await deliver(1, () => failing([0]), {
      maximumRecordAgeSeconds: 110,
      maximumRetryAttempts: -1,
    })
    expect(run.discarded).toEqual([[0]])
    expect(run.failures[0]!.body.requestContext.approximateInvokeCount).toBe(run.invocations.length)
    expect(run.clock.now() - start).toBeGreaterThan(10_000)
  })
})

it('takes or gives up every record once, in order, and gives up only bad ones when it may split', async () => {
  const batch = fc.integer({ min: 1, max: 40 })
  await fc.assert(
    fc.asyncProperty(
      batch,
      fc.uniqueArray(fc.integer({ min: 0, max: 39 }), { maxLength: 6 }),
      fc.boolean(),
      fc.integer({ min: 0, max: 3 }),
      async (count, bad, reports, maximumRetryAttempts) => {
        const effects: number[] = []
        const run = await deliver(
          count,
          (event) => {
            for (const at of places(event)) {
              if (bad.includes(at)) {
                if (reports) return failing([at])
                throw new Error(`record ${at}`)
              }
              effects.push(at)
            }
            return {}
          },
          { reportBatchItemFailures: reports, maximumRetryAttempts },
        )
        const inBatch = bad.filter((at) => at < count).sort((a, b) => a - b)
        expect(run.discarded.flat()).toEqual(inBatch)
        expect(run.settled).toBe(count)
        expect(run.counts).toMatchObject({
          taken: count - inBatch.length,
          discarded: inBatch.length,
        })
        // What is done for the first time, is done in order.
        const first = effects.filter((at, nth) => effects.indexOf(at) === nth)
        expect(first).toEqual([...first].sort((a, b) => a - b))
        expect(first).toHaveLength(count - inBatch.length)
        for (const at of inBatch) {
          const alone = run.invocations.filter((places) => places.length === 1 && places[0] === at)
          expect(alone.length).toBeGreaterThanOrEqual(count === 1 ? maximumRetryAttempts + 1 : 1)
        }
      },
    ),
    { numRuns: 300 },
  )
})
