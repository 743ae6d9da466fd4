/** A batch on its way out. */
export interface OutgoingBatch {
  readonly node: string
  readonly sequence: number
  readonly bytes: Uint8Array
}

/** Why a batch is not there yet, and what helps. */
export type FailureKind =
  /** The service asks for less. It is there. */
  | 'throttled'
  /** The service failed. */
  | 'failed'
  /** No answer. */
  | 'unreachable'
  /** Somebody must set something right: permission, credentials, name of the stream. */
  | 'denied'

/** What became of one batch. */
export type Outcome =
  | { readonly kind: 'sent' }
  | { readonly kind: FailureKind; readonly message: string }
  /**
   * Not taken, now or ever. Of several batches sent together, only one may be meant: each is sent
   * again alone before it is given up.
   */
  | { readonly kind: 'refused'; readonly message: string }

/** Where batches go. */
export interface BatchSink {
  /** What one call of `send` takes at most. */
  readonly limits: { readonly batches: number; readonly bytes: number }
  /** One outcome a batch, in their order. Does not reject: a failure is an outcome. */
  send(batches: readonly OutgoingBatch[], signal: AbortSignal): Promise<readonly Outcome[]>
  close(): Promise<void>
}
