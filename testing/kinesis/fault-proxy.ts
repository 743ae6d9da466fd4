import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Counts, ErrorAnswer, Faults } from './faults.ts'
import { ShardLimits, type ShardRange } from './shard-limits.ts'

/** The parts of PutRecords that the proxy looks at. */
interface PutRecords {
  readonly StreamName: string
  readonly Records: readonly { readonly PartitionKey: string; readonly Data: string }[]
}
type RecordAnswer = Readonly<Record<string, string>>

interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

export interface FaultProxyOptions {
  /** Where the service behind it listens. */
  readonly target: string
  readonly faults: Faults
  readonly counts: Counts
  readonly shardsOf: (stream: string) => Promise<readonly ShardRange[]>
}

/** An HTTP server that hands Kinesis requests on, as far as the faults let it. */
export function createFaultProxy(options: FaultProxyOptions): Server {
  const { faults, counts } = options
  const limits = new Map<string, ShardLimits>()

  const isThrottled = async (stream: string, key: string, bytes: number) => {
    if (faults.throttle?.(key)) return true
    if (faults.shardLimits === undefined) return false
    const known = limits.get(stream) ?? new ShardLimits(await options.shardsOf(stream))
    limits.set(stream, known)
    return !known.takes(key, bytes, faults.shardLimits())
  }

  /** Hands on the records that are not throttled, and puts the answers together. */
  const putRecords = async (request: IncomingMessage, text: string): Promise<Answer> => {
    const input = JSON.parse(text) as PutRecords
    const throttled: boolean[] = []
    for (const { PartitionKey, Data } of input.Records) {
      const bytes = Buffer.byteLength(Data, 'base64') + PartitionKey.length
      throttled.push(await isThrottled(input.StreamName, PartitionKey, bytes))
    }
    const passed = input.Records.filter((_, at) => !throttled[at])
    let stored: RecordAnswer[] = []
    if (passed.length > 0) {
      const answer = await handOn(
        options.target,
        request,
        JSON.stringify({ ...input, Records: passed }),
      )
      if (answer.status !== 200) return answer
      stored = (JSON.parse(answer.body) as { Records: RecordAnswer[] }).Records
    }
    counts.passed += passed.length
    counts.throttled += throttled.length - passed.length
    const records = throttled.map((isOut) => (isOut ? throttledRecord : stored.shift()))
    const body = { FailedRecordCount: throttled.length - passed.length, Records: records }
    return { status: 200, body: JSON.stringify(body) }
  }

  const serve = (request: IncomingMessage, text: string): Promise<Answer> | Answer => {
    const error = faults.error ?? skewError(request, faults.maxSkewMs)
    if (error !== undefined) {
      counts.failed += 1
      return errorAnswer(error)
    }
    const target = request.headers['x-amz-target']
    if (target === 'Kinesis_20131202.PutRecords') return putRecords(request, text)
    return handOn(options.target, request, text)
  }

  return createServer(async (request, response) => {
    try {
      counts.requests += 1
      const text = await read(request)
      if (faults.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, faults.delayMs))
      const { drop } = faults
      const answer = drop === 'before' ? undefined : await serve(request, text)
      if (drop === undefined) send(response, answer!)
      else {
        counts.dropped += 1
        response.destroy()
      }
    } catch (error) {
      send(response, errorAnswer({ status: 500, code: 'InternalFailure', message: String(error) }))
    }
  })
}

const throttledRecord: RecordAnswer = {
  ErrorCode: 'ProvisionedThroughputExceededException',
  ErrorMessage: 'Rate exceeded for a shard of the stream',
}

function errorAnswer({ status, code, message = '' }: ErrorAnswer): Answer {
  return { status, body: JSON.stringify({ __type: code, message }) }
}

/** AWS refuses a signature whose time is too far from its own. */
function skewError(request: IncomingMessage, maxSkewMs: number): ErrorAnswer | undefined {
  const stamp = String(request.headers['x-amz-date'])
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp)
  if (parts === null) return undefined
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number)
  const signedAt = Date.UTC(year!, month! - 1, day!, hour!, minute!, second!)
  if (Math.abs(signedAt - trueTime()) <= maxSkewMs) return undefined
  const message = `Signature expired: ${stamp} is too far from the time of the service`
  return { status: 400, code: 'InvalidSignatureException', message }
}

/** The time, whatever a test does to `Date`. */
function trueTime(): number {
  return performance.timeOrigin + performance.now()
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.1',
    date: new Date(trueTime()).toUTCString(),
    ...headers,
  })
  response.end(body)
}

async function handOn(target: string, request: IncomingMessage, body: string): Promise<Answer> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (!['host', 'connection', 'content-length', 'transfer-encoding'].includes(name)) {
      headers[name] = String(value)
    }
  }
  const response = await fetch(target, { method: 'POST', headers, body })
  return { status: response.status, body: await response.text() }
}

async function read(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString('utf8')
}
