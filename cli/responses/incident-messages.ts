import type { IncidentMessage } from '../../lambdas/shared/bus-messages.ts'
import type { Detection } from '../../lambdas/shared/detection.ts'
import type { Incident } from '../../lambdas/shared/incident.ts'

/** What responses would be asked about. */
export interface Question {
  readonly message: IncidentMessage
  /** What was taken for granted, because the input does not say it. */
  readonly assumed: readonly string[]
}

export interface Assumptions {
  readonly cluster?: string
  readonly namespace?: string
}

type Json = Readonly<Record<string, unknown>>

/**
 * Reads what somebody has of an incident: an event of the bus, its detail, a detection, an incident, or an
 * alert as Falco writes it. `undefined` when it is none of them.
 */
export function questionsIn(value: unknown, given: Assumptions): readonly Question[] | undefined {
  if (!isMap(value)) return undefined
  if ('detail-type' in value && isMap(value['detail'])) return questionsIn(value['detail'], given)
  // what responses did, as `lanner incident --json` prints it, asks nothing
  if (typeof value['response'] === 'string' || 'omittedLines' in value) return []
  const { incident, detection } = value
  if (isMap(incident) && isMap(detection)) {
    return [{ message: value as unknown as IncidentMessage, assumed: [] }]
  }
  if (isMap(detection)) return [questionOf(detection, given)]
  const whole = isMap(incident) ? incident : value
  if (isMap(whole['rules']) && 'id' in whole) return ofIncident(whole as unknown as Incident)
  return typeof value['rule'] === 'string' ? [questionOf(value, given)] : undefined
}

/** An incident knows its rules by name alone: a question each. */
function ofIncident(incident: Incident): readonly Question[] {
  const { priority, tags = [], rules, id } = incident
  return Object.keys(rules).map((rule) => {
    const detection = {
      ...{ rule, priority, tags, source: 'syscall', output_fields: {}, output: '', lanner: {} },
    } as unknown as Detection
    const assumed = [
      'no fields, and the source syscall: give the detections of the incident for those',
    ]
    return { message: { id, incident, reason: 'opened', detection }, assumed }
  })
}

function questionOf(alert: Json, given: Assumptions): Question {
  const fields = isMap(alert['output_fields']) ? alert['output_fields'] : {}
  const lanner = (isMap(alert['lanner']) ? alert['lanner'] : {}) as Partial<Detection['lanner']>
  const assumed: string[] = []
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)
  const namespace = given.namespace ?? lanner.pod?.namespace ?? text(fields['k8s.ns.name'])
  const cluster = given.cluster ?? lanner.cluster ?? ''
  if (cluster === '') assumed.push('a cluster without a name (--cluster)')
  const { sender = 'verified' } = lanner
  if (lanner.sender === undefined) assumed.push('that it is proven which node tells of it')
  const uid = lanner.pod?.uid ?? (lanner.cluster === undefined ? 'assumed' : undefined)
  if (uid === 'assumed' && namespace !== undefined) assumed.push('that the uid of the pod is known')
  const { suppressed } = lanner
  const pod =
    namespace === undefined
      ? undefined
      : {
          ...{ name: text(fields['k8s.pod.name']) ?? '', ...lanner.pod, namespace },
          ...(uid !== undefined && { uid }),
        }
  const detection = { priority: '', tags: [], source: 'syscall', ...alert, output_fields: fields }
  const incident = {
    ...{ id: lanner.incident ?? '', state: 'open', title: String(alert['rule']), cluster, sender },
    ...{ node: lanner.node ?? '', ...(pod && { pod }), ...(suppressed && { suppressed }) },
  }
  return {
    message: { id: '', reason: 'opened', incident, detection } as unknown as IncidentMessage,
    assumed,
  }
}

function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
