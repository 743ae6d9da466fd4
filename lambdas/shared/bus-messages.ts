import type { Detection } from './detection.ts'
import type { Incident } from './incident.ts'

/** Source of everything that Lanner puts on the bus. */
export const busSource = 'lanner'

export const detailTypes = {
  detection: 'Detection',
  opened: 'Incident Opened',
  updated: 'Incident Updated',
  closed: 'Incident Closed',
  planned: 'Response Planned',
  approved: 'Response Approved',
  done: 'Response Done',
  failed: 'Response Failed',
  verified: 'Response Verified',
  expired: 'Response Expired',
  health: 'Sensor Health',
  delivery: 'Delivery Health',
} as const
export type DetailType = (typeof detailTypes)[keyof typeof detailTypes]

/** Detail of `Incident Opened`, `Incident Updated` and `Incident Closed`. */
export interface IncidentMessage {
  /** The same when the same message is sent again: receivers show it once. */
  readonly id: string
  readonly incident: Incident
  /** Why it is said now. */
  readonly reason: 'opened' | 'escalated' | 'doubled' | 'quiet'
  /** The detection that made it so; none when it closes. */
  readonly detection?: Detection
  /** Fields that were cut to fit, by their path; the full text lies at `full`. */
  readonly cut?: readonly string[]
  readonly full?: string
}

/** Detail of `Detection`. */
export interface DetectionMessage {
  readonly id: string
  readonly detection: Detection
  readonly cut?: readonly string[]
  readonly full?: string
}

/** Detail of `Sensor Health`: the state of a node's sensor or of the way from it. */
export interface HealthMessage {
  readonly id: string
  readonly cluster: string
  readonly node: string
  readonly state:
    | 'started'
    | 'stopped'
    | 'silent'
    | 'back'
    | 'losing'
    | 'changed'
    | 'canary'
    | 'dead-path'
  readonly text: string
  readonly time: string
  /** Milliseconds by hop, for a canary. */
  readonly hops?: Readonly<Record<string, number>>
}

/** Detail of `Delivery Health`: whether alerts still reach a destination. Said when it changes. */
export interface DeliveryMessage {
  readonly id: string
  /** Name in the routes file. */
  readonly destination: string
  readonly kind: string
  /**
   * `refused`: it does not accept what we prove to be; `gone`: it is not there any more; `failing`:
   * it does not answer, or only with errors; `back`: it takes messages again.
   */
  readonly state: 'refused' | 'gone' | 'failing' | 'back'
  readonly text: string
  readonly time: string
}

/** How a containment turned out, by what the node saw afterwards. */
export type ContainmentOutcome = 'contained' | 'partially_contained' | 'unenforced' | 'unverified'

/** Detail of `Response Planned|Approved|Done|Failed|Verified|Expired`: one step on a response's way. */
export interface ResponseMessage {
  readonly id: string
  /** Of the response. */
  readonly response: string
  readonly incident: string
  readonly cluster: string
  readonly rule: string
  readonly mode: string
  readonly phase: string
  readonly target: { readonly namespace: string; readonly name: string; readonly uid: string }
  /** What happened, in a sentence; may hold names that an attacker chose. */
  readonly text: string
  readonly time: string
  /** What an approval is to be bound to, until when, and what would be done. */
  readonly approve?: {
    readonly planHash: string
    readonly until: string
    readonly does: readonly string[]
  }
  readonly outcome?: ContainmentOutcome
  /** Proposed when it is not contained. */
  readonly next?: string
  /** SHA-256 of the last entry of the evidence's manifest, and where that lies. */
  readonly evidence?: { readonly manifest: string; readonly head: string }
  readonly cut?: readonly string[]
  readonly full?: string
}
