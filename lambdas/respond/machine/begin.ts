import { createHash } from 'node:crypto'
import { lower, type Mode, modeOf, type ResponsePolicy, responsesTo } from '#responses'
import { detailTypes, type IncidentMessage } from '../../shared/bus-messages.ts'
import type { FoundPod } from './find-pod.ts'
import { changed } from './lines.ts'
import type { ResponseState } from './response-state.ts'

/** Whether the policy answers an incident at all. */
export function isAnswered(
  { incident, detection }: IncidentMessage,
  policy: ResponsePolicy,
): boolean {
  if (detection === undefined || incident.suppressed !== undefined) return false
  if (incident.state === 'closed') return false
  const namespace = incident.pod?.namespace ?? ''
  return responsesTo(policy, detection).some(
    (rule) =>
      incident.pod === undefined || modeOf(policy, rule, incident.cluster, namespace) !== 'off',
  )
}

/**
 * The responses that the policy answers an incident with, as they begin: for the pod that it names, or
 * the one that was found. Without a pod nothing can be done, and that is all they say. `now` in seconds.
 */
export function newResponses(
  message: IncidentMessage,
  policy: ResponsePolicy,
  now: number,
  found = podIn(message),
): ResponseState[] {
  const { incident, detection } = message
  if (detection === undefined || found === undefined || !isAnswered(message, policy)) return []
  const target = 'pod' in found ? found.pod : nobody
  return responsesTo(policy, detection).flatMap((rule): ResponseState[] => {
    const wanted = modeOf(policy, rule, incident.cluster, target.namespace)
    if (wanted === 'off') return []
    const isSure = incident.sender === 'verified'
    const mode: Mode = isSure && 'pod' in found ? wanted : lower(wanted, 'observe')
    const lowered = isSure
      ? 'it is not known which pod it is'
      : 'it is not proven which node tells of it'
    const id = responseId(incident.cluster, incident.id, rule.name, target.uid)
    const state: ResponseState = {
      ...{ id, incident: incident.id, incidentTitle: incident.title, cluster: incident.cluster },
      ...{ node: incident.node, target, rule, mode, made: now, phase: 'new', plans: 0 },
      ...(mode !== wanted && { lowered }),
      ...{ steps: [], back: [], tries: 0, errors: 0, lines: [], said: 0 },
    }
    if ('pod' in found) return [state]
    const text = `no pod, nothing is planned: ${found.none}`
    const say = [{ type: detailTypes.planned, text }]
    return [changed(state, { set: { phase: 'closed', ending: 'observed' }, say }, now)]
  })
}

function podIn({ incident: { pod } }: IncidentMessage): FoundPod | undefined {
  if (pod?.uid === undefined) return undefined
  const { namespace, name, uid } = pod
  return { pod: { namespace, name, uid } }
}

const nobody = { namespace: '', name: '', uid: '' }

/** The same for the same incident, rule and pod, whoever asks and how often. */
function responseId(cluster: string, incident: string, rule: string, uid: string): string {
  const text = JSON.stringify([cluster, incident, rule, uid])
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
