import {
  type HttpMethod,
  IsomorphicFetchHttpLibrary,
  KubeConfig,
  RequestContext,
} from '@kubernetes/client-node'
import { type Kube, type KubeReply, type KubeRequest, Unanswered } from './kube.ts'

export interface ClusterAddress {
  readonly name: string
  /** `https://…`, private or public. */
  readonly server: string
  /** PEM of the cluster's authority: its certificate is always checked. */
  readonly caPem: string
}

export interface ClientOptions {
  readonly cluster: ClusterAddress
  /** A token that is good now; asked for before every call. */
  readonly token: () => Promise<string>
  /** Called when the server did not take the token: the next one must be new. */
  readonly onRefused?: () => void
  /** Milliseconds for a call: 10,000. */
  readonly timeoutMs?: number
}

/** Most bytes of an answer that are read. */
const mostBytes = 32 << 20
const http = new IsomorphicFetchHttpLibrary()
type Dispatcher = ReturnType<RequestContext['getDispatcher']>

async function connectionsTo(name: string, server: string, caPem: string): Promise<Dispatcher> {
  const config = new KubeConfig()
  const caData = Buffer.from(caPem).toString('base64')
  config.loadFromOptions({
    clusters: [{ name, server, caData, skipTLSVerify: false }],
    users: [{ name: 'lanner' }],
    contexts: [{ name: 'lanner', cluster: name, user: 'lanner' }],
    currentContext: 'lanner',
  })
  const context = new RequestContext(server, 'GET')
  await config.applySecurityAuthentication(context)
  return context.getDispatcher()
}

/** The Kubernetes API of a cluster, over `@kubernetes/client-node`. */
export class KubeClient implements Kube {
  readonly #options: ClientOptions
  readonly #server: string
  /** Connections that trust the cluster's authority alone, made once. */
  readonly #connections: Promise<Dispatcher | undefined>

  constructor(options: ClientOptions) {
    const { server, caPem } = options.cluster
    if (!server.startsWith('https://')) throw new Error(`${server} is no https address`)
    if (!caPem.includes('BEGIN CERTIFICATE')) {
      throw new Error(`the cluster ${options.cluster.name} has no authority to check it by`)
    }
    this.#options = options
    this.#server = server.replace(/\/$/, '')
    this.#connections = connectionsTo(options.cluster.name, this.#server, caPem)
  }

  async send(request: KubeRequest): Promise<KubeReply> {
    const first = await this.#send(request)
    if (first.status !== 401) return first
    // nothing was done: a new token may be asked with
    this.#options.onRefused?.()
    return this.#send(request)
  }

  async #send({ method, path, query = {}, contentType, body }: KubeRequest): Promise<KubeReply> {
    const { token, timeoutMs = 10_000 } = this.#options
    const url = new URL(this.#server + path)
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
    const context = new RequestContext(url.toString(), method as HttpMethod)
    context.setHeaderParam('Accept', 'application/json')
    if (body !== undefined) {
      context.setHeaderParam('Content-Type', contentType ?? 'application/json')
      context.setBody(JSON.stringify(body))
    }
    const signal = AbortSignal.timeout(timeoutMs)
    context.setSignal(signal)
    const dispatcher = await this.#connections
    if (dispatcher !== undefined) context.setDispatcher(dispatcher)
    context.setHeaderParam('Authorization', `Bearer ${await token()}`)
    try {
      const response = await http.send(context).toPromise()
      const text = await response.body.text()
      if (text.length > mostBytes) throw new Error(`more than ${mostBytes} bytes`)
      const isJson = response.headers['content-type']?.includes('json') === true
      const retryAfter = Number(response.headers['retry-after'])
      return {
        status: response.httpStatusCode,
        body: isJson && text !== '' ? JSON.parse(text) : text,
        ...(Number.isFinite(retryAfter) && { retryAfter }),
      }
    } catch (error) {
      const reason = (error as { cause?: Error }).cause ?? (error as Error)
      throw new Unanswered(`${method} ${path}: ${reason.message}`, { cause: error })
    }
  }
}
