import type { Server } from 'node:http'
import {
  type Answer,
  type AwsRequest,
  createFaultProxy,
  errorAnswer,
  handOn,
} from '../aws/fault-proxy.ts'
import type { Counts, Faults, WireKey } from './faults.ts'

export interface DynamoProxyOptions {
  /** Where the service behind it listens. */
  readonly target: string
  readonly faults: Faults
  readonly counts: Counts
}

/** An HTTP server that hands DynamoDB requests on, as far as the faults let it. */
export function createDynamoProxy({ target, faults, counts }: DynamoProxyOptions): Server {
  const throttled = (code: string): Answer => {
    counts.throttled += 1
    return errorAnswer({
      status: 400,
      code,
      message: 'The level of configured throughput is exceeded',
    })
  }

  /** Hands on, asks what it costs, and keeps that from a client that did not ask. */
  const metered = async (request: AwsRequest, input: WireInput): Promise<Answer> => {
    const body = JSON.stringify({ ...input, ReturnConsumedCapacity: 'TOTAL' })
    const answer = await handOn(target, request, body)
    const output = JSON.parse(answer.body) as WireOutput
    const { ConsumedCapacity: consumed = [], ...rest } = output
    const units = [consumed].flat().reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0)
    if (!writes.has(request.operation)) counts.readUnits += units
    else if (output.__type?.endsWith('ConditionalCheckFailedException')) {
      counts.writeUnits += refusedUnits(input, output)
    } else counts.writeUnits += units
    return input.ReturnConsumedCapacity === undefined
      ? { ...answer, body: JSON.stringify(rest) }
      : answer
  }

  /** Hands on the part of a batch that is not left out, and names the other. */
  const batch = async (request: AwsRequest, input: WireInput): Promise<Answer> => {
    const isRead = request.operation === 'BatchGetItem'
    const passed: Record<string, unknown> = {}
    const left: Record<string, unknown> = {}
    let count = 0
    for (const [table, asked] of Object.entries(input.RequestItems ?? {})) {
      const all = isRead ? (asked as WireKeys).Keys : (asked as readonly WireWrite[])
      const isLeft = all.map((entry) => faults.unprocessed!(keyOf(entry)))
      const part = (out: boolean) => {
        const entries = (all as readonly unknown[]).filter((_, at) => isLeft[at] === out)
        if (entries.length === 0) return undefined
        return isRead ? { ...(asked as WireKeys), Keys: entries } : entries
      }
      passed[table] = part(false)
      left[table] = part(true)
      count += isLeft.filter(Boolean).length
    }
    counts.unprocessed += count
    const some = Object.values(passed).some((entries) => entries !== undefined)
    // As the service does when it can process nothing of a batch.
    if (!some) return throttled('ProvisionedThroughputExceededException')
    const answer = await metered(request, { ...input, RequestItems: passed })
    if (answer.status !== 200) return answer
    const name = isRead ? 'UnprocessedKeys' : 'UnprocessedItems'
    return { ...answer, body: JSON.stringify({ ...JSON.parse(answer.body), [name]: left }) }
  }

  return createFaultProxy({
    faults,
    counts,
    serve(request) {
      const throttle = faults.throttle?.(request)
      if (throttle !== undefined) return throttled(throttle)
      if (!metering.has(request.operation)) return handOn(target, request)
      const input = JSON.parse(request.body) as WireInput
      const isBatch = request.operation.startsWith('Batch')
      return isBatch && faults.unprocessed !== undefined
        ? batch(request, input)
        : metered(request, input)
    },
  })
}

const writes = new Set([
  ...['PutItem', 'UpdateItem', 'DeleteItem'],
  ...['BatchWriteItem', 'TransactWriteItems'],
])
const metering = new Set([...writes, 'GetItem', 'BatchGetItem', 'Query', 'Scan'])

interface WireInput {
  readonly Item?: unknown
  readonly RequestItems?: Readonly<Record<string, unknown>>
  readonly ReturnConsumedCapacity?: string
}
interface WireOutput {
  readonly __type?: string
  readonly Item?: unknown
  readonly ConsumedCapacity?:
    | { readonly CapacityUnits: number }[]
    | { readonly CapacityUnits: number }
}
interface WireKeys {
  readonly Keys: readonly WireKey[]
}
interface WireWrite {
  readonly PutRequest?: { readonly Item: WireKey }
  readonly DeleteRequest?: { readonly Key: WireKey }
}

function keyOf(entry: WireKey | WireWrite): WireKey {
  const { PutRequest, DeleteRequest } = entry as WireWrite
  return PutRequest?.Item ?? DeleteRequest?.Key ?? (entry as WireKey)
}

/** A refused write costs what it would have, by the larger of the item there and the one given. */
function refusedUnits(input: WireInput, output: WireOutput): number {
  const bytes = Math.max(...[input.Item, output.Item].map((item) => itemBytes(item ?? {})))
  return Math.max(1, Math.ceil(bytes / 1024))
}

/** About what DynamoDB counts: the names and the values, without the JSON around them. */
function itemBytes(item: object): number {
  return Object.entries(item).reduce((sum, [name, value]) => {
    const [[type, content] = ['', '']] = Object.entries(value as Record<string, unknown>)
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    return sum + name.length + Buffer.byteLength(text, type === 'B' ? 'base64' : 'utf8')
  }, 0)
}
