/** A call of the Kubernetes API. */
export interface KubeRequest {
  readonly method: string
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly contentType?: string
  readonly body?: unknown
}

export interface KubeReply {
  readonly status: number
  /** Parsed JSON, or text. */
  readonly body: unknown
  /** Seconds to wait, when the server says so. */
  readonly retryAfter?: number
}

/** The way to the API server of one cluster, with the rights of one risk class. */
export interface Kube {
  /** Rejects with {@link Unanswered} when no whole answer came: the call may have been made. */
  send(request: KubeRequest): Promise<KubeReply>
}

/** There was no whole answer in time. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered'
}

/** A cluster is not set up for actions of a risk class. */
export class NoRole extends Error {
  override readonly name = 'NoRole'
}

/** The API server said no. */
export class KubeError extends Error {
  override readonly name = 'KubeError'
  readonly status: number

  constructor(request: KubeRequest, { status, body }: KubeReply) {
    super(`${request.method} ${request.path}: ${status} ${messageOf(body)}`)
    this.status = status
  }
}

/** The server's own words, cut: they may quote names that an attacker chose. */
export function messageOf(body: unknown): string {
  const message = (body as { message?: unknown } | null)?.message
  const text = typeof message === 'string' ? message : typeof body === 'string' ? body : ''
  return text.slice(0, 300)
}

/** Reads an object; `undefined` when there is none. Waits and asks again a few times. */
export async function readObject<T>(kube: Kube, path: string): Promise<T | undefined> {
  const request = { method: 'GET', path }
  const reply = await ask(kube, request)
  if (reply.status < 300) return reply.body as T
  if (isMissing(reply)) return undefined
  throw new KubeError(request, reply)
}

/** All objects of a list, page by page, at most `most`; `undefined` when there is no such kind. */
export async function readList<T>(
  kube: Kube,
  path: string,
  query: Readonly<Record<string, string>> = {},
  most = 10_000,
): Promise<T[] | undefined> {
  const found: T[] = []
  let next = ''
  do {
    const page: Record<string, string> = { ...query, limit: '500' }
    if (next !== '') page['continue'] = next
    const reply = await ask(kube, { method: 'GET', path, query: page })
    if (reply.status === 404) return undefined
    const { items = [], metadata } = reply.body as {
      items?: T[]
      metadata?: { continue?: string }
    }
    found.push(...items)
    next = metadata?.continue ?? ''
  } while (next !== '' && found.length < most)
  if (next !== '') throw new Error(`${path}: more than ${most} objects`)
  return found
}

/** Asks what may be asked again: answers other than 2xx and 404 reject, the fleeting ones after retries. */
export async function ask(
  kube: Kube,
  request: KubeRequest,
  sleep: (ms: number) => Promise<void> = pause,
): Promise<KubeReply> {
  for (let attempt = 0; ; attempt++) {
    const isLast = attempt >= 3
    try {
      const reply = await kube.send(request)
      if (reply.status < 300 || reply.status === 404) return reply
      if (isLast || !isFleeting(reply.status)) throw new KubeError(request, reply)
      await sleep(waitOf(reply.retryAfter, attempt))
    } catch (error) {
      if (isLast || !(error instanceof Unanswered)) throw error
      await sleep(waitOf(undefined, attempt))
    }
  }
}

/** Whether the API server itself says that there is no such object: what stands before it has a 404, too. */
export function isMissing({ status, body }: KubeReply): boolean {
  return status === 404 && (body as { reason?: unknown } | null)?.reason === 'NotFound'
}

/**
 * Whether an answer says that the object of that uid is not there any more. A patch that names the uid
 * of an object replaced since is refused as if it wanted to change the uid.
 */
export function saysGone(reply: KubeReply): boolean {
  return isMissing(reply) || (reply.status === 422 && causesOf(reply).includes('metadata.uid'))
}

/** What an answer names as its causes: fields, or reasons where it is about none. */
export function causesOf({ body }: KubeReply): string[] {
  const { details } = (body ?? {}) as {
    details?: { causes?: readonly { field?: string; reason?: string }[] }
  }
  return (details?.causes ?? []).flatMap(({ field, reason }) => [field ?? [], reason ?? []].flat())
}

export function isFleeting(status: number): boolean {
  return status === 429 || status >= 500
}

/** Milliseconds until the next attempt: what the server asks for, else longer each time. */
export function waitOf(retryAfter: number | undefined, attempt: number): number {
  if (retryAfter !== undefined) return Math.min(retryAfter, 10) * 1000
  return Math.round(200 * 2 ** attempt * (0.5 + Math.random() / 2))
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
