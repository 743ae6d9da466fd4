import { createHash } from 'node:crypto'
import {
  type _Record,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
} from '@aws-sdk/client-kinesis'
import { type DeliveryOptions, type DeliveryRoute, deliverBatch } from './deliver-batch.ts'
import { toEventRecord } from './kinesis-event.ts'
import { type BatchLimits, Lane, type Pending } from './lane.ts'

export interface ShardOptions extends BatchLimits, DeliveryOptions {
  /** Batches of a shard under way at once, 1 to 10. */
  readonly parallelizationFactor: number
  /** Milliseconds between two looks at a shard that had nothing. */
  readonly pollMs: number
  /** Records read ahead of the function. */
  readonly maxReadAhead: number
}

/** Where to begin in a shard. */
export type ShardStart =
  | { readonly type: 'TRIM_HORIZON' | 'LATEST' }
  | { readonly type: 'AFTER_SEQUENCE_NUMBER'; readonly sequenceNumber: string }

/** Reads one shard, and delivers what is in it: in order for each key, keys beside each other. */
export class ShardConsumer {
  readonly #client: KinesisClient
  readonly #route: DeliveryRoute
  readonly #options: ShardOptions
  readonly #lanes: readonly Lane[]
  /** Read and not yet behind the checkpoint, in the order of the shard. */
  readonly #pending: Pending[] = []
  #position: ShardStart
  #onRoom: () => void = () => {}
  /** When it last began to look and found nothing new, by `performance.now()`. */
  #caughtUpAt = Number.NEGATIVE_INFINITY
  /** All up to here is settled. */
  checkpoint: string | undefined

  constructor(
    client: KinesisClient,
    route: DeliveryRoute,
    options: ShardOptions,
    start: ShardStart,
  ) {
    this.#client = client
    this.#route = route
    this.#options = options
    this.#position = start
    this.#lanes = Array.from(
      { length: options.parallelizationFactor },
      () => new Lane(options, route.clock),
    )
  }

  /** Whether all that was in the shard at this time, by `performance.now()`, is settled. */
  isDone(time: number): boolean {
    return this.#caughtUpAt >= time && this.#pending.length === 0
  }

  /** Until the shard ends or the signal says so; gives whether all of the shard is settled. */
  async run(): Promise<boolean> {
    const { signal } = this.#route
    const stop = () => this.#onRoom()
    signal.addEventListener('abort', stop)
    const [hasEnded] = await Promise.all([
      this.#read(),
      ...this.#lanes.map((lane) => this.#serve(lane)),
    ])
    signal.removeEventListener('abort', stop)
    return hasEnded && this.#pending.length === 0
  }

  /** Reads until the end of the shard; gives whether it got there. */
  async #read(): Promise<boolean> {
    const { clock, signal } = this.#route
    const { pollMs, maxReadAhead, backOff } = this.#options
    let iterator: string | undefined
    let failures = 0
    while (!signal.aborted) {
      if (this.#pending.length >= maxReadAhead) {
        await new Promise<void>((resolve) => {
          this.#onRoom = resolve
        })
        continue
      }
      try {
        iterator ??= await this.#iterator()
        const began = performance.now()
        const Limit = Math.min(10_000, maxReadAhead - this.#pending.length)
        const { Records = [], NextShardIterator: next } = await this.#client.send(
          new GetRecordsCommand({ ShardIterator: iterator!, Limit }),
          { abortSignal: signal },
        )
        failures = 0
        for (const record of Records) this.#admit(record)
        if (next === undefined || next === null) {
          for (const lane of this.#lanes) lane.end()
          this.#caughtUpAt = Number.POSITIVE_INFINITY
          return true
        }
        iterator = next
        if (Records.length === 0) this.#caughtUpAt = began
        if (Records.length === 0) await clock.sleep(pollMs, signal)
      } catch (error) {
        if (signal.aborted) break
        // It may have expired; the position has not.
        iterator = undefined
        this.#route.announce(`reading ${this.#route.shardId}: ${error}`)
        await clock.sleep(Math.min(backOff.maxMs, backOff.firstMs * 2 ** failures), signal)
        failures += 1
      }
    }
    return false
  }

  async #iterator(): Promise<string> {
    const position = this.#position
    const { ShardIterator } = await this.#client.send(
      new GetShardIteratorCommand({
        StreamName: this.#route.stream,
        ShardId: this.#route.shardId,
        ShardIteratorType: position.type,
        ...(position.type === 'AFTER_SEQUENCE_NUMBER' && {
          StartingSequenceNumber: position.sequenceNumber,
        }),
      }),
      { abortSignal: this.#route.signal },
    )
    return ShardIterator!
  }

  #admit(read: _Record): void {
    const { stream, shardId } = this.#route
    const record = toEventRecord(stream, shardId, read)
    const bytes = JSON.stringify(record).length + 1
    const pending = { record, bytes, isSettled: false }
    this.#position = { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: read.SequenceNumber! }
    this.#pending.push(pending)
    this.#lanes[laneOf(read.PartitionKey!, this.#lanes.length)]!.push(pending)
  }

  async #serve(lane: Lane): Promise<void> {
    const { signal } = this.#route
    for (;;) {
      const batch = await lane.next(signal)
      if (batch.length === 0) return
      const records = batch.map(({ record }) => record)
      const settled = await deliverBatch(records, this.#route, this.#options)
      for (const pending of batch.slice(0, settled)) pending.isSettled = true
      this.#advance()
    }
  }

  #advance(): void {
    const open = this.#pending.findIndex(({ isSettled }) => !isSettled)
    const settled = this.#pending.splice(0, open < 0 ? this.#pending.length : open)
    const last = settled.at(-1)
    if (last === undefined) return
    this.checkpoint = last.record.kinesis.sequenceNumber
    this.#onRoom()
  }
}

/** Records of a key are in one lane; Lambda does not say by which hash. */
function laneOf(partitionKey: string, lanes: number): number {
  if (lanes === 1) return 0
  return createHash('md5').update(partitionKey).digest().readUInt32BE(0) % lanes
}
