import type { _Record } from '@aws-sdk/client-kinesis'

/** A record as a function gets it. */
export interface KinesisEventRecord {
  readonly kinesis: {
    readonly kinesisSchemaVersion: '1.0'
    readonly partitionKey: string
    readonly sequenceNumber: string
    /** Base64. */
    readonly data: string
    /** Seconds of the epoch. */
    readonly approximateArrivalTimestamp: number
  }
  readonly eventSource: 'aws:kinesis'
  readonly eventVersion: '1.0'
  /** Shard and sequence number. */
  readonly eventID: string
  readonly eventName: 'aws:kinesis:record'
  readonly invokeIdentityArn: string
  readonly awsRegion: string
  readonly eventSourceARN: string
}

export interface KinesisEvent {
  readonly Records: readonly KinesisEventRecord[]
}

export const region = 'us-east-1'
export const account = '000000000000'

export function streamArn(stream: string): string {
  return `arn:aws:kinesis:${region}:${account}:stream/${stream}`
}

export function toEventRecord(
  stream: string,
  shardId: string,
  record: _Record,
): KinesisEventRecord {
  return {
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey: record.PartitionKey!,
      sequenceNumber: record.SequenceNumber!,
      data: Buffer.from(record.Data!).toString('base64'),
      approximateArrivalTimestamp: record.ApproximateArrivalTimestamp!.getTime() / 1000,
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `${shardId}:${record.SequenceNumber}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: `arn:aws:iam::${account}:role/lanner-local`,
    awsRegion: region,
    eventSourceARN: streamArn(stream),
  }
}
