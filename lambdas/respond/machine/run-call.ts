import { marks, shortId } from '../actions/marks.ts'
import { isFleeting, type Kube, messageOf, pause, saysGone } from '../kubernetes/kube.ts'
import type { KubeCall } from '../plan/plan.ts'
import { attempt, type CallResult, type Sleep } from './attempt.ts'

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
    const reply = await kube.send(request)
    if (reply.status < 300) return { result: { status: 'done' } }
    if (saysGone(reply, call.gone)) return { result: { status: 'gone' } }
    const reason = `${method} ${path}: ${reply.status} ${messageOf(reply.body)}`
    if (!isFleeting(reply.status)) return { result: { status: 'failed', reason } }
    return { again: reason, isDone: reply.status >= 500, retryAfter: reply.retryAfter }
  }, sleep)
}

/** Whether somebody else's object has the name: then it is left alone, and this says why. */
async function whyNotOurs(
  kube: Kube,
  path: string,
  response: string,
  sleep: Sleep,
): Promise<string | undefined> {
  const found = await attempt<string | undefined>(async () => {
    const { status, body, retryAfter } = await kube.send({ method: 'GET', path })
    if (status === 404) return { result: undefined }
    const reason = `GET ${path}: ${status} ${messageOf(body)}`
    if (isFleeting(status)) return { again: reason, isDone: false, retryAfter }
    if (status >= 300) return { result: reason }
    const { labels } = (body as { metadata: { labels?: Record<string, string> } }).metadata
    const isOurs = labels?.[marks.response] === shortId(response)
    return { result: isOurs ? undefined : `${path} belongs to somebody else` }
  }, sleep)
  return typeof found === 'object' ? found.reason : found
}
