import { isDeepStrictEqual } from 'node:util'
import type { Kube, KubeReply, KubeRequest } from '../kubernetes/kube.ts'
import { selects } from '../world/labels.ts'
import type { Budget, Pod } from '../world/objects.ts'
import { apply, type Fields, fieldName, merge, type Owners, updated } from './fake-apply.ts'

interface Stored extends Fields {
  metadata: Fields & { name: string; namespace?: string; uid: string; resourceVersion: string }
}

/** In the path of a collection; without it, that of all namespaces. */
const ofNamespace = /\/namespaces\/[^/]+(?=\/[^/]+$)/
const collectionOf = (key: string) => key.slice(0, key.lastIndexOf('/'))
const lists = /\/(?:pods|nodes|services|networkpolicies|poddisruptionbudgets|events)$/
const labelValue = /^(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?$/
const deletedAt = '2027-01-15T08:00:00Z'

/**
 * A cluster in memory. `kube-contract.ts` holds it against a real API server in all that responses rely
 * on. Logs of containers come from no node, but are made up.
 */
export class FakeKube implements Kube {
  /** By path. */
  readonly objects = new Map<string, Stored>()
  readonly requests: KubeRequest[] = []
  readonly #owners = new Map<string, Owners>()
  #version = 100
  #uids = 0

  /** Puts an object there as it is, as if the cluster had always had it; gives its uid. */
  put(path: string, object: Fields): string {
    return this.#keep(path, object).metadata.uid
  }

  /** Applies an object as somebody else who has the last word. */
  applyAs(manager: string, path: string, object: Fields): void {
    const owners = this.#owners.get(path) ?? new Map()
    const applied = apply(this.objects.get(path), owners, object, manager, true)
    if ('conflicts' in applied) throw new Error(`${path}: ${applied.conflicts}`)
    this.#owners.set(path, applied.owners)
    this.#keep(path, applied.object)
  }

  async send(request: KubeRequest): Promise<KubeReply> {
    this.requests.push(structuredClone(request))
    const { method, path, contentType } = request
    const { dryRun } = (request.body ?? {}) as Fields
    const isDry = request.query?.['dryRun'] === 'All' || isDeepStrictEqual(dryRun, ['All'])
    if (method === 'GET') return this.#get(request)
    if (method === 'POST' && path.endsWith('/eviction')) return this.#evict(request, isDry)
    if (method === 'DELETE') return this.#delete(path, request.body as Fields, isDry)
    if (method !== 'PATCH') return failure(405, 'MethodNotAllowed', 'no such method')
    return contentType === 'application/apply-patch+yaml'
      ? this.#apply(request, isDry)
      : this.#patch(request, isDry)
  }

  #get({ path, query }: KubeRequest): KubeReply {
    if (path.endsWith('/log')) {
      const isPrevious = query?.['previous'] === 'true'
      if (isPrevious) return failure(400, 'BadRequest', 'previous terminated container not found')
      const body = `2026-01-01T00:00:00Z started, token=abc123 ${query?.['container']}\n`
      return { status: 200, body }
    }
    const object = this.objects.get(path)
    if (object !== undefined) return { status: 200, body: this.#shown(path, object) }
    const paths = [...this.objects.keys()].filter((key) =>
      [collectionOf(key), collectionOf(key).replace(ofNamespace, '')].includes(path),
    )
    if (!lists.test(path) && paths.length === 0) return notFound(path)
    const [field = '', value] = (query?.['fieldSelector'] ?? '').split('=')
    const found = paths
      .sort()
      .map((key) => this.#shown(key, this.objects.get(key)!))
      .filter((each) => field === '' || valueAt(each, field) === value)
    const from = Number(query?.['continue'] ?? 0)
    const end = from + Number(query?.['limit'] ?? found.length)
    const next = end < found.length ? { continue: `${end}` } : {}
    return {
      status: 200,
      body: {
        metadata: { resourceVersion: `${this.#version}`, ...next },
        items: found.slice(from, end),
      },
    }
  }

  #apply({ path, query, body }: KubeRequest, isDry: boolean): KubeReply {
    const wanted = body as Stored
    const before = this.objects.get(path)
    if (wanted.metadata.name !== path.slice(path.lastIndexOf('/') + 1)) {
      return failure(400, 'BadRequest', 'the name of the object is not the one in the URL')
    }
    const owners = this.#owners.get(path) ?? new Map()
    const manager = query?.['fieldManager'] ?? ''
    const applied = apply(before, owners, wanted, manager, query?.['force'] === 'true')
    if ('conflicts' in applied) {
      const causes = applied.conflicts.map((leaf) => {
        return { reason: 'FieldManagerConflict', field: fieldName(leaf) }
      })
      return failure(409, 'Conflict', 'Apply failed: others have set these fields', { causes })
    }
    const wrong = wrongLabels(applied.object)
    if (wrong !== undefined) return wrong
    const status = before === undefined ? 201 : 200
    if (isDry) return { status, body: applied.object }
    this.#owners.set(path, applied.owners)
    return { status, body: this.#shown(path, this.#keep(path, applied.object)) }
  }

  #patch({ path, body }: KubeRequest, isDry: boolean): KubeReply {
    const object = this.objects.get(path)
    if (object === undefined) return notFound(path)
    const { uid, resourceVersion } = (body as Partial<Stored>).metadata ?? {}
    if (uid !== undefined && uid !== object.metadata.uid) {
      const causes = [{ reason: 'FieldValueInvalid', field: 'metadata.uid' }]
      return failure(422, 'Invalid', 'metadata.uid: field is immutable', { causes })
    }
    if (resourceVersion !== undefined && resourceVersion !== object.metadata.resourceVersion) {
      return failure(409, 'Conflict', 'the object has been modified')
    }
    const next = normal(merge(object, body) as Stored)
    const wrong = wrongLabels(next)
    if (wrong !== undefined) return wrong
    if (isDry) return { status: 200, body: next }
    this.#owners.set(path, updated(object, next, this.#owners.get(path) ?? new Map(), 'update'))
    return { status: 200, body: this.#shown(path, this.#keep(path, next)) }
  }

  #evict({ path, body }: KubeRequest, isDry: boolean): KubeReply {
    const podPath = path.slice(0, -'/eviction'.length)
    const pod = this.objects.get(podPath) as (Stored & Pod) | undefined
    if (pod === undefined) return notFound(podPath)
    const { deleteOptions = {} } = body as { deleteOptions?: Fields }
    const isWithoutEffect = isDry || isDeepStrictEqual(deleteOptions['dryRun'], ['All'])
    const isOver =
      pod.metadata.deletionTimestamp !== undefined ||
      ['Pending', 'Succeeded', 'Failed'].includes(pod.status?.phase ?? '')
    const budgets = isOver ? [] : this.#budgetsOf(pod)
    if (budgets.length > 1) {
      return failure(500, 'InternalError', 'This pod has more than one PodDisruptionBudget')
    }
    for (const [, { status }] of budgets) {
      if ((status?.disruptionsAllowed ?? 0) > 0) continue
      const causes = [{ reason: 'DisruptionBudget' }]
      return failure(429, 'TooManyRequests', "it would violate the pod's disruption budget", {
        causes,
      })
    }
    const reply = this.#delete(podPath, deleteOptions, isWithoutEffect)
    if (reply.status >= 300) return reply
    for (const [key, budget] of isWithoutEffect ? [] : budgets) {
      const disruptionsAllowed = budget.status!.disruptionsAllowed! - 1
      this.#keep(key, merge(budget, { status: { disruptionsAllowed } }) as Fields)
    }
    return { status: 201, body: { kind: 'Status', status: 'Success' } }
  }

  #budgetsOf({ metadata }: Pod): (readonly [string, Budget])[] {
    const folder = `/apis/policy/v1/namespaces/${metadata.namespace}/poddisruptionbudgets/`
    return [...this.objects].flatMap(([key, object]) => {
      const budget = object as unknown as Budget
      const isOne = key.startsWith(folder) && selects(budget.spec.selector, metadata.labels ?? {})
      return isOne ? [[key, budget] as const] : []
    })
  }

  /** A pod on a node stays, marked, until its node has ended it. */
  #delete(path: string, options: Fields | undefined, isDry: boolean): KubeReply {
    const object = this.objects.get(path)
    if (object === undefined) return notFound(path)
    const { metadata, spec, status } = object as Stored & Pod
    const { uid, resourceVersion } = (options?.['preconditions'] ?? {}) as Fields
    if (uid !== undefined && uid !== metadata.uid) {
      return failure(409, 'Conflict', 'Precondition failed: UID in precondition differs')
    }
    if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
      return failure(409, 'Conflict', 'Precondition failed: ResourceVersion differs')
    }
    if (isDry) return { status: 200, body: object }
    const isOnNode = path.includes('/pods/') && spec?.nodeName !== undefined
    const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed'
    const grace = options?.['gracePeriodSeconds'] ?? 30
    if (!isOnNode || isOver || grace === 0) {
      this.objects.delete(path)
      this.#owners.delete(path)
    } else if (metadata.deletionTimestamp === undefined) {
      const ending = { deletionTimestamp: deletedAt, deletionGracePeriodSeconds: grace }
      this.#keep(path, merge(object, { metadata: ending }) as Fields)
    }
    return { status: 200, body: object }
  }

  #keep(path: string, object: Fields): Stored {
    const old = this.objects.get(path)
    const metadata = object['metadata'] as Stored['metadata']
    const uid = old?.metadata.uid ?? `uid-${++this.#uids}`
    const next = normal({ ...object, metadata: { ...metadata, uid } } as Stored)
    const { resourceVersion } = old?.metadata ?? {}
    const same = { ...next, metadata: { ...next.metadata, resourceVersion } }
    if (old !== undefined && isDeepStrictEqual(old, same)) return old
    next.metadata.resourceVersion = `${++this.#version}`
    this.objects.set(path, structuredClone(next))
    return next
  }

  #shown(path: string, object: Stored): Stored {
    const managers = new Set(
      [...(this.#owners.get(path)?.values() ?? [])].flatMap((all) => [...all]),
    )
    const managedFields = [...managers].map((manager) => ({ manager, operation: 'Apply' }))
    return structuredClone({
      ...object,
      metadata: { ...object.metadata, ...(managedFields.length > 0 && { managedFields }) },
    })
  }
}

