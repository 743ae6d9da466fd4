import { randomUUID } from 'node:crypto'
import { account, type KinesisEvent, region, streamArn } from './kinesis-event.ts'

export type FailureCondition = 'RetryAttemptsExhausted' | 'RecordAgeExceeded'

/** An object as Lambda puts it into an S3 on-failure destination. */
export interface FailureObject {
  readonly key: string
  readonly body: FailureRecord
}

export interface FailureRecord {
  readonly requestContext: {
    readonly requestId: string
    readonly functionArn: string
    readonly condition: FailureCondition
    readonly approximateInvokeCount: number
  }
  /** Absent when the function was not invoked. */
  readonly responseContext: {
    readonly statusCode: 200
    readonly executedVersion: '$LATEST'
    readonly functionError: 'Unhandled'
  } | null
  readonly version: '1.0'
  readonly timestamp: string
  readonly KinesisBatchInfo: {
    readonly shardId: string
    readonly startSequenceNumber: string
    readonly endSequenceNumber: string
    readonly approximateArrivalOfFirstRecord: string
    readonly approximateArrivalOfLastRecord: string
    readonly batchSize: number
    readonly streamArn: string
  }
  /** The event as JSON. Destinations other than S3 do not get it. */
  readonly payload: string
}

export interface Failure {
  readonly mappingId: string
  readonly functionName: string
  readonly stream: string
  readonly shardId: string
  readonly event: KinesisEvent
  readonly condition: FailureCondition
  readonly requestId: string
  readonly invocations: number
  /** Milliseconds of the epoch. */
  readonly now: number
}

/** What is kept of a batch that is given up; the key sorts by time within a shard. */
export function failureObject(failure: Failure): FailureObject {
  const { event, shardId, invocations } = failure
  const first = event.Records[0]!.kinesis
  const last = event.Records.at(-1)!.kinesis
  const timestamp = new Date(failure.now).toISOString()
  const second = timestamp.slice(0, 19).replaceAll(':', '.')
  const day = timestamp.slice(0, 10).replaceAll('-', '/')
  const arrival = (seconds: number) => new Date(seconds * 1000).toISOString()
  return {
    key: `aws/lambda/${failure.mappingId}/${shardId}/${day}/${second}-${randomUUID()}`,
    body: {
      requestContext: {
        requestId: failure.requestId,
        functionArn: `arn:aws:lambda:${region}:${account}:function:${failure.functionName}`,
        condition: failure.condition,
        approximateInvokeCount: invocations,
      },
      responseContext:
        invocations === 0
          ? null
          : { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      version: '1.0',
      timestamp,
      KinesisBatchInfo: {
        shardId,
        startSequenceNumber: first.sequenceNumber,
        endSequenceNumber: last.sequenceNumber,
        approximateArrivalOfFirstRecord: arrival(first.approximateArrivalTimestamp),
        approximateArrivalOfLastRecord: arrival(last.approximateArrivalTimestamp),
        batchSize: event.Records.length,
        streamArn: streamArn(failure.stream),
      },
      payload: JSON.stringify(event),
    },
  }
}
