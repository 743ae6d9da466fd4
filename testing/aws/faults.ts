import type { AwsRequest } from './fault-proxy.ts'

/** An answer that a service gives instead of doing its work. */
export interface ErrorAnswer {
  readonly status: number
  /** As `AccessDeniedException`. */
  readonly code: string
  readonly message?: string
}

/**
 * The end of a connection without an answer: `before` the request is served or `after` it, when its
 * work is done and the client cannot know.
 */
export type Drop = 'before' | 'after'

/** What a proxy does wrong from now on; all of it may change between two requests. */
export interface Faults {
  /** Answers so, without a look at the request. */
  error: ErrorAnswer | undefined
  /** Milliseconds before a request is looked at. */
  delayMs: number
  /** For every request, or for those a function picks. */
  drop: Drop | ((request: AwsRequest) => Drop | undefined) | undefined
  /** Milliseconds by which a signature's time may differ from the service's, as AWS has it: 5 min. */
  maxSkewMs: number
}

export const noFaults: Faults = {
  error: undefined,
  delayMs: 0,
  drop: undefined,
  maxSkewMs: Number.POSITIVE_INFINITY,
}

/** What went through a proxy. */
export interface Counts {
  requests: number
  /** Requests answered by {@link Faults.error} or refused for their time. */
  failed: number
  dropped: number
}

/** What every client here can use. */
export const testCredentials = { accessKeyId: 'test', secretAccessKey: 'test' }
