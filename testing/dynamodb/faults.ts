import type { AwsRequest } from '../aws/fault-proxy.ts'
import * as aws from '../aws/faults.ts'

/** A key of an item as the wire has it, as `{ pk: { S: 'a' } }`. */
export type WireKey = Readonly<Record<string, Readonly<Record<string, unknown>>>>

export interface Faults extends aws.Faults {
  /** Whether a whole request is throttled, and how: by the table's capacity or the account's. */
  throttle: ((request: AwsRequest) => Throttle | undefined) | undefined
  /** Whether a batch request leaves a key out and names it as unprocessed. */
  unprocessed: ((key: WireKey) => boolean) | undefined
}

export type Throttle = 'ProvisionedThroughputExceededException' | 'ThrottlingException'

export const noFaults: Faults = { ...aws.noFaults, throttle: undefined, unprocessed: undefined }

export interface Counts extends aws.Counts {
  /** Requests answered with {@link Faults.throttle}. */
  throttled: number
  /** Keys left out of batch requests. */
  unprocessed: number
  /** Capacity as DynamoDB bills it: a write refused on its condition costs as well. */
  writeUnits: number
  readUnits: number
}
