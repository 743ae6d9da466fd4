/** Why a spool could not do what it was asked for. */
export type SpoolErrorCode =
  /** The directory cannot be made, read or written. */
  | 'unusable'
  /** Another process has the spool. */
  | 'held'
  /** The disk, or the batch for this spool, is too full or too large. */
  | 'full'
  /** The disk failed. */
  | 'io'
  /** The spool is closed. */
  | 'closed'

/** An error of the spool, in words for an operator. */
export class SpoolError extends Error {
  override readonly name = 'SpoolError'
  readonly code: SpoolErrorCode

  constructor(code: SpoolErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

/** What an error says, shortly. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
