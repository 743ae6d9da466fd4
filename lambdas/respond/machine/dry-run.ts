import {
  causesOf,
  isFleeting,
  type Kube,
  type KubeRequest,
  messageOf,
  pause,
  saysGone,
} from '../kubernetes/kube.ts'
import type { KubeCall } from '../plan/plan.ts'
import { attempt, type Sleep } from './attempt.ts'

/**
 * What the API server has against a call, `undefined` when nothing. Rejects when it does not say: an
 * outage is nothing against a call.
 */
export async function whyNotTaken(
  kube: Kube,
  call: KubeCall,
  sleep: Sleep = pause,
): Promise<string | undefined> {
  const answer = await attempt<string | undefined>(async () => {
    const reply = await kube.send(dryRun(call))
    const { status, body, retryAfter } = reply
    if (status < 300 || (call.uid !== undefined && saysGone(reply))) return { result: undefined }
    const reason = `${status} ${messageOf(body)}`
    const causes = causesOf(reply)
    // somebody writes it at the same time, or it was replaced since it was read
    const isRace = status === 409 && !causes.includes('FieldManagerConflict')
    const isPassing = isRace || (isFleeting(status) && !causes.includes('DisruptionBudget'))
    return isPassing ? { again: reason, isDone: false, retryAfter } : { result: reason }
  }, sleep)
  if (typeof answer === 'object') {
    throw new Error(`the API server does not say what it has against the plan: ${answer.reason}`)
  }
  return answer
}

/**
 * The same call without effect: the server checks rights, admission and preconditions, and keeps
 * nothing. For what deletes, the word has to stand in the body: with a body the query does not count.
 */
export function dryRun({ method, path, query, contentType, body }: KubeCall): KubeRequest {
  const request = {
    ...{ method, path, query: { ...query, dryRun: 'All' } },
    ...(contentType !== undefined && { contentType }),
  }
  if (method === 'DELETE') return { ...request, body: { ...(body as object), dryRun: ['All'] } }
  if (!path.endsWith('/eviction')) return { ...request, body }
  const { deleteOptions = {}, ...rest } = body as { deleteOptions?: object }
  return { ...request, body: { ...rest, deleteOptions: { ...deleteOptions, dryRun: ['All'] } } }
}
