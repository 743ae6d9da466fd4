import { marks, shortId } from '../actions/marks.ts'
import {
  causesOf,
  isFleeting,
  isMissing,
  type Kube,
  messageOf,
  pause,
  saysGone,
  Unanswered,
} from '../kubernetes/kube.ts'
import type { KubeCall } from '../plan/plan.ts'
import type { KubeObject } from '../world/objects.ts'
import { attempt, type CallResult, type Sleep } from './attempt.ts'

const eviction = '/eviction'

/**
 * Makes one call of a plan. Each is such that making it twice is as making it once, so what had no
 * answer is made again; a refusal that time does not heal is not.
 */
export async function runKubeCall(
  kube: Kube,
  call: KubeCall,
  response: string,
  sleep: Sleep = pause,
): Promise<CallResult> {
  const { method, path, query, contentType, body } = call
  if (call.owned === true) {
    const foreign = await whyNotOurs(kube, path, response, sleep)
    if (foreign !== undefined) return { status: 'failed', reason: foreign }
  }
  const request = {
    ...{ method, path, body },
    ...(query !== undefined && { query }),
    ...(contentType !== undefined && { contentType }),
  }
  return attempt<CallResult>(async () => {
    // an eviction of another uid costs the budget a disruption, and the server ten seconds of attempts
    if (path.endsWith(eviction) && (await isGone(kube, call))) return { result: { status: 'gone' } }
    const reply = await kube.send(request)
    if (reply.status < 300) return { result: { status: 'done', uid: uidOf(reply.body) } }
    if (call.uid !== undefined && saysGone(reply)) return { result: { status: 'gone' } }
    const reason = `${method} ${path}: ${reply.status} ${messageOf(reply.body)}`
    const { retryAfter } = reply
    if (reply.status === 409 && !causesOf(reply).includes('FieldManagerConflict')) {
      // another has its name, or somebody writes it at the same time
      if (await isGone(kube, call)) return { result: { status: 'gone' } }
      return { again: reason, isDone: false, retryAfter }
    }
    if (!isFleeting(reply.status)) return { result: { status: 'failed', reason } }
    return { again: reason, isDone: reply.status >= 500, retryAfter }
  }, sleep)
}

function uidOf(body: unknown): string | undefined {
  const uid = (body as Partial<KubeObject> | null)?.metadata?.uid
  return typeof uid === 'string' ? uid : undefined
}

/** Whether what a call is about is known not to be there any more. */
async function isGone(kube: Kube, { path, uid }: KubeCall): Promise<boolean> {
  if (uid === undefined) return false
  const object = path.endsWith(eviction) ? path.slice(0, -eviction.length) : path
  try {
    const reply = await kube.send({ method: 'GET', path: object })
    if (reply.status >= 300) return isMissing(reply)
    return (reply.body as KubeObject).metadata.uid !== uid
  } catch (error) {
    if (error instanceof Unanswered) return false
    throw error
  }
}

/** Whether somebody else's object has the name: then it is left alone, and this says why. */
async function whyNotOurs(
  kube: Kube,
  path: string,
  response: string,
  sleep: Sleep,
): Promise<string | undefined> {
  const found = await attempt<string | undefined>(async () => {
    const reply = await kube.send({ method: 'GET', path })
    const { status, body, retryAfter } = reply
    if (isMissing(reply)) return { result: undefined }
    const reason = `GET ${path}: ${status} ${messageOf(body)}`
    if (isFleeting(status)) return { again: reason, isDone: false, retryAfter }
    if (status >= 300) return { result: reason }
    const { labels } = (body as { metadata: { labels?: Record<string, string> } }).metadata
    const isOurs = labels?.[marks.response] === shortId(response)
    return { result: isOurs ? undefined : `${path} belongs to somebody else` }
  }, sleep)
  return typeof found === 'object' ? found.reason : found
}
