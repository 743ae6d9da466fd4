import * as aws from '../aws/faults.ts'

export interface Faults extends aws.Faults {
  /** Whether a record of a PutRecords is throttled; it does not reach the stream then. */
  throttle: ((partitionKey: string) => boolean) | undefined
  /** The limits of a shard, 1 MB and 1,000 records a second, by this clock in milliseconds. */
  shardLimits: (() => number) | undefined
  /** Streams of other accounts: name → account. They are found by their ARN alone. */
  owners: ReadonlyMap<string, string>
}

export const noFaults: Faults = {
  ...aws.noFaults,
  ...{ throttle: undefined, shardLimits: undefined, owners: new Map() },
}

export interface Counts extends aws.Counts {
  /** Records of PutRecords: handed on, and throttled. */
  passed: number
  throttled: number
}
