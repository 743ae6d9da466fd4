import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { FunctionError } from '../function-worker.ts'
import type { Emulator } from './kinesis.ts'
import { close, listen } from './listen.ts'

/** A function as this service knows it. */
export interface Invocable {
  /** Runs it and gives its answer; rejects with a {@link FunctionError}. */
  invoke(event: unknown): Promise<unknown>
  /** Takes an event whose answer nobody waits for. */
  accept(event: unknown): Promise<void>
}

/**
 * Stands in for Lambda as far as others invoke functions: `Invoke` of all three types, by name or ARN.
 *
 * Source: AWS Lambda API Reference, "Invoke".
 */
export async function startFunctions(
  find: (name: string) => Invocable | undefined,
): Promise<Emulator> {
  const server = createServer((incoming, response) => {
    answer(incoming, response, find).catch((error: unknown) => {
      refuse(response, 500, 'ServiceException', String(error))
    })
  })
  const port = await listen(server)
  return { endpoint: `http://127.0.0.1:${port}`, stop: () => close(server) }
}

async function answer(
  incoming: IncomingMessage,
  response: ServerResponse,
  find: (name: string) => Invocable | undefined,
): Promise<void> {
  const { pathname } = new URL(incoming.url ?? '/', 'http://127.0.0.1')
  const asked = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(pathname)?.[1]
  if (incoming.method !== 'POST' || asked === undefined) {
    refuse(response, 404, 'UnknownOperationException', `${pathname} is not served here`)
    return
  }
  const name = decodeURIComponent(asked).replace(/^arn:.*:function:/, '')
  const found = find(name)
  if (found === undefined) {
    refuse(response, 404, 'ResourceNotFoundException', `Function not found: ${name}`)
    return
  }
  let event: unknown
  try {
    event = await read(incoming)
  } catch (error) {
    const message = `Could not parse request body into json: ${(error as Error).message}`
    refuse(response, 400, 'InvalidRequestContentException', message)
    return
  }
  switch (incoming.headers['x-amz-invocation-type'] ?? 'RequestResponse') {
    case 'DryRun':
      response.writeHead(204).end()
      return
    case 'Event':
      await found.accept(event)
      response.writeHead(202).end()
      return
    default:
  }
  try {
    send(response, 200, {}, await found.invoke(event))
  } catch (error) {
    // Lambda answers 200 for a function that failed, and says so in a header.
    if (!(error instanceof FunctionError)) throw error
    send(response, 200, { 'x-amz-function-error': 'Unhandled' }, error.body)
  }
}

async function read(incoming: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = []
  for await (const piece of incoming) pieces.push(piece as Buffer)
  const text = Buffer.concat(pieces).toString('utf8')
  return text === '' ? {} : JSON.parse(text)
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  const body = { Type: status < 500 ? 'User' : 'Service', Message: message }
  send(response, status, { 'x-amzn-errortype': code }, body)
}

function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: unknown,
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body ?? null))
}
