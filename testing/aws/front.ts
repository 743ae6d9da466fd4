import { request as ask, createServer } from 'node:http'
import { close, listen } from '../../infra/local/emulators/listen.ts'

export interface FrontRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Buffer
}

export interface FrontAnswer {
  readonly status: number
  readonly type: string
  readonly body: string
}

export interface Front {
  readonly endpoint: string
  stop(): Promise<void>
}

/**
 * Stands before a service of this machine. `meet` sees each request first: it may wait, answer in its place,
 * or let the service do it and take the answer away (`lost`: the connection breaks).
 */
export async function startFront(
  target: string,
  meet: (request: FrontRequest) => Promise<FrontAnswer | 'lost' | undefined>,
): Promise<Front> {
  const server = createServer(async (incoming, response) => {
    const pieces: Buffer[] = []
    for await (const piece of incoming) pieces.push(piece as Buffer)
    const { method = 'GET', url: path = '/', headers } = incoming
    const body = Buffer.concat(pieces)
    const answer = await meet({ method, path, headers, body })
    if (typeof answer === 'object') {
      response.writeHead(answer.status, { 'content-type': answer.type })
      response.end(answer.body)
      return
    }
    const onward = ask(new URL(path, target), { method, headers }, (reply) => {
      if (answer === 'lost') {
        reply.resume().on('end', () => response.destroy())
        return
      }
      response.writeHead(reply.statusCode ?? 500, reply.headers)
      reply.pipe(response)
    })
    onward.on('error', () => response.destroy())
    onward.end(body)
  })
  const port = await listen(server)
  return { endpoint: `http://127.0.0.1:${port}`, stop: () => close(server) }
}

/** What S3 says when it refuses. */
export function s3Error(status: number, code: string, message: string): FrontAnswer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`
  return { status, type: 'application/xml', body }
}

/** Lets the first so many pass together, once all of them are there; later ones at once. */
export function gate(count: number): () => Promise<void> {
  let come = 0
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return () => {
    come += 1
    if (come >= count) open()
    return opened
  }
}
