import type { IncidentMessage } from '../bus-messages.ts'
import type { Detection } from '../detection.ts'
import { type Incident, mostOnBus } from '../incident.ts'
import { appliedBefore, nothingApplied, type Unit, unitText, withUnit } from './applied.ts'
import { endOf, messageId } from './end-of-incident.ts'
import type { Group } from './group.ts'
import { type IncidentState, mostSaid, type Said } from './incident-state.ts'
import { openIncident, rank, withDetection } from './summary.ts'

/** Detections of a group that are counted together or not at all. */
export interface Addition {
  readonly unit: Unit
  readonly detections: readonly Detection[]
}

export interface IncidentAdvance {
  readonly state: IncidentState
  /** Whether the state must be written. */
  readonly changed: boolean
  /** Said because of these detections, now or when they came before. */
  readonly messages: readonly IncidentMessage[]
  /** With the id of their incident, those among the first {@link mostOnBus} of it. */
  readonly onBus: readonly Detection[]
  /** All of them, with the id of their incident. */
  readonly detections: readonly Detection[]
}

/** What the world outside gives. */
export interface AdvanceContext {
  readonly group: Group
  /** Short hash of the group, with which the id of an incident begins. */
  readonly groupId: string
  /** Second of the epoch. */
  readonly now: number
  readonly sha256: (text: string) => string
  /** Where detections that arrive in that hour lie. */
  readonly lakeOf: (time: string) => string
}

/**
 * Takes detections into the incident of their group, or opens one. It is said when an incident opens,
 * when it becomes more severe, and each time there are twice as many detections: n repeats make
 * O(log n) messages. Detections that were counted before change nothing; what was said because of them
 * is said again, under the same ids, as whoever brought them may not have come to say it.
 */
export function advanceIncident(
  before: IncidentState | undefined,
  additions: readonly Addition[],
  context: AdvanceContext,
): IncidentAdvance {
  let state = before
  const out = {
    messages: [] as IncidentMessage[],
    onBus: [] as Detection[],
    all: [] as Detection[],
  }
  const fresh: Addition[] = []
  for (const addition of additions) {
    const at = state === undefined ? undefined : appliedBefore(state.applied, addition.unit)
    if (state === undefined || at === undefined) {
      fresh.push(addition)
      continue
    }
    const { incident, said } = state
    const again = addition.detections.map((detection) => withIncident(detection, incident.id))
    out.all.push(...again)
    if (at !== 'counted') out.onBus.push(...again.slice(0, Math.max(0, mostOnBus - at)))
    for (const each of said) {
      if (each.incident === incident.id && each.cause === unitText(addition.unit)) {
        out.messages.push(messageOf(incident, each, worst(again)))
      }
    }
  }
  // Its end was about to be said: what comes now is another story, and the end is said in any case.
  if (fresh.length > 0 && state?.closing === true)
    out.messages.push(endOf(state, context.now).message)
  for (const addition of fresh) {
    const added = addOne(state, addition, context)
    state = added.state
    const named = addition.detections.map((one) => withIncident(one, added.state.incident.id))
    out.all.push(...named)
    out.onBus.push(...named.slice(0, Math.max(0, mostOnBus - added.before)))
  }
  if (fresh.length > 0) {
    const said = say(before, state!, fresh)
    state = said.state
    if (said.message !== undefined) {
      const { id, reason } = said.message
      const named = fresh.flatMap(({ detections }) => detections)
      const detection = withIncident(worst(named), state.incident.id)
      out.messages.push({ id, incident: state.incident, reason, detection })
    }
  }
  return {
    ...{ state: state!, changed: fresh.length > 0 },
    ...{ messages: out.messages, onBus: out.onBus, detections: out.all },
  }
}

function addOne(
  state: IncidentState | undefined,
  { unit, detections }: Addition,
  context: AdvanceContext,
): { readonly state: IncidentState; readonly before: number } {
  const [first] = detections
  const isNew = state === undefined || state.incident.state === 'closed' || state.closing === true
  const before = isNew ? 0 : state.members
  let incident = isNew ? opened(first!, context) : state.incident
  for (const detection of detections) incident = withDetection(incident, detection)
  return {
    state: {
      incident,
      members: before + detections.length,
      applied: withUnit(state?.applied ?? nothingApplied, unit, before),
      said: state?.said ?? [],
      sayAt: isNew ? 0 : state.sayAt,
      active: context.now,
    },
    before,
  }
}

function opened(first: Detection, context: AdvanceContext): Incident {
  const { group, groupId, sha256, lakeOf } = context
  const now = new Date(context.now * 1000).toISOString()
  return openIncident(first, {
    id: `${groupId}-${sha256(first.lanner.id).slice(0, 12)}`,
    ...{ family: group.family, lake: lakeOf(now), now },
  })
}

/** What the change is worth saying, at most one message. */
function say(
  before: IncidentState | undefined,
  after: IncidentState,
  fresh: readonly Addition[],
): { readonly state: IncidentState; readonly message?: { id: string; reason: Said['reason'] } } {
  const { incident } = after
  const isNew = before === undefined || before.incident.id !== incident.id
  const isWorse = !isNew && rank(incident.priority) < rank(before.incident.priority)
  const reason = isNew
    ? 'opened'
    : isWorse
      ? 'escalated'
      : incident.count >= after.sayAt
        ? 'doubled'
        : undefined
  if (reason === undefined) return { state: after }
  const said: Said = {
    incident: incident.id,
    revision: incident.revision + 1,
    reason,
    cause: unitText(fresh.at(-1)!.unit),
  }
  const state = {
    ...after,
    incident: { ...incident, revision: said.revision },
    said: [...after.said, said].slice(-mostSaid),
    sayAt: incident.count * 2,
  }
  return { state, message: { id: messageId(incident.id, said.revision), reason } }
}

function messageOf(incident: Incident, said: Said, detection: Detection): IncidentMessage {
  const { revision, reason } = said
  return {
    id: messageId(incident.id, revision),
    incident: { ...incident, revision },
    ...{ reason, detection },
  }
}

function withIncident(detection: Detection, incident: string): Detection {
  return { ...detection, lanner: { ...detection.lanner, incident } }
}

/** The most severe, the first of equals. */
function worst(detections: readonly Detection[]): Detection {
  return detections.reduce((a, b) => (rank(b.priority) < rank(a.priority) ? b : a))
}
