import type { Alert } from '#engine'
import type { LineageStep } from '#events'

export type { LineageStep } from '#events'

/**
 * What a rule, a correlation or the pipeline itself found: Falco's keys and what Lanner knows beside
 * them. Plain JSON: it lies in the lake, travels on the bus and is what people read in the end. All of
 * its text but names of rules and clusters may have been chosen by an attacker.
 */
export interface Detection extends Alert {
  readonly lanner: DetectionContext
}

/** What found it. `sensor`: the pipeline, about a node or the way from it. `falco`: somebody's Falco. */
export type DetectionKind = 'rule' | 'correlation' | 'sensor' | 'falco'

/**
 * How sure it is which node speaks. `verified`: the batch is signed by a key that the cluster's issuer
 * vouches for, on that node. Responses act on `verified` alone.
 */
export type SenderState = 'verified' | 'unverified' | 'mismatched'

export interface DetectionContext {
  /** The same when the same event is seen again. */
  readonly id: string
  readonly kind: DetectionKind
  /** Id of the incident it belongs to; set once it is grouped. */
  readonly incident?: string
  readonly cluster: string
  /** "" for a correlation over several nodes. */
  readonly node: string
  readonly account?: string
  readonly region?: string
  /** Kernel boot id and sensor run (decimal): with cluster and node, who saw it. */
  readonly boot?: string
  readonly run?: string
  /** How the process came about, itself first. */
  readonly lineage?: readonly LineageStep[]
  readonly pod?: PodIdentity
  readonly container?: ContainerIdentity
  /** How the call was made, when not by an ordinary system call. */
  readonly via?: 'io_uring' | 'compat'
  /** Hash of the rule set that judged. */
  readonly ruleset: string
  /** Hash of the set the node filtered by, when it is another. */
  readonly filteredBy?: string
  /** Name of the runbook in the rule set. */
  readonly runbook?: string
  /** How many identical events it stands for: more than one when the node folded repeats. */
  readonly count: number
  readonly evidence: Evidence
  readonly sender: SenderState
  /** Set when an approved exception covers it: it is recorded, and wakes nobody. */
  readonly suppressed?: SuppressedBy
  readonly times: HopTimes
  /** For a correlation: what it is made of. */
  readonly correlation?: {
    readonly count: number
    readonly first: string
    readonly last: string
    /** Ids of detections, of many the first and the last 20. */
    readonly members: readonly string[]
  }
}

export interface PodIdentity {
  readonly name: string
  readonly namespace: string
  /** As in the cgroup path: for static pods not the one the Kubernetes API shows. */
  readonly uid?: string
  /** `Kind/name` of what made it. */
  readonly workload?: string
  readonly serviceAccount?: string
  readonly labels?: Readonly<Record<string, string>>
}

export interface ContainerIdentity {
  /** Twelve characters. */
  readonly id: string
  readonly name?: string
  readonly image?: string
  readonly imageDigest?: string
  readonly privileged?: boolean
}

/** Whether something that belongs to it may be missing, and where it was lost. */
export type Evidence =
  | { readonly complete: true }
  | { readonly complete: false; readonly gaps: readonly string[] }

export interface SuppressedBy {
  readonly id: string
  readonly owner: string
  readonly reason: string
  /** ISO 8601. */
  readonly until: string
}

/** When it passed where, ISO 8601. The bus adds its own. */
export interface HopTimes {
  /** The event in the kernel. */
  readonly event: string
  /** The node sealed the batch. */
  readonly batch?: string
  /** The stream took it. */
  readonly stream?: string
  /** It was judged. */
  readonly evaluate: string
}
