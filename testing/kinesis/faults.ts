/** An answer that the service gives instead of doing its work. */
export interface ErrorAnswer {
  readonly status: number
  /** As `AccessDeniedException`. */
  readonly code: string
  readonly message?: string
}

/** What the proxy does wrong from now on; all of it may change between two requests. */
export interface Faults {
  /** Whether a record of a PutRecords is throttled; it does not reach the stream then. */
  throttle: ((partitionKey: string) => boolean) | undefined
  /** Answers so, without a look at the request. */
  error: ErrorAnswer | undefined
  /** Milliseconds before a request is looked at. */
  delayMs: number
  /**
   * Ends the connection without an answer: `before` the request is served or `after` it, when its
   * records are stored and the client cannot know.
   */
  drop: 'before' | 'after' | undefined
  /** Milliseconds by which a signature's time may differ from the service's, as AWS has it: 5 min. */
  maxSkewMs: number
  /** The limits of a shard, 1 MB and 1,000 records a second, by this clock in milliseconds. */
  shardLimits: (() => number) | undefined
}

export const noFaults: Faults = {
  throttle: undefined,
  error: undefined,
  delayMs: 0,
  drop: undefined,
  maxSkewMs: Number.POSITIVE_INFINITY,
  shardLimits: undefined,
}

/** What went through the proxy. */
export interface Counts {
  requests: number
  /** Requests answered by {@link Faults.error} or refused for their time. */
  failed: number
  dropped: number
  /** Records of PutRecords: handed on, and throttled. */
  passed: number
  throttled: number
}
