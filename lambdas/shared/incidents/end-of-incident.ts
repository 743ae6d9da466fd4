import type { IncidentMessage } from '../bus-messages.ts'
import { type IncidentState, mostSaid } from './incident-state.ts'

/** Of a message about an incident. */
export function messageId(incident: string, revision: number): string {
  return `${incident}/${revision}`
}

/** An incident's end at a second of the epoch: what is said, and what is kept then. */
export function endOf(
  state: IncidentState,
  now: number,
): { readonly message: IncidentMessage; readonly state: IncidentState } {
  const { closing: _, ...rest } = state
  const { incident, said } = state
  const revision = incident.revision + 1
  const closed = {
    ...incident,
    ...{ revision, state: 'closed' as const, closed: new Date(now * 1000).toISOString() },
  }
  return {
    message: { id: messageId(incident.id, revision), incident: closed, reason: 'quiet' },
    state: {
      ...rest,
      incident: closed,
      said: [
        ...said,
        { incident: incident.id, revision, reason: 'quiet' as const, cause: '' },
      ].slice(-mostSaid),
    },
  }
}
