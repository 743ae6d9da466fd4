import type { Mode, ResponseRule } from '#responses'
import type { ContainmentOutcome, DetailType } from '../../shared/bus-messages.ts'
import type { Expectation } from '../../shared/expectations.ts'
import type { Plan } from '../plan/plan.ts'

/** Where a response is on its way. */
export type Phase =
  | 'new'
  | 'awaiting'
  | 'approved'
  | 'acting'
  | 'verifying'
  | 'holding'
  | 'expiring'
  | 'closed'

/** How it ended. */
export type Ending =
  | 'observed'
  | 'refused'
  | 'lapsed'
  | 'gone'
  | 'stopped'
  | 'failed'
  | 'ambiguous'
  | 'done'
  | 'expired'

export interface StepState {
  /** `elsewhere`: another response holds it so. */
  readonly status:
    | 'open'
    | 'done'
    | 'gone'
    | 'elsewhere'
    | 'refused'
    | 'failed'
    | 'ambiguous'
    | 'skipped'
  /** Calls of the step that are done. */
  readonly calls: number
  /** Uids of the objects that its calls made or changed, by path. */
  readonly made?: Readonly<Record<string, string>>
  /** Holder of the lease under which it was begun: written before its first call is made. */
  readonly begun?: string
  readonly reason?: string
}

export interface BackState {
  readonly step: number
  readonly inverse: number
  readonly status: 'open' | 'done' | 'gone' | 'changed' | 'failed' | 'ambiguous'
  readonly reason?: string
}

/** Something that happened, once. Lines are never changed. */
export interface Line {
  readonly at: number
  readonly type: DetailType
  readonly phase: Phase
  readonly text: string
}

/** All that is known of a response: one item of state. Times are seconds of the epoch. */
export interface ResponseState {
  readonly id: string
  readonly incident: string
  readonly incidentTitle: string
  readonly cluster: string
  /** Node that told of it. */
  readonly node: string
  readonly target: { readonly namespace: string; readonly name: string; readonly uid: string }
  /** As it was when the response began. */
  readonly rule: ResponseRule
  readonly mode: Mode
  /** Why the mode is lower than the policy says, if it is. */
  readonly lowered?: string
  readonly made: number
  readonly phase: Phase
  readonly ending?: Ending
  readonly plan?: Plan
  readonly planHash?: string
  readonly plans: number
  readonly approveBy?: number
  readonly approval?: { readonly by: string; readonly at: number; readonly planHash: string }
  readonly evidence?: { readonly manifest: string; readonly head: string }
  readonly steps: readonly StepState[]
  readonly acted?: number
  readonly expiresAt?: number
  readonly expectation?: Expectation
  /** When it is judged by what the node told. */
  readonly proofAt?: number
  readonly outcome?: ContainmentOutcome
  readonly next?: string
  readonly back: readonly BackState[]
  /** Rounds of undoing that did not get all of it. */
  readonly tries: number
  /** Errors in a row of what is around it: clusters, buckets, tables. */
  readonly errors: number
  /** Times in a row that whoever led it came to no end: its process died. Written before it begins. */
  readonly begun?: number
  /** The last error, in words. */
  readonly problem?: string
  readonly lines: readonly Line[]
  /** Lines that are on the bus. */
  readonly said: number
  readonly lease?: { readonly holder: string; readonly until: number }
}

/** A change of a response, with what to say about it. */
export interface Change {
  readonly set: Partial<ResponseState>
  readonly say?: readonly { readonly type: DetailType; readonly text: string }[]
}

/** What evidence is kept before; of functions and webhooks nobody here knows what they change. */
export const changesMuch = new Set(['contain', 'destroy', 'node', 'invoke'])

/** Whether evidence has to lie safe before a plan is acted on. */
export function needsEvidence({ steps }: Plan): boolean {
  return steps.some(
    ({ risk, calls }) =>
      calls.length > 0 && (changesMuch.has(risk) || calls.some(({ via }) => via === 'collect')),
  )
}

/** Whether the pod's owner has one replica less that serves, once a plan is done. */
export function takesReplica({ steps, target: { owner } }: Plan): boolean {
  return (
    owner !== undefined &&
    steps.some(
      ({ action, risk, calls }) =>
        calls.length > 0 && (action.kind === 'quarantine' || risk === 'destroy'),
    )
  )
}

/** What a plan does, one line a step. */
export function stepTexts({ steps }: Plan): string[] {
  return steps.map(({ name, refused, wouldFail, effects, calls }) => {
    if (refused !== undefined) return `${name}: not done: ${refused}`
    if (wouldFail !== undefined) return `${name}: would fail: ${wouldFail}`
    const then = effects.length === 0 ? '' : ` (${effects.join('; ')})`
    return `${name}${calls.length === 0 ? ': nothing to do' : ''}${then}`
  })
}

/** Whether a step may have changed something: its first call was about to be made, at least. */
export function wasTouched({ begun }: StepState): boolean {
  return begun !== undefined
}
