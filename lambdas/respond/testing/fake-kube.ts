import { type Kube, type KubeReply, type KubeRequest, Unanswered } from '../kubernetes/kube.ts'

type Fields = Record<string, unknown>
interface Stored extends Fields {
  metadata: Fields & { name: string; namespace?: string; uid: string; resourceVersion: string }
}

/** A cluster in memory that answers as a real API server does to the calls of responses. */
export class FakeKube implements Kube {
  /** By path. */
  readonly objects = new Map<string, Stored>()
  readonly requests: KubeRequest[] = []
  /** Budget refuses evictions. */
  refusesEvictions = false
  #version = 100
  #uids = 0

  put(path: string, object: Fields): string {
    const old = this.objects.get(path)
    this.#version += 1
    const uid = old?.metadata.uid ?? `uid-${++this.#uids}`
    const metadata = {
      ...(object['metadata'] as Stored['metadata']),
      uid,
      resourceVersion: `${this.#version}`,
    }
    this.objects.set(path, structuredClone({ ...object, metadata }))
    return uid
  }

  async send(request: KubeRequest): Promise<KubeReply> {
    this.requests.push(structuredClone(request))
    const { method, path } = request
    const isDry =
      request.query?.['dryRun'] === 'All' ||
      JSON.stringify((request.body as Fields)?.['dryRun'] ?? '') === '["All"]'
    if (method === 'GET') return this.#get(request)
    if (method === 'POST' && path.endsWith('/eviction')) {
      const { deleteOptions } = request.body as { deleteOptions: Fields }
      return this.#delete(path.slice(0, -'/eviction'.length), deleteOptions, isDry, true)
    }
    if (method === 'DELETE') return this.#delete(path, request.body as Fields, isDry, false)
    if (method === 'PATCH') return this.#patch(request, isDry)
    return status(405, 'no such method')
  }

  #get({ path, query }: KubeRequest): KubeReply {
    if (path.endsWith('/log')) {
      const isPrevious = query?.['previous'] === 'true'
      return isPrevious
        ? status(400, 'previous terminated container not found')
        : {
            status: 200,
            body: `2026-01-01T00:00:00Z started, token=abc123 ${query?.['container']}\n`,
          }
    }
    const object = this.objects.get(path)
    if (object !== undefined) return { status: 200, body: structuredClone(object) }
    const items = [...this.objects]
      .filter(([key]) => key.slice(0, key.lastIndexOf('/')) === path)
      .map(([, item]) => structuredClone(item))
    const isList = /\/(?:pods|nodes|services|networkpolicies|poddisruptionbudgets|events)$/.test(
      path,
    )
    return isList || items.length > 0
      ? { status: 200, body: { items, metadata: {} } }
      : status(404, `${path} not found`)
  }

  #delete(path: string, options: Fields, isDry: boolean, isEviction: boolean): KubeReply {
    const object = this.objects.get(path)
    if (object === undefined) return status(404, `${path} not found`)
    const { uid, resourceVersion } = (options?.['preconditions'] ?? {}) as Fields
    if (uid !== undefined && uid !== object.metadata.uid)
      return status(409, 'the UID in the precondition differs')
    if (resourceVersion !== undefined && resourceVersion !== object.metadata.resourceVersion) {
      return status(409, 'the ResourceVersion in the precondition differs')
    }
    if (isEviction && this.refusesEvictions)
      return { ...status(429, 'disruption budget'), retryAfter: 1 }
    if (!isDry) this.objects.delete(path)
    return { status: 200, body: {} }
  }

  #patch({ path, contentType, body }: KubeRequest, isDry: boolean): KubeReply {
    const object = this.objects.get(path)
    if (contentType === 'application/apply-patch+yaml') {
      if (
        !isDry &&
        JSON.stringify({ ...object, metadata: undefined }) !==
          JSON.stringify({ ...(body as Fields), metadata: undefined })
      ) {
        this.put(path, body as Fields)
      }
      return { status: object === undefined ? 201 : 200, body: {} }
    }
    if (object === undefined) return status(404, `${path} not found`)
    const { uid, resourceVersion } = (body as Stored).metadata
    if (uid !== undefined && uid !== object.metadata.uid) {
      const reply = status(422, 'metadata.uid: field is immutable')
      return {
        ...reply,
        body: { ...(reply.body as Fields), details: { causes: [{ field: 'metadata.uid' }] } },
      }
    }
    if (resourceVersion !== undefined && resourceVersion !== object.metadata.resourceVersion) {
      return status(409, 'the object has been modified')
    }
    const next = merge(object, body) as Stored
    if (!isDry && JSON.stringify(next) !== JSON.stringify(object)) this.put(path, next)
    return { status: 200, body: next }
  }
}

function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Fields = { ...(typeof target === 'object' ? (target as Fields) : {}) }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = merge(result[key], value)
  }
  return result
}

function status(code: number, message: string): KubeReply {
  return { status: code, body: { kind: 'Status', status: 'Failure', message, code } }
}

/** A way to a cluster on which things go wrong as told. */
export class FaultyKube implements Kube {
  readonly #kube: Kube
  /** Asked before each call. `after`: the call is made, and then this happens. */
  fault: (request: KubeRequest) =>
    | {
        readonly status?: number
        readonly retryAfter?: number
        readonly timeout?: boolean
        readonly after?: boolean
      }
    | undefined = () => undefined

  constructor(kube: Kube) {
    this.#kube = kube
  }

  async send(request: KubeRequest): Promise<KubeReply> {
    const fault = this.fault(request)
    if (fault === undefined) return this.#kube.send(request)
    if (fault.after === true) await this.#kube.send(request)
    if (fault.timeout === true) throw new Unanswered(`${request.method} ${request.path}: timed out`)
    const reply = status(fault.status ?? 500, `this is a planned ${fault.status}`)
    return { ...reply, ...(fault.retryAfter !== undefined && { retryAfter: fault.retryAfter }) }
  }
}
