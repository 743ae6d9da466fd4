import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { type Certificate, makeAuthority, makeServerCertificate } from './certificate.ts'
import { type CallKind, type Fault, Faults } from './faults.ts'
import { type Change, type PodObject, PodStore } from './pod-store.ts'

export interface LoggedRequest {
  readonly method: string
  readonly kind: CallKind | 'other'
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly authorization: string | undefined
  status: number
}

/** A Kubernetes API for tests: real TLS, real watches of pods, and whatever can go wrong with them. */
export interface Kubernetes {
  readonly url: string
  readonly caFile: string
  readonly tokenFile: string
  readonly pods: {
    add(pod: PodObject): PodObject
    update(pod: PodObject): PodObject
    delete(pod: PodObject): void
  }
  /** Nodes by name, for calls about one. */
  readonly nodes: Map<string, object>
  readonly faults: Faults
  /** All calls so far. */
  readonly requests: readonly LoggedRequest[]
  /** Watches open now. */
  readonly watches: number
  /** Forgets the history: watches from before get a 410. */
  compact(): void
  /** Sends a bookmark to all watches. */
  bookmark(): void
  /** Ends all watches with an error event of this code. */
  failWatches(code: number): void
  /** Breaks all connections. */
  breakConnections(): void
  /** Takes another token from now on, and writes it to the file unless told otherwise. */
  rotateToken(options?: { readonly write?: boolean }): void
  /** Has a certificate of a new authority from now on, and writes that to the file unless told otherwise. */
  rotateAuthority(options?: { readonly write?: boolean }): void
  /** Stops listening, and listens again at the same port. */
  goDown(): Promise<void>
  comeBack(): Promise<void>
  stop(): Promise<void>
}

interface OpenWatch {
  readonly node: string | undefined
  readonly send: (event: unknown) => void
  readonly end: () => void
}

/** Starts a Kubernetes API at a port of this machine. */
export async function startKubernetes(): Promise<Kubernetes> {
  const directory = mkdtempSync(join(tmpdir(), 'lanner-kubernetes-'))
  const caFile = join(directory, 'ca.crt')
  const tokenFile = join(directory, 'token')
  const store = new PodStore()
  const faults = new Faults()
  const requests: LoggedRequest[] = []
  const watches = new Set<OpenWatch>()
  const sockets = new Set<Duplex>()
  let token = 'token-1'
  let tokens = 1
  let authority = makeAuthority('authority-1')
  writeFileSync(caFile, authority.certificatePem)
  writeFileSync(tokenFile, `${token}\n`)

  store.onChange((change) => {
    for (const watch of watches) if (isOf(watch.node, change.pod)) watch.send(eventOf(change))
  })
  const server = createServer(credentials(authority), (request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  // A client that breaks off, or does not trust the certificate, is no fault of the server.
  server.on('tlsClientError', () => {})
  await listen(server, 0)
  const { port } = server.address() as AddressInfo

  const nodes = new Map<string, object>()

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'https://localhost')
    const query = Object.fromEntries(url.searchParams)
    const isPods = request.method === 'GET' && url.pathname === '/api/v1/pods'
    const kind = !isPods ? 'other' : /^(?:true|1)$/.test(query['watch'] ?? '') ? 'watch' : 'list'
    const { authorization } = request.headers
    const logged: LoggedRequest = {
      method: request.method ?? '',
      kind,
      path: url.pathname,
      query,
      authorization,
      status: 0,
    }
    requests.push(logged)
    const fail = (status: number, message: string, retryAfter?: number) => {
      logged.status = status
      const head = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
      response.writeHead(status, { 'content-type': 'application/json', ...head })
      response.end(JSON.stringify(statusOf(status, message)))
    }
    if (authorization !== `Bearer ${token}`) return fail(401, 'Unauthorized')
    const node = nodes.get(url.pathname.replace('/api/v1/nodes/', ''))
    if (node !== undefined && request.method === 'GET') {
      response.end(JSON.stringify(node))
      return
    }
    if (kind === 'other') return fail(404, 'the server could not find the requested resource')
    const fault = faults.take(kind)
    switch (fault?.kind) {
      case 'status':
        return fail(fault.status, `this is a planned ${fault.status}`, fault.retryAfter)
      case 'hang':
        return
      case 'refuse':
        request.socket.destroy()
        return
      case 'delay':
        await delay(fault.milliseconds)
        break
      case 'body':
        response.end(fault.body)
        return
    }
    const write = writer(response, fault)
    const selected = nodeOf(query['fieldSelector'])
    if (selected === undefined) return fail(400, 'this field selector is not supported')
    if (kind === 'list') list(query, selected.node, write, fail, logged)
    else watch(query, selected.node, response, write, logged)
  }

  function list(
    query: Readonly<Record<string, string>>,
    node: string | undefined,
    write: Write,
    fail: (status: number, message: string) => void,
    logged: LoggedRequest,
  ): void {
    const [version, from] = (query['continue'] ?? `${store.version}:0`).split(':').map(Number)
    if (version! < store.oldest) {
      fail(410, 'The provided continue parameter is too old')
      return
    }
    const all = store.pods.filter((pod) => isOf(node, pod))
    // A server's cache does not cut its answers into pages.
    const limit = query['resourceVersion'] === '0' ? 0 : Number(query['limit'] ?? 0)
    const end = limit === 0 ? all.length : Math.min(from! + limit, all.length)
    const next = end < all.length ? { continue: `${version}:${end}` } : {}
    logged.status = 200
    write(
      JSON.stringify({
        kind: 'PodList',
        apiVersion: 'v1',
        metadata: { resourceVersion: String(version), ...next },
        items: all.slice(from, end),
      }),
      true,
    )
  }

  function watch(
    query: Readonly<Record<string, string>>,
    node: string | undefined,
    response: ServerResponse,
    write: Write,
    logged: LoggedRequest,
  ): void {
    const version = Number(query['resourceVersion'] ?? store.version)
    const send = (event: unknown) => write(`${JSON.stringify(event)}\n`, false)
    logged.status = 200
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    if (version < store.oldest) {
      send({ type: 'ERROR', object: statusOf(410, `too old resource version: ${version}`) })
      write('', true)
      return
    }
    for (const change of store.since(version)) if (isOf(node, change.pod)) send(eventOf(change))
    const open: OpenWatch = { node, send, end: () => write('', true) }
    watches.add(open)
    const seconds = Number(query['timeoutSeconds'] ?? 1800)
    const timer = setTimeout(() => {
      if (query['allowWatchBookmarks'] === 'true') send(bookmarkAt(store.version))
      open.end()
    }, seconds * 1000)
    response.on('close', () => {
      clearTimeout(timer)
      watches.delete(open)
    })
  }

  const breakConnections = () => {
    for (const socket of sockets) socket.destroy()
  }

  return {
    url: `https://127.0.0.1:${port}`,
    caFile,
    tokenFile,
    pods: {
      add: (pod) => store.put(pod),
      update: (pod) => store.put(pod),
      delete: (pod) => store.delete(pod),
    },
    nodes,
    faults,
    requests,
    get watches() {
      return watches.size
    },
    compact: () => store.compact(),
    bookmark() {
      for (const { send } of watches) send(bookmarkAt(store.version))
    },
    failWatches(code) {
      for (const { send, end } of [...watches]) {
        send({ type: 'ERROR', object: statusOf(code, `this is a planned ${code}`) })
        end()
      }
    },
    breakConnections,
    rotateToken({ write = true } = {}) {
      tokens += 1
      token = `token-${tokens}`
      if (write) writeFileSync(tokenFile, `${token}\n`)
    },
    rotateAuthority({ write = true } = {}) {
      authority = makeAuthority('authority-2')
      server.setSecureContext(credentials(authority))
      if (write) writeFileSync(caFile, authority.certificatePem)
    },
    async goDown() {
      const closed = new Promise((resolve) => server.close(resolve))
      breakConnections()
      await closed
    },
    comeBack: () => listen(server, port),
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      breakConnections()
      await closed
      rmSync(directory, { recursive: true })
    },
  }
}

