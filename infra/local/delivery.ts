import { randomUUID } from 'node:crypto'
import type { KinesisClient } from '@aws-sdk/client-kinesis'
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { type Clock, systemClock } from './clock.ts'
import { EventSourceMapping } from './event-source-mapping.ts'
import { account, type KinesisEvent, type KinesisEventRecord, region } from './kinesis-event.ts'
import type { LocalLambda } from './local-lambda.ts'

export interface DeliveryStreamOptions {
  readonly name: string
  readonly kinesis: KinesisClient
  readonly s3: S3Client
  readonly stream: string
  readonly bucket: string
  /** Transforms records before they are written. */
  readonly lambda: LocalLambda
  /** Seconds that records are gathered for an object; Firehose takes 60 to 900. */
  readonly bufferSeconds: number
  readonly clock?: Clock
  readonly announce?: (message: string) => void
}

/** A record as a transforming function gets it. */
export interface TransformationRecord {
  readonly recordId: string
  /** Milliseconds of the epoch. */
  readonly approximateArrivalTimestamp: number
  /** Base64. */
  readonly data: string
  readonly kinesisRecordMetadata: {
    readonly shardId: string
    readonly partitionKey: string
    readonly sequenceNumber: string
    readonly subsequenceNumber: number
    readonly approximateArrivalTimestamp: number
  }
}

interface Transformed {
  readonly recordId: string
  readonly result: 'Ok' | 'Dropped' | 'ProcessingFailed'
  readonly data?: string
}

/** Base64 that Firehose puts into one event of a transforming function. */
const maxTransformBytes = 3 * 1024 * 1024
/** Attempts at the function, after which its records count as failed. */
const maxAttempts = 3

/**
 * Does between a stream and a bucket what Firehose does: hands records to a transforming function,
 * and writes what it gives one after the other into objects below `batches/year=/month=/day=/hour=/`
 * by the hour in which the first record arrived. Records that the function fails on are kept as lines
 * of JSON below `failed/`. A bucket that is not there delays everything and loses nothing.
 *
 * Source: Amazon Data Firehose Developer Guide, "Transform source data" and "Custom S3 prefixes".
 */
export class DeliveryStream {
  readonly counts = { objects: 0, records: 0, dropped: 0, failed: 0 }
  readonly #options: DeliveryStreamOptions
  readonly #clock: Clock
  readonly #mapping: EventSourceMapping

  constructor(options: DeliveryStreamOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    const { name, kinesis: client, stream, bufferSeconds, announce } = options
    this.#mapping = new EventSourceMapping({
      ...{ client, stream, batchSize: 10_000, maximumBatchingWindowSeconds: bufferSeconds },
      ...{ maximumRetryAttempts: -1, maximumRecordAgeSeconds: -1, clock: this.#clock },
      function: { name, handler: (event) => this.#deliver(event) },
      onFailure: async () => {},
      ...(announce !== undefined && { announce }),
    })
  }

  start(): Promise<void> {
    return this.#mapping.start()
  }

  isDone(time: number): boolean {
    return this.#mapping.isDone(time)
  }

  stop(): Promise<void> {
    return this.#mapping.stop()
  }

  async #deliver({ Records }: KinesisEvent): Promise<void> {
    const transformed: (Transformed & { readonly source: KinesisEventRecord })[] = []
    for (const part of parts(Records)) transformed.push(...(await this.#transform(part)))
    const good = transformed.filter(({ result }) => result === 'Ok')
    const failed = transformed.filter(({ result }) => result === 'ProcessingFailed')
    const first = Records[0]!.kinesis.approximateArrivalTimestamp * 1000
    const bytes = good.map(({ data }) => Buffer.from(data ?? '', 'base64'))
    if (good.length > 0) await this.#put('batches', first, Buffer.concat(bytes))
    if (failed.length > 0) {
      const lines = failed.map(({ source }) => {
        const { data: rawData, approximateArrivalTimestamp: arrival } = source.kinesis
        return JSON.stringify({
          ...{ attemptsMade: maxAttempts, arrivalTimestamp: arrival * 1000 },
          ...{ errorCode: 'Lambda.FunctionError', rawData },
        })
      })
      await this.#put('failed', first, Buffer.from(`${lines.join('\n')}\n`))
    }
    this.counts.records += good.length
    this.counts.failed += failed.length
    this.counts.dropped += transformed.length - good.length - failed.length
  }

  async #transform(records: readonly KinesisEventRecord[]) {
    const { name, lambda, announce = () => {} } = this.#options
    const event = {
      invocationId: randomUUID(),
      deliveryStreamArn: `arn:aws:firehose:${region}:${account}:deliverystream/${name}`,
      region,
      records: records.map(toTransformationRecord),
    }
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { records: answers } = (await lambda.invoke(event)) as { records: Transformed[] }
        const byId = new Map(answers.map((answer) => [answer.recordId, answer]))
        // A record without answer, or with one of its own kind, has failed.
        return event.records.map(
          ({ recordId }, at): Transformed & { source: KinesisEventRecord } => {
            const { result, data } = byId.get(recordId) ?? {}
            const isKnown = result === 'Ok' || result === 'Dropped'
            return {
              ...{ recordId, result: isKnown ? result : 'ProcessingFailed', source: records[at]! },
              ...(data !== undefined && { data }),
            }
          },
        )
      } catch (error) {
        announce(`${lambda.name}, attempt ${attempt} of ${maxAttempts}: ${error}`)
        if (attempt < maxAttempts) continue
        return event.records.map(({ recordId }, at) => ({
          ...{ recordId, result: 'ProcessingFailed' as const, source: records[at]! },
        }))
      }
    }
  }

  async #put(prefix: string, time: number, body: Uint8Array): Promise<void> {
    const { name, s3, bucket } = this.#options
    const [year, month, day, hour, ...rest] = new Date(time).toISOString().split(/[-T:.Z]/)
    const path = `year=${year}/month=${month}/day=${day}/hour=${hour}`
    const stamp = [year, month, day, hour, ...rest.slice(0, 2)].join('-')
    const Key = `${prefix}/${path}/${name}-1-${stamp}-${randomUUID()}`
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: body }))
    this.counts.objects += 1
  }
}

/** Records in parts that a function can take. */
function* parts(records: readonly KinesisEventRecord[]): Generator<readonly KinesisEventRecord[]> {
  let part: KinesisEventRecord[] = []
  let bytes = 0
  for (const record of records) {
    const { length } = record.kinesis.data
    if (part.length > 0 && bytes + length > maxTransformBytes) {
      yield part
      part = []
      bytes = 0
    }
    part.push(record)
    bytes += length
  }
  if (part.length > 0) yield part
}

function toTransformationRecord({ kinesis, eventID }: KinesisEventRecord): TransformationRecord {
  const { partitionKey, sequenceNumber, data } = kinesis
  const arrival = Math.round(kinesis.approximateArrivalTimestamp * 1000)
  return {
    recordId: `${sequenceNumber}0000`,
    approximateArrivalTimestamp: arrival,
    data,
    kinesisRecordMetadata: {
      shardId: eventID.slice(0, eventID.indexOf(':')),
      ...{ partitionKey, sequenceNumber, subsequenceNumber: 0 },
      approximateArrivalTimestamp: arrival,
    },
  }
}