/** An answer that says no, as an API server gives it. */
export function failure(
  code: number,
  reason: string,
  message: string,
  details?: object,
): KubeReply {
  const body = { kind: 'Status', status: 'Failure', message, reason, code }
  return { status: code, body: { ...body, ...(details && { details }) } }
}

function notFound(path: string): KubeReply {
  return failure(404, 'NotFound', `${path} not found`)
}

/** As it is kept: without what is empty or false by default. */
function normal({ metadata, ...object }: Stored): Stored {
  const { labels = {}, annotations = {}, ...rest } = metadata
  const maps = Object.entries({ labels, annotations }).filter(
    ([, map]) => Object.keys(map as object).length > 0,
  )
  const { spec } = object as { spec?: Fields }
  if (spec?.['unschedulable'] !== false) {
    return { ...object, metadata: { ...rest, ...Object.fromEntries(maps) } } as Stored
  }
  const { unschedulable: _, ...open } = spec
  return { ...object, spec: open, metadata: { ...rest, ...Object.fromEntries(maps) } } as Stored
}

function wrongLabels({ metadata }: Fields): KubeReply | undefined {
  const { labels = {} } = metadata as { labels?: Record<string, string> }
  if (Object.values(labels).every((value) => labelValue.test(value))) return undefined
  const causes = [{ reason: 'FieldValueInvalid', field: 'metadata.labels' }]
  return failure(422, 'Invalid', 'metadata.labels: Invalid value', { causes })
}

function valueAt(object: Fields, field: string): unknown {
  return field
    .split('.')
    .reduce<unknown>((value, key) => (value as Fields | undefined)?.[key], object)
}
