import { randomUUID } from 'node:crypto'
import { type KinesisClient, ListShardsCommand, type Shard } from '@aws-sdk/client-kinesis'
import { type Clock, systemClock } from './clock.ts'
import type { DeliveryCounts } from './deliver-batch.ts'
import type { LocalFunction } from './invoke.ts'
import { ShardConsumer, type ShardOptions, type ShardStart } from './shard-consumer.ts'

/** The settings of a mapping as CloudFormation names them; the others are of this machine. */
export interface EventSourceMappingOptions {
  readonly client: KinesisClient
  readonly stream: string
  readonly function: LocalFunction
  /** `TRIM_HORIZON`: all there is, parents before children. `LATEST`: what is put from now on. */
  readonly startingPosition?: 'TRIM_HORIZON' | 'LATEST'
  /** Where an earlier mapping had got to, see {@link EventSourceMapping.checkpoints}. */
  readonly checkpoints?: ReadonlyMap<string, string>
  /** Records in a batch, 1 to 10,000: 100. */
  readonly batchSize?: number
  /** 0 to 300: 0, which delivers what there is. */
  readonly maximumBatchingWindowSeconds?: number
  /** 1 to 10: 1. */
  readonly parallelizationFactor?: number
  readonly reportBatchItemFailures?: boolean
  readonly bisectBatchOnFunctionError?: boolean
  /** No default: AWS's own, -1, lets one record block its shard for as long as it is kept. */
  readonly maximumRetryAttempts: number
  /** No default, for the same reason. */
  readonly maximumRecordAgeSeconds: number
  readonly onFailure: ShardOptions['onFailure']
  /** Milliseconds between two looks at an idle shard: 200, the most often that a shard may be read. */
  readonly pollMs?: number
  readonly backOff?: ShardOptions['backOff']
  readonly redeliver?: ShardOptions['redeliver']
  readonly maxReadAhead?: number
  readonly clock?: Clock
  readonly announce?: (message: string) => void
}

/** What a synchronous invocation may carry. */
const maxPayloadBytes = 6 * 1024 * 1024

/**
 * Does between a Kinesis stream and a function what Lambda's event source mapping does: each shard in
 * order, batches by size, bytes and window, several at once by key, retries, splits and the failure
 * destination as {@link deliverBatch} describes, children of a shard after their parents.
 *
 * Sources: AWS Lambda Developer Guide, "How Lambda processes records from stream and queue-based event
 * sources" and "Using Lambda with Kinesis Data Streams". Not here: event filters, tumbling windows,
 * enhanced fan-out, a batch that grows while its function is throttled.
 */
export class EventSourceMapping {
  readonly counts: DeliveryCounts = {
    ...{ invocations: 0, failedInvocations: 0 },
    ...{ taken: 0, discarded: 0, lost: 0 },
  }
  readonly #options: EventSourceMappingOptions
  readonly #id = randomUUID()
  readonly #clock: Clock
  readonly #stop = new AbortController()
  readonly #consumers = new Map<string, ShardConsumer>()
  /** Shards of which everything is settled, or that were over before this mapping began. */
  readonly #ended = new Set<string>()
  readonly #running = new Set<Promise<void>>()

