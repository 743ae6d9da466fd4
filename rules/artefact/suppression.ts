import type { Part } from '#correlate'
import type { Expr } from '#engine'

/**
 * An approved exception, such as a maintenance window: detections that it covers are recorded with
 * its name, and wake nobody. It always ends.
 */
export interface Suppression {
  readonly name: string
  /** Who answers for it. */
  readonly owner: string
  readonly reason: string
  /** Nanoseconds since the epoch; both ends belong to it. Without `from` it is in force already. */
  readonly from?: bigint
  readonly until: bigint
  /** Rules and correlations that it is about; none means all. */
  readonly parts: readonly Part[]
  /** Of the event. A correlation has none, and is covered by `parts` alone. */
  readonly condition?: Expr
}
