/**
 * Why a destination did not take a message:
 * - `later`: it asks for time, after `waitMs`; nothing is wrong with it.
 * - `failed`: it does not answer, or with an error that may pass.
 * - `refused`: it does not accept our credentials, or we do not trust its certificate.
 * - `gone`: what the message is to go to is not there any more.
 * - `rejected`: it will never take this message, whoever sends it.
 */
export type ProblemKind = 'later' | 'failed' | 'refused' | 'gone' | 'rejected'

export interface ProblemDetails {
  /** Milliseconds that it asks us to wait. */
  readonly waitMs?: number
  /** It may have taken the message all the same. */
  readonly isUnsure?: boolean
  readonly cause?: unknown
}

/** A message was not (surely) taken. Its text names no secret. */
export class DeliveryProblem extends Error {
  override readonly name = 'DeliveryProblem'
  readonly kind: ProblemKind
  readonly waitMs: number | undefined
  readonly isUnsure: boolean

  constructor(kind: ProblemKind, message: string, details: ProblemDetails = {}) {
    super(message, { cause: details.cause })
    this.kind = kind
    this.waitMs = details.waitMs
    this.isUnsure = details.isUnsure ?? false
  }
}

/** Milliseconds of a `Retry-After`: seconds, or a date. At most an hour, at least a second. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  const text = header.trim()
  const asked = /^\d{1,9}(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  if (Number.isNaN(asked)) return undefined
  return Math.min(3_600_000, Math.max(1000, Math.ceil(asked)))
}