  constructor(options: EventSourceMappingOptions) {
    checkRanges(options)
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** Begins to read. Rejects when the stream cannot be listed. */
  async start(): Promise<void> {
    const shards = await this.#shards()
    const isLatest = this.#options.startingPosition === 'LATEST'
    for (const shard of shards) {
      const isClosed = shard.SequenceNumberRange?.EndingSequenceNumber !== undefined
      const isKnown = this.#options.checkpoints?.has(shard.ShardId!)
      if (isLatest && isClosed && !isKnown) this.#ended.add(shard.ShardId!)
    }
    this.#begin(shards, isLatest ? 'LATEST' : 'TRIM_HORIZON')
  }

  /** The last record of each shard up to which all are settled; what came after comes again. */
  get checkpoints(): ReadonlyMap<string, string> {
    const known = new Map(this.#options.checkpoints)
    for (const [shardId, { checkpoint }] of this.#consumers) {
      if (checkpoint !== undefined) known.set(shardId, checkpoint)
    }
    return known
  }

  /** Whether all that was in the stream at this time, by `performance.now()`, is taken or given up. */
  isDone(time: number): boolean {
    return [...this.#consumers.values()].every((consumer) => consumer.isDone(time))
  }

  /** Lets the invocations that run end, begins no more, and waits for that. */
  async stop(): Promise<void> {
    this.#stop.abort()
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** Begins the shards that are not begun and whose parents, if still there, are done. */
  #begin(shards: readonly Shard[], type: 'TRIM_HORIZON' | 'LATEST'): void {
    const listed = new Set(shards.map(({ ShardId }) => ShardId))
    for (const { ShardId: shardId, ParentShardId, AdjacentParentShardId } of shards) {
      if (this.#consumers.has(shardId!) || this.#ended.has(shardId!)) continue
      const parents = [ParentShardId, AdjacentParentShardId].filter((id) => listed.has(id))
      if (!parents.every((id) => this.#ended.has(id!))) continue
      const sequenceNumber = this.#options.checkpoints?.get(shardId!)
      const start: ShardStart =
        sequenceNumber === undefined ? { type } : { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber }
      this.#track(this.#consume(shardId!, start))
    }
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#running.delete(tracked))
    this.#running.add(tracked)
  }

  async #consume(shardId: string, start: ShardStart): Promise<void> {
    const { options, signal } = { options: this.#options, signal: this.#stop.signal }
    const announce = options.announce ?? (() => {})
    const route = {
      ...{ mappingId: this.#id, stream: options.stream, shardId, signal, announce },
      ...{ target: options.function, counts: this.counts, clock: this.#clock },
    }
    const backOff = options.backOff ?? { firstMs: 100, maxMs: 10_000 }
    const consumer = new ShardConsumer(
      options.client,
      route,
      {
        batchSize: options.batchSize ?? 100,
        windowMs: (options.maximumBatchingWindowSeconds ?? 0) * 1000,
        maxBytes: maxPayloadBytes - '{"Records":[]}'.length,
        parallelizationFactor: options.parallelizationFactor ?? 1,
        reportBatchItemFailures: options.reportBatchItemFailures ?? false,
        bisectBatchOnFunctionError: options.bisectBatchOnFunctionError ?? false,
        maximumRetryAttempts: options.maximumRetryAttempts,
        maximumRecordAgeSeconds: options.maximumRecordAgeSeconds,
        onFailure: options.onFailure,
        backOff,
        redeliver: options.redeliver ?? (() => false),
        pollMs: options.pollMs ?? 200,
        maxReadAhead: options.maxReadAhead ?? 10_000,
      },
      start,
    )
    this.#consumers.set(shardId, consumer)
    if (!(await consumer.run())) return
    this.#ended.add(shardId)
    // A shard that is over has children: those begin now.
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        this.#begin(await this.#shards(), 'TRIM_HORIZON')
        return
      } catch (error) {
        announce(`listing the shards of ${options.stream}: ${error}`)
        const pause = Math.min(backOff.maxMs, backOff.firstMs * 2 ** failures)
        await this.#clock.sleep(pause, signal)
      }
    }
  }

  async #shards(): Promise<Shard[]> {
    const { client, stream } = this.#options
    const found: Shard[] = []
    let NextToken: string | undefined
    do {
      const page = await client.send(
        new ListShardsCommand(NextToken === undefined ? { StreamName: stream } : { NextToken }),
      )
      found.push(...(page.Shards ?? []))
      NextToken = page.NextToken
    } while (NextToken !== undefined)
    return found
  }
}

function checkRanges(options: EventSourceMappingOptions): void {
  const ranges = [
    ['batchSize', options.batchSize ?? 100, 1, 10_000],
    ['maximumBatchingWindowSeconds', options.maximumBatchingWindowSeconds ?? 0, 0, 300],
    ['parallelizationFactor', options.parallelizationFactor ?? 1, 1, 10],
    ['maximumRetryAttempts', options.maximumRetryAttempts, -1, 10_000],
    ['maximumRecordAgeSeconds', options.maximumRecordAgeSeconds, -1, 604_800],
  ] as const
  const wrong = ranges
    .filter(
      ([, value, least, most]) => !(Number.isInteger(value) && value >= least && value <= most),
    )
    .map(([name, value, least, most]) => `${name} is ${value}, not from ${least} to ${most}`)
  if (wrong.length > 0) throw new RangeError(wrong.join('; '))
}
