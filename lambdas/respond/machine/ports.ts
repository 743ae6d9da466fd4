import type { StateStore } from '#correlate'
import type { ResponsePolicy } from '#responses'
import type { BusMessage } from '../../shared/bus.ts'
import type { Detection } from '../../shared/detection.ts'
import type { BatchesRange, ReadBatches } from '../../shared/read-batches.ts'
import type { Plan } from '../plan/plan.ts'
import type { Sleep } from './attempt.ts'
import type { Kubes } from './make-plan.ts'

/** Where evidence lies: objects that are written once, and cannot be changed after that. */
export interface EvidenceStore {
  /** Writes an object unless there is one under that key. */
  putOnce(key: string, bytes: Uint8Array): Promise<void>
  get(key: string): Promise<Uint8Array | undefined>
}

/** What a call to somebody else came to. */
export type OutsideResult =
  | { readonly status: 'done' }
  | { readonly status: 'failed'; readonly reason: string }
  | { readonly status: 'ambiguous'; readonly reason: string }

/** What is sent to a function or a webhook: what is known, never more text than that. */
export interface OutsideMessage {
  readonly id: string
  readonly response: string
  readonly incident: string
  readonly cluster: string
  readonly rule: string
  readonly target: Plan['target']
}

/** What is published could not be read yet, or has a mistake: nobody knows what would be right. */
export class NotInForce extends Error {
  override readonly name = 'NotInForce'
}

/** Everything a response needs of the world. */
export interface Ports {
  /** State of responses, theirs alone. */
  readonly store: StateStore
  /** State that the stages share: expectations lie there. */
  readonly shared: StateStore
  /** Rejects with {@link NotInForce}. */
  readonly policy: () => Promise<ResponsePolicy>
  /**
   * The way to a cluster, or none when nobody knows it. `session` names who acts, for its audit log.
   * Throws {@link NotInForce}.
   */
  readonly kubes: (cluster: string, session: string) => Kubes | undefined
  readonly say: (messages: readonly BusMessage[]) => Promise<void>
  readonly evidence: EvidenceStore
  /** Milliseconds that collecting evidence may take: then it is acted with what there is. */
  readonly evidenceMs: number
  /** What the collector saw of an incident. */
  readonly detections: (incident: string, at: number) => Promise<readonly Detection[]>
  /** What the collector of a node recorded, as it lies in the lake. */
  readonly batches: (range: BatchesRange) => Promise<ReadBatches>
  readonly invoke: (
    call: { readonly via: 'lambda' | 'webhook' } & Readonly<Record<string, unknown>>,
    message: OutsideMessage,
  ) => Promise<OutsideResult>
  /** How long a containment is listened to before it is judged, and how late batches may be, in seconds. */
  readonly proof: { readonly windowSeconds: number; readonly lateSeconds: number }
  /** Who may approve: names of IAM principals, `*` stands for any text. */
  readonly approvers: readonly string[]
  /** Seconds of the epoch. */
  readonly now: () => number
  readonly sleep: Sleep
  /** Text that no two runs share. */
  readonly token: () => string
}
