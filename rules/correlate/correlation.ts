import type { Priority } from '#engine'
import type { FiringTemplate } from './firing-template.ts'

export const correlationTypes = [
  'event_count',
  'value_count',
  'temporal',
  'temporal_ordered',
  'new_terms',
] as const
export type CorrelationType = (typeof correlationTypes)[number]

export const comparisonOperators = ['gte', 'gt', 'lte', 'lt', 'eq'] as const
export type ComparisonOperator = (typeof comparisonOperators)[number]

export interface Comparison {
  readonly operator: ComparisonOperator
  readonly bound: number
}

/** Detections that a correlation looks at: those of one rule, or of every rule with a tag. */
export type Part = { readonly rule: string } | { readonly tag: string }

/** A rule over detections, checked. Durations are nanoseconds. */
export interface Correlation {
  readonly name: string
  readonly description: string
  readonly type: CorrelationType
  readonly parts: readonly Part[]
  /** Fields whose values, taken together, make a group. */
  readonly groupBy: readonly string[]
  /** Length of the window; 0 for `new_terms`. */
  readonly timespan: bigint
  /** How much later than later events a detection may come and still count. */
  readonly lateness: bigint
  /** All must hold of the number of detections or values; none for the other types. */
  readonly conditions: readonly Comparison[]
  /** What `value_count` counts and `new_terms` looks for. */
  readonly field?: string
  /** For `new_terms`: a value that was not seen for so long is new again. */
  readonly history?: bigint
  /** For `new_terms`: how long after the very first detection values are learned and do not fire. */
  readonly learning?: bigint
  /** Whether the detections it looks at alert by themselves, too. */
  readonly generate: boolean
  readonly output: FiringTemplate
  readonly priority: Priority
  readonly tags: readonly string[]
}

/** What people write for a part. */
export function labelOf(part: Part): string {
  return 'rule' in part ? part.rule : `tag=${part.tag}`
}

/** Fields of a correlation that are no fields of an event. */
export const contextFields = ['lanner.cluster', 'lanner.node'] as const

/** The highest threshold: with it a group's state still fits into an item of the store. */
export const mostThreshold = 500
export const mostParts = 10
