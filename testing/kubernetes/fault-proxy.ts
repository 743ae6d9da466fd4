import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, createServer, request as send } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { makeAuthority, makeServerCertificate } from './certificate.ts'
import type { Fault } from './faults.ts'

/** A call on its way to the API server. */
export interface ProxiedCall {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly body: string
}

export interface PlannedFault {
  readonly fault: Fault
  /** The API server gets the call and does it, whatever becomes of its answer. */
  readonly isDone?: boolean
}

export type FaultPlan = (call: ProxiedCall) => PlannedFault | undefined

/** Stands between clients and a real API server, over TLS on both sides. */
export interface KubernetesFaultProxy {
  readonly caPem: string
  /** An address of its own for a client, whose calls go wrong as planned. */
  lane(plan: FaultPlan): string
  stop(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** Starts a proxy at a port of this machine in front of an API server. */
export async function startKubernetesFaultProxy(upstream: {
  readonly url: string
  readonly caPem: string
}): Promise<KubernetesFaultProxy> {
  const authority = makeAuthority('fault-proxy')
  const { keyPem, certificatePem } = makeServerCertificate(authority)
  const agent = new Agent({ ca: upstream.caPem, keepAlive: true, maxSockets: 32 })
  const lanes: FaultPlan[] = []

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, lane = '', path = '/'] = /^\/(\d+)(\/.*)$/.exec(incoming.url ?? '') ?? []
    const body = await readAll(incoming)
    const { method = 'GET', headers } = incoming
    const planned = lanes[Number(lane)]?.({ method, path, body: body.toString() })
    const forward = () => forwarded(new URL(path, upstream.url), method, headers, body, agent)
    if (planned === undefined) return give(response, await forward())
    const { fault, isDone = false } = planned
    const done = isDone || fault.kind === 'drop' ? await forward() : undefined
    switch (fault.kind) {
      case 'status': {
        const { status, retryAfter } = fault
        const message = `this is a planned ${status}`
        const text = { kind: 'Status', status: 'Failure', message, reason: 'Planned', code: status }
        const head = retryAfter === undefined ? {} : { 'retry-after': `${retryAfter}` }
        response.writeHead(status, { 'content-type': 'application/json', ...head })
        response.end(JSON.stringify(text))
        return
      }
      case 'hang':
        return
      case 'refuse':
        incoming.socket.destroy()
        return
      case 'drop': {
        const { status, headers, body } = done!
        response.writeHead(status, { ...headers, 'content-length': body.length })
        response.write(body.subarray(0, fault.afterBytes), () => incoming.socket.destroy())
        return
      }
      case 'body':
        response.writeHead(200, { 'content-type': 'application/json' })
        response.end(fault.body)
        return
      case 'delay':
        await delay(fault.milliseconds)
        return give(response, done ?? (await forward()))
      case 'dribble':
        throw new Error('answers by a few bytes are not planned for here')
    }
  }

  const server = createServer({ key: keyPem, cert: certificatePem }, (incoming, response) => {
    answer(incoming, response).catch((error: unknown) => response.destroy(error as Error))
  })
  // a client that breaks off is no fault of the proxy
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    caPem: authority.certificatePem,
    lane: (plan) => `https://127.0.0.1:${port}/${lanes.push(plan) - 1}`,
    async stop() {
      server.closeAllConnections()
      agent.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function forwarded(
  url: URL,
  method: string,
  { host: _, connection: __, ...headers }: IncomingMessage['headers'],
  body: Buffer,
  agent: Agent,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = send(url, { method, headers, agent }, (incoming) => {
      readAll(incoming).then((all) => {
        const { 'transfer-encoding': _, ...given } = incoming.headers
        resolve({ status: incoming.statusCode ?? 502, headers: given, body: all })
      }, reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function give(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'content-length': body.length })
  response.end(body)
}

async function readAll(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