function credentials(authority: Certificate) {
  const { keyPem, certificatePem } = makeServerCertificate(authority)
  return { key: keyPem, cert: certificatePem }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
}

type Write = (text: string, isLast: boolean) => void

/** Writes an answer as the fault says. */
function writer(response: ServerResponse, fault: Fault | undefined): Write {
  let sent = 0
  let queue = Promise.resolve()
  return (text, isLast) => {
    const bytes = Buffer.from(text)
    if (fault?.kind === 'dribble') {
      queue = queue.then(async () => {
        for (let at = 0; at < bytes.length && !response.destroyed; at += fault.bytes) {
          response.write(bytes.subarray(at, at + fault.bytes))
          await delay(fault.milliseconds)
        }
        if (isLast) response.end()
      })
      return
    }
    if (fault?.kind === 'drop' && sent + bytes.length > fault.afterBytes) {
      response.write(bytes.subarray(0, Math.max(fault.afterBytes - sent, 0)), () =>
        response.socket?.destroy(),
      )
      sent = Number.POSITIVE_INFINITY
      return
    }
    sent += bytes.length
    if (isLast) response.end(bytes)
    else response.write(bytes)
  }
}

/** `undefined` for a selector of something else than the node. */
function nodeOf(selector: string | undefined): { node: string | undefined } | undefined {
  if (selector === undefined) return { node: undefined }
  const node = /^spec\.nodeName=(.+)$/.exec(selector)?.[1]
  return node === undefined ? undefined : { node }
}

function isOf(node: string | undefined, pod: PodObject): boolean {
  return node === undefined || pod.spec.nodeName === node
}

function eventOf({ type, version, pod }: Change) {
  const metadata = { ...pod.metadata, resourceVersion: String(version) }
  return { type, object: { kind: 'Pod', apiVersion: 'v1', ...pod, metadata } }
}

function bookmarkAt(version: number) {
  return {
    type: 'BOOKMARK',
    object: { kind: 'Pod', apiVersion: 'v1', metadata: { resourceVersion: String(version) } },
  }
}

function statusOf(code: number, message: string) {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code }
}
