import { cordonPrefix, marks, shortId } from '../actions/marks.ts'
import {
  isFleeting,
  isMissing,
  type Kube,
  type KubeReply,
  type KubeRequest,
  messageOf,
  pause,
  saysGone,
} from '../kubernetes/kube.ts'
import type { Inverse } from '../plan/plan.ts'
import type { KubeObject, Meta } from '../world/objects.ts'
import { isAsWritten, type WrittenObject } from './as-written.ts'
import { attempt, type CallResult, type Sleep } from './attempt.ts'

export type BackResult =
  | CallResult
  /** Somebody else changed it since: what they made of it stays. */
  | { readonly status: 'changed'; readonly reason: string }

type Held = KubeObject & { readonly spec?: Readonly<Record<string, unknown>> }

/** A pod that goes first when its controller has one too many. */
const deletionCost = 'controller.kubernetes.io/pod-deletion-cost'
const contentType = 'application/merge-patch+json'

/**
 * Takes one change back, as far as it is still ours. Each write holds only for the very version that was
 * looked at; when somebody was faster, it is looked at again. `uid`: of the object that was made, where it is known.
 */
export async function takeBack(
  kube: Kube,
  inverse: Inverse,
  response: string,
  sleep: Sleep = pause,
  uid?: string,
): Promise<BackResult> {
  const { path } = inverse
  return attempt<BackResult>(async () => {
    const read = await kube.send({ method: 'GET', path })
    if (isMissing(read)) return { result: { status: 'gone' } }
    if (read.status >= 300) return refusal('GET', path, read)
    const next = changeFor(inverse, read.body as Held, response, uid)
    if (!('request' in next)) return { result: next }
    const reply = await kube.send(next.request)
    if (saysGone(reply)) return { result: { status: 'gone' } }
    if (reply.status === 409) {
      return { again: `${path}: others change it, too`, isDone: false, retryAfter: 0 }
    }
    if (reply.status >= 300) return refusal(next.request.method, path, reply)
    const { left } = next
    return { result: left === undefined ? { status: 'done' } : { status: 'changed', reason: left } }
  }, sleep)
}

type Next = BackResult | { readonly request: KubeRequest; readonly left: string | undefined }

function changeFor(inverse: Inverse, object: Held, response: string, made?: string): Next {
  if (inverse.kind === 'object') return deletion(inverse, object, response, made)
  if (object.metadata.uid !== inverse.uid) return { status: 'gone' }
  return inverse.kind === 'metadata'
    ? metadataBack(inverse, object.metadata)
    : schedulableBack(inverse, object.metadata, object.spec?.['unschedulable'] === true)
}

function deletion(
  inverse: Extract<Inverse, { kind: 'object' }>,
  object: WrittenObject,
  response: string,
  made?: string,
): Next {
  const { path } = inverse
  const { metadata } = object
  if (metadata.labels?.[marks.response] !== shortId(response)) {
    return { status: 'changed', reason: `${path} does not carry our label any more` }
  }
  if (!isAsWritten(object, inverse, made)) {
    return { status: 'changed', reason: `${path} says something else than we wrote` }
  }
  const { uid, resourceVersion } = metadata
  const preconditions = { uid, resourceVersion }
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions }
  return { request: { method: 'DELETE', path, body }, left: undefined }
}

function metadataBack(inverse: Extract<Inverse, { kind: 'metadata' }>, metadata: Meta): Next {
  const { path, what, changes } = inverse
  const held = (what === 'labels' ? metadata.labels : metadata.annotations) ?? {}
  const values: Record<string, string | null> = {}
  const stays: string[] = []
  for (const [key, { ours, before }] of Object.entries(changes)) {
    const now = Object.hasOwn(held, key) ? held[key]! : null
    if (now === ours) values[key] = before
    else if (now !== before) stays.push(key)
  }
  const left =
    stays.length === 0 ? undefined : `${what} that somebody else set stay: ${stays.join(', ')}`
  if (Object.keys(values).length === 0) {
    return left === undefined ? { status: 'done' } : { status: 'changed', reason: left }
  }
  const { uid, resourceVersion } = metadata
  const annotations = {
    ...(what === 'annotations' && values),
    ...(inverse.cheapToDelete === true && { [deletionCost]: '-1000' }),
  }
  const labels = what === 'labels' ? { labels: values } : {}
  const body = { metadata: { uid, resourceVersion, ...labels, annotations } }
  return { request: { method: 'PATCH', path, contentType, body }, left }
}

function schedulableBack(
  { path, key, ours, wasUnschedulable }: Extract<Inverse, { kind: 'schedulable' }>,
  { uid, resourceVersion, annotations = {} }: Meta,
  isUnschedulable: boolean,
): Next {
  if (!Object.hasOwn(annotations, key)) {
    return isUnschedulable === wasUnschedulable
      ? { status: 'done' }
      : { status: 'changed', reason: 'our mark is gone from the node: it stays as it is' }
  }
  const others = Object.keys(annotations).some(
    (each) => each.startsWith(cordonPrefix) && each !== key,
  )
  // another response still holds it, or somebody has set it otherwise meanwhile
  const isOurs = isUnschedulable === ours && !others
  const body = {
    metadata: { uid, resourceVersion, annotations: { [key]: null } },
    ...(isOurs && { spec: { unschedulable: wasUnschedulable } }),
  }
  const left = isUnschedulable === ours ? undefined : 'somebody else set the node: it stays so'
  return { request: { method: 'PATCH', path, contentType, body }, left }
}

function refusal(method: string, path: string, { status, body, retryAfter }: KubeReply) {
  const reason = `${method} ${path}: ${status} ${messageOf(body)}`
  return isFleeting(status)
    ? { again: reason, isDone: status >= 500, retryAfter }
    : { result: { status: 'failed' as const, reason } }
}
