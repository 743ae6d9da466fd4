import type { Json } from '#correlate'
import type { Incident } from '../incident.ts'
import { type Applied, nothingApplied } from './applied.ts'

/** What the store keeps of a group: its newest incident, and what must not be counted or said again. */
export interface IncidentState {
  readonly incident: Incident
  /** Detections, folded ones once: their number decides which go onto the bus. */
  readonly members: number
  readonly applied: Applied
  /** What was said last, the newest at the end. */
  readonly said: readonly Said[]
  /** The count at which it is said again that there are twice as many. */
  readonly sayAt: number
  /** Second of the epoch of the newest detection's arrival: quiet is measured from here. */
  readonly active: number
  /** Set while its end is being said. */
  readonly closing?: boolean
}

export interface Said {
  readonly incident: string
  readonly revision: number
  readonly reason: 'opened' | 'escalated' | 'doubled' | 'quiet'
  /** Text of the unit that made it so. */
  readonly cause: string
}

/** So many messages are said again when what caused them comes again. */
export const mostSaid = 4

export function decodeState(value: Json | undefined): IncidentState | undefined {
  if (value === undefined || value === null) return undefined
  const state = value as unknown as IncidentState
  return { ...state, applied: state.applied ?? nothingApplied }
}

export function encodeState(state: IncidentState): Json {
  return state as unknown as Json
}
