import type { Server } from 'node:http'
import {
  type Answer,
  type AwsRequest,
  createFaultProxy,
  errorAnswer,
  handOn,
} from '../aws/fault-proxy.ts'
import type { Counts, Faults } from './faults.ts'
import { ShardLimits, type ShardRange } from './shard-limits.ts'

/** The parts of PutRecords that the proxy looks at. */
interface PutRecords {
  readonly StreamName?: string
  readonly StreamARN?: string
  readonly Records: readonly { readonly PartitionKey: string; readonly Data: string }[]
}
type RecordAnswer = Readonly<Record<string, string>>

export interface KinesisProxyOptions {
  /** Where the service behind it listens. */
  readonly target: string
  readonly faults: Faults
  readonly counts: Counts
  readonly shardsOf: (stream: string) => Promise<readonly ShardRange[]>
}

/** An HTTP server that hands Kinesis requests on, as far as the faults let it. */
export function createKinesisProxy(options: KinesisProxyOptions): Server {
  const { target, faults, counts } = options
  const limits = new Map<string, ShardLimits>()

  const isThrottled = async (stream: string, key: string, bytes: number) => {
    if (faults.throttle?.(key)) return true
    if (faults.shardLimits === undefined) return false
    const known = limits.get(stream) ?? new ShardLimits(await options.shardsOf(stream))
    limits.set(stream, known)
    return !known.takes(key, bytes, faults.shardLimits())
  }

  /** Hands on the records that are not throttled, and puts the answers together. */
  const putRecords = async (request: AwsRequest): Promise<Answer> => {
    const input = JSON.parse(request.body) as PutRecords
    const stream = streamOf(input, faults.owners)
    if (typeof stream !== 'string') return stream
    const throttled: boolean[] = []
    for (const { PartitionKey, Data } of input.Records) {
      const bytes = Buffer.byteLength(Data, 'base64') + PartitionKey.length
      throttled.push(await isThrottled(stream, PartitionKey, bytes))
    }
    const passed = input.Records.filter((_, at) => !throttled[at])
    let stored: RecordAnswer[] = []
    if (passed.length > 0) {
      // the emulator knows streams by their names alone
      const body = JSON.stringify({ StreamName: stream, Records: passed })
      const answer = await handOn(target, request, body)
      if (answer.status !== 200) return answer
      stored = (JSON.parse(answer.body) as { Records: RecordAnswer[] }).Records
    }
    counts.passed += passed.length
    counts.throttled += throttled.length - passed.length
    const records = throttled.map((isOut) => (isOut ? throttledRecord : stored.shift()))
    const body = { FailedRecordCount: throttled.length - passed.length, Records: records }
    return { status: 200, body: JSON.stringify(body) }
  }

  return createFaultProxy({
    faults,
    counts,
    serve: (request) =>
      request.operation === 'PutRecords' ? putRecords(request) : handOn(target, request),
  })
}

/** The name of the stream that is meant, or the answer when the caller's account has none of that name. */
function streamOf(
  { StreamName, StreamARN }: PutRecords,
  owners: ReadonlyMap<string, string>,
): string | Answer {
  const [, account, named] =
    /^arn:[^:]+:kinesis:[^:]+:(\d+):stream\/(.+)$/.exec(StreamARN ?? '') ?? []
  const name = named ?? StreamName ?? ''
  if (account === owners.get(name) || (account !== undefined && !owners.has(name))) return name
  const message = `Stream ${name} under account ${account ?? 'of the caller'} not found.`
  return errorAnswer({ status: 400, code: 'ResourceNotFoundException', message })
}

const throttledRecord: RecordAnswer = {
  ErrorCode: 'ProvisionedThroughputExceededException',
  ErrorMessage: 'Rate exceeded for a shard of the stream',
}
