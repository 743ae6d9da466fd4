import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { Counts, ErrorAnswer, Faults } from './faults.ts'

/** A request of the AWS JSON protocols. */
export interface AwsRequest {
  /** As `PutRecords`. */
  readonly operation: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Answer {
  readonly status: number
  readonly body: string
}

export interface FaultProxyOptions {
  readonly faults: Faults
  readonly counts: Counts
  /** What comes of a request that no general fault has met. */
  readonly serve: (request: AwsRequest) => Promise<Answer> | Answer
}

/** An HTTP server that lets AWS requests through, as far as the faults let it. */
export function createFaultProxy({ faults, counts, serve }: FaultProxyOptions): Server {
  const answerTo = (request: AwsRequest): Promise<Answer> | Answer => {
    const error = faults.error ?? skewError(request.headers, faults.maxSkewMs)
    if (error === undefined) return serve(request)
    counts.failed += 1
    return errorAnswer(error)
  }

  return createServer(async (incoming, response) => {
    try {
      counts.requests += 1
      const request = await read(incoming)
      if (faults.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, faults.delayMs))
      const drop = typeof faults.drop === 'function' ? faults.drop(request) : faults.drop
      const answer = drop === 'before' ? undefined : await answerTo(request)
      if (drop === undefined) send(response, answer!, request.headers['content-type'])
      else {
        counts.dropped += 1
        response.destroy()
      }
    } catch (error) {
      send(response, errorAnswer({ status: 500, code: 'InternalFailure', message: String(error) }))
    }
  })
}

export function errorAnswer({ status, code, message = '' }: ErrorAnswer): Answer {
  return { status, body: JSON.stringify({ __type: code, message }) }
}

/** Asks the service behind a proxy. */
export async function handOn(
  target: string,
  request: AwsRequest,
  body = request.body,
): Promise<Answer> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (!['host', 'connection', 'content-length', 'transfer-encoding'].includes(name)) {
      headers[name] = String(value)
    }
  }
  const response = await fetch(target, { method: 'POST', headers, body })
  return { status: response.status, body: await response.text() }
}

/** AWS refuses a signature whose time is too far from its own. */
function skewError(headers: IncomingHttpHeaders, maxSkewMs: number): ErrorAnswer | undefined {
  const stamp = String(headers['x-amz-date'])
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

function send(
  response: ServerResponse,
  { status, body }: Answer,
  contentType = 'application/x-amz-json-1.1',
): void {
  response.writeHead(status, {
    'content-type': contentType,
    date: new Date(trueTime()).toUTCString(),
  })
  response.end(body)
}

async function read(incoming: IncomingMessage): Promise<AwsRequest> {
  const pieces: Buffer[] = []
  for await (const piece of incoming) pieces.push(piece as Buffer)
  const [, operation = ''] = String(incoming.headers['x-amz-target']).split('.')
  return { operation, headers: incoming.headers, body: Buffer.concat(pieces).toString('utf8') }
}
