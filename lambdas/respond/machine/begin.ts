import { createHash } from 'node:crypto'
import { lower, type Mode, modeOf, type ResponsePolicy, responsesTo } from '#responses'
import type { IncidentMessage } from '../../shared/bus-messages.ts'
import type { ResponseState } from './response-state.ts'

/** The responses that the policy answers an incident with, as they begin. `now` in seconds. */
export function newResponses(
  { incident, detection }: IncidentMessage,
  policy: ResponsePolicy,
  now: number,
): ResponseState[] {
  if (detection === undefined || incident.suppressed !== undefined) return []
  const { pod } = incident
  if (pod?.uid === undefined || incident.state === 'closed') return []
  const { namespace, name, uid } = pod
  return responsesTo(policy, detection).flatMap((rule): ResponseState[] => {
    const wanted = modeOf(policy, rule, incident.cluster, namespace)
    if (wanted === 'off') return []
    const isSure = incident.sender === 'verified'
    const mode: Mode = isSure ? wanted : lower(wanted, 'observe')
    const lowered = 'it is not proven which node tells of it'
    const id = responseId(incident.cluster, incident.id, rule.name, uid)
    return [
      {
        ...{ id, incident: incident.id, incidentTitle: incident.title, cluster: incident.cluster },
        ...{ node: incident.node, target: { namespace, name, uid } },
        ...{ rule, mode, made: now, phase: 'new', plans: 0 },
        ...(mode !== wanted && { lowered }),
        ...{ steps: [], back: [], tries: 0, errors: 0, lines: [], said: 0 },
      },
    ]
  })
}

/** The same for the same incident, rule and pod, whoever asks and how often. */
function responseId(cluster: string, incident: string, rule: string, uid: string): string {
  const text = JSON.stringify([cluster, incident, rule, uid])
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
