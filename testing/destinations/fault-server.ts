import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Certificate } from '../kubernetes/certificate.ts'

/** A request as a vendor's stand-in sees it. */
export interface Received {
  /** When all of it was here, milliseconds of the epoch. */
  readonly at: number
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/**
 * What goes wrong with a request:
 * - a reply: it is given instead of the vendor's, who never sees the request,
 * - `lost`: the vendor does it, the connection breaks before the answer,
 * - `cut`: the connection breaks before the vendor sees it,
 * - `slow`: the vendor does it, and its answer comes byte by byte and never ends.
 */
export type Fault = Reply | 'lost' | 'cut' | 'slow'

export interface Vendor {
  serve(request: Received): Reply | Promise<Reply>
}

export interface TlsSetup {
  readonly server: Certificate
  /** Clients must show a certificate of this authority. */
  readonly clients?: Certificate
}

/** Puts a vendor's stand-in behind a real socket, with faults on demand. */
export class FaultServer {
  /** Looked at for each request. */
  fault: (request: Received) => Fault | undefined = () => undefined
  readonly requests: Received[] = []
  readonly #server: ReturnType<typeof createHttp>
  readonly #scheme: string

  private constructor(vendor: Vendor, tls: TlsSetup | undefined) {
    const listener = (request: IncomingMessage, response: ServerResponse) =>
      void this.#answer(vendor, request, response)
    this.#scheme = tls === undefined ? 'http' : 'https'
    this.#server =
      tls === undefined
        ? createHttp(listener)
        : createHttps(
            {
              ...{ key: tls.server.keyPem, cert: tls.server.certificatePem },
              ...(tls.clients !== undefined && {
                ...{ requestCert: true, rejectUnauthorized: true, ca: tls.clients.certificatePem },
              }),
            },
            listener,
          )
  }

  static async start(vendor: Vendor, tls?: TlsSetup): Promise<FaultServer> {
    const server = new FaultServer(vendor, tls)
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  async #answer(vendor: Vendor, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = []
    try {
      for await (const piece of request) pieces.push(piece as Buffer)
    } catch {
      return
    }
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const received: Received = {
      ...{ at: Date.now(), method: request.method ?? '', path: pathname, query: searchParams },
      ...{ headers: request.headers, body: Buffer.concat(pieces) },
    }
    this.requests.push(received)
    const fault = this.fault(received)
    if (fault === 'cut') return void request.socket.destroy()
    const reply = typeof fault === 'object' ? fault : await vendor.serve(received)
    if (fault === 'lost') return void request.socket.destroy()
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
    if (fault !== 'slow') return void response.end(reply.body ?? '')
    response.write('{')
    const drip = setInterval(() => response.write(' '), 20)
    response.on('close', () => clearInterval(drip))
  }
}

export function json(
  status: number,
  body: unknown,
  headers?: Readonly<Record<string, string>>,
): Reply {
  return { status, body: JSON.stringify(body), ...(headers !== undefined && { headers }) }
}
