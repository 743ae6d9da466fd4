import type { Json } from '#correlate'
import type { Destination } from '#routes'
import type { Notice } from '../content/index.ts'

/**
 * What the destination knows of the subject already. A notice about a response has its incident as subject:
 * it is told where that is told, and changes nothing that is said of the incident itself.
 */
export interface Before {
  /** As the sender gave it at the last telling; null at the first. */
  readonly ref: Json
  /** Whether it shows the subject, and in which state. */
  readonly shown: 'open' | 'closed' | 'nothing'
  /** An attempt before may have been taken, or not: look before telling again. */
  readonly isUnsure: boolean
  /** It is told again because it is still open, nothing is new. */
  readonly isAgain: boolean
}

export interface Telling {
  /** What is needed to find it again. */
  readonly ref: Json
  /** Tell it again after so many milliseconds, for as long as it is open. */
  readonly againMs?: number
}

/**
 * Tells one kind of destination. Rejects with a `DeliveryProblem`; whatever else it rejects with is a
 * mistake of ours.
 */
export interface Sender {
  tell(notice: Notice, before: Before): Promise<Telling>
  close?(): void
}

export interface SenderSetup {
  readonly destination: Destination
  /** Members of its secret; none without. */
  readonly secret: Readonly<Record<string, string>>
  readonly now: () => number
}

/** Makes the sender of a destination; called again when its secret or its settings change. */
export type MakeSender = (setup: SenderSetup) => Sender
