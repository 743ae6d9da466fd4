import type {
  ContainerIdentity,
  Evidence,
  LineageStep,
  PodIdentity,
  SenderState,
  SuppressedBy,
} from './detection.ts'

/**
 * Detections that belong together: same cluster, same pod (or container, or host), same origin of the
 * process and same family of rules. Plain JSON; what people and responses are told of.
 */
export interface Incident {
  readonly id: string
  /** Grows by one with each message about it; (id, revision) is said once. */
  readonly revision: number
  readonly state: 'open' | 'closed'
  /** What happened, in a few words: the rule or correlation of the most severe detection. */
  readonly title: string
  /** Falco's name of the highest priority among its detections. */
  readonly priority: string
  readonly cluster: string
  /** "" when it spans nodes. */
  readonly node: string
  readonly account?: string
  readonly region?: string
  readonly pod?: PodIdentity
  readonly container?: ContainerIdentity
  /** Of the first detection, the process itself first. */
  readonly lineage?: readonly LineageStep[]
  /** The MITRE tactic that its rules share, or the name of the one rule. */
  readonly family: string
  /** How many detections of each rule, folded repeats counted; at most {@link mostRules} rules. */
  readonly rules: Readonly<Record<string, number>>
  /** All tags of its detections, at most {@link mostTags}. */
  readonly tags: readonly string[]
  /** Detections, folded repeats counted. Exact. */
  readonly count: number
  /** Of events, ISO 8601. */
  readonly first: string
  readonly last: string
  /** The first and the last {@link mostMembers}. */
  readonly members: { readonly first: readonly Member[]; readonly last: readonly Member[] }
  /** Where the first of them lie; the others in the hours from `opened` on. */
  readonly lake: string
  /** `verified` when every member is; else the least sure of them. */
  readonly sender: SenderState
  readonly evidence: Evidence
  /** Set when every member is suppressed: then nobody is woken. */
  readonly suppressed?: SuppressedBy
  /** Hash of the newest rule set that judged, and its runbooks by name. */
  readonly ruleset: string
  readonly runbooks: readonly string[]
  readonly opened: string
  readonly closed?: string
}

/** A detection as its incident keeps it. */
export interface Member {
  readonly id: string
  readonly rule: string
  readonly priority: string
  readonly time: string
  /** The rule's own words, at most 300 characters. */
  readonly output: string
}

export const mostMembers = 20
export const mostRules = 20
export const mostTags = 40
/** Detections of an incident that go onto the bus one by one. */
export const mostOnBus = 100
