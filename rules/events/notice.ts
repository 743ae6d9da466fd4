/** What a node says of itself, beside its events. Only ever appended to: the index is on the wire. */
export const noticeKinds = [
  /** The agent runs: a new run, or the same one after a crash. */
  'started',
  /** The agent ends in order; silence after it is no alarm. */
  'stopped',
  'rules-changed',
  /** A changed rule set has mistakes; the one before stays. */
  'rules-refused',
  /** Events were lost on this node; the text says where and how many. */
  'events-lost',
  /** More matched than may be shipped: the text names what is held back. */
  'limited',
  /** The kernel side was changed or detached by someone else; the text says what was restored. */
  'sensor-changed',
  /** Every node sends one now and then, see {@link canarySeconds}: its way is timed. */
  'canary',
  /**
   * All of the network of a pod that a response has cut off is shipped: the text is its uid, since when, in
   * milliseconds of the epoch, and how many connections to others it holds, if that is known. Said again and again while it is so.
   */
  'pod-watched',
] as const
export type NoticeKind = (typeof noticeKinds)[number]

export interface Notice {
  readonly kind: NoticeKind
  /** Nanoseconds since the epoch. */
  readonly time: bigint
  readonly text: string
}

/**
 * Seconds from one canary to the next, counted from the epoch: all nodes share these slots. Each sends
 * its own within the first minute of a slot.
 */
export const canarySeconds = 300
