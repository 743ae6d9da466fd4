import { createServer, type IncomingMessage } from 'node:http'
import type { Emulator } from './kinesis.ts'
import { close, listen } from './listen.ts'

export interface JsonRequest {
  readonly method: string
  /** With its query. */
  readonly url: URL
  /** Of the AWS JSON protocols, as `GetSecretValue`; "" of the REST ones. */
  readonly operation: string
  readonly input: Readonly<Record<string, unknown>>
}

/** What a service refuses, in the terms of AWS. */
export class ServiceError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** A service that takes and gives JSON, on this machine alone. */
export async function startJsonService(
  serve: (request: JsonRequest) => object | Promise<object>,
): Promise<Emulator> {
  const server = createServer(async (incoming, response) => {
    try {
      const body = await serve(await read(incoming))
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
      response.end(JSON.stringify(body))
    } catch (error) {
      const isOurs = error instanceof ServiceError
      const code = isOurs ? error.code : 'InternalServerException'
      const message = error instanceof Error ? error.message : String(error)
      response.writeHead(isOurs ? error.status : 500, {
        'content-type': 'application/x-amz-json-1.1',
        'x-amzn-errortype': code,
      })
      response.end(JSON.stringify({ __type: code, message, Message: message }))
    }
  })
  const port = await listen(server)
  return { endpoint: `http://127.0.0.1:${port}`, stop: () => close(server) }
}

async function read(incoming: IncomingMessage): Promise<JsonRequest> {
  const pieces: Buffer[] = []
  for await (const piece of incoming) pieces.push(piece as Buffer)
  const text = Buffer.concat(pieces).toString('utf8')
  const [, operation = ''] = String(incoming.headers['x-amz-target'] ?? '').split('.')
  return {
    method: incoming.method ?? 'GET',
    url: new URL(incoming.url ?? '/', 'http://127.0.0.1'),
    operation,
    input: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  }
}
