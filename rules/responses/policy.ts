import type { Position } from '../load/diagnostic.ts'

/** How far a response may go: nothing, a plan only, a plan that a person approves, all by itself. */
export const modes = ['off', 'observe', 'approve', 'auto'] as const
export type Mode = (typeof modes)[number]

/** What a change can be taken back from: it only reads, only marks, can be undone, cannot be undone. */
export type RiskClass = 'read' | 'mark' | 'contain' | 'destroy' | 'node' | 'invoke'

/** One thing to do, with all its parameters checked and filled in. */
export type Action =
  | { readonly kind: 'describe' }
  | { readonly kind: 'logs'; readonly tailLines: number; readonly previous: boolean }
  | {
      readonly kind: 'label'
      readonly what: 'labels' | 'annotations'
      readonly level: 'pod' | 'node'
      /** `null` takes the key away. */
      readonly set: Readonly<Record<string, string | null>>
    }
  | {
      readonly kind: 'quarantine'
      /** Egress that stays allowed; each is a residual allow of the plan. */
      readonly allowCidrs: readonly string[]
      readonly allowNamespaces: readonly string[]
      /** Also denies by ClusterNetworkPolicy where the cluster has it. */
      readonly hard: boolean
    }
  | { readonly kind: 'cordon' }
  | { readonly kind: 'uncordon' }
  | { readonly kind: 'evict'; readonly graceSeconds: number | undefined }
  | {
      readonly kind: 'terminate'
      readonly graceSeconds: number
      readonly ignoreDaemonSets: boolean
      readonly ignoreStatefulSets: boolean
      readonly ignoreStandalonePods: boolean
      /** A number of pods, or a share of those wanted. */
      readonly minHealthy: MinHealthy | undefined
    }
  | {
      readonly kind: 'lambda'
      readonly name: string
      readonly qualifier: string
      readonly invocation: 'RequestResponse' | 'Event' | 'DryRun'
    }
  | { readonly kind: 'webhook'; readonly url: string; readonly secret: string | undefined }
  /** What the file asks for and Lanner does not do. */
  | { readonly kind: 'unsupported'; readonly actionner: string; readonly reason: string }

export type ActionKind = Action['kind']
export type MinHealthy = { readonly pods: number } | { readonly percent: number }

export interface ResponseStep {
  readonly name: string
  readonly action: Action
  /** Whether the steps after it are done, too. */
  readonly continue: boolean
  readonly ignoreErrors: boolean
}

export interface FieldTest {
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}

/** Talon's conditions: all that are given must hold. */
export interface ResponseMatch {
  /** Any of these rules; all when empty. */
  readonly rules: readonly string[]
  readonly priority:
    | { readonly operator: '=' | '<' | '>' | '<=' | '>='; readonly priority: number }
    | undefined
  /** Any of these sets of tags. */
  readonly tags: readonly (readonly string[])[]
  /** Any of these sets of comparisons. */
  readonly fields: readonly (readonly FieldTest[])[]
  readonly source: string | undefined
}

export interface ResponseRule {
  readonly name: string
  readonly description: string
  readonly match: ResponseMatch
  readonly steps: readonly ResponseStep[]
  /** Whether later rules may match, too. */
  readonly continue: boolean
  /** Never further than a plan. */
  readonly dryRun: boolean
  /** Seconds after which what can be undone is undone. */
  readonly expiresSeconds: number
  /** Seconds for which an approval may be given. */
  readonly approveSeconds: number
  readonly at: Position
}

/** Sets the mode where it matches; of several the last one counts. Patterns know `*`. */
export interface ModeRule {
  readonly mode: Mode
  readonly rules: readonly string[]
  readonly clusters: readonly string[]
  readonly namespaces: readonly string[]
}

export interface Rate {
  readonly count: number
  readonly seconds: number
}

export interface Limits {
  readonly workload: Rate
  readonly namespace: Rate
  readonly cluster: Rate
  /** So many responses in so long a time: from then on people approve. */
  readonly breaker: Rate
  /** Seconds for which it stays so. */
  readonly breakerSeconds: number
}

export interface Protection {
  readonly namespaces: readonly string[]
  /** `key` or `key=value`. */
  readonly labels: readonly string[]
}

export interface ResponsePolicy {
  readonly rules: readonly ResponseRule[]
  readonly modes: readonly ModeRule[]
  readonly limits: Limits
  readonly protect: Protection
}

export const defaultMode: Mode = 'observe'
export const defaultLimits: Limits = {
  workload: { count: 2, seconds: 3600 },
  namespace: { count: 5, seconds: 3600 },
  cluster: { count: 20, seconds: 3600 },
  breaker: { count: 10, seconds: 300 },
  breakerSeconds: 3600,
}
/**
 * Protected whatever a file says: a file adds to it. Lanner's own pods are by their namespace, as any pod may
 * carry a label that says it is one of them.
 */
export const defaultProtection: Protection = {
  namespaces: ['kube-system', 'kube-public', 'kube-node-lease', 'amazon-*', 'aws-*', 'lanner'],
  labels: ['lanner.dev/protect=true'],
}

/** What an action is counted as, and which role does it. */
export function riskOf(action: Action): RiskClass {
  return action.kind === 'label' && action.level === 'node' ? 'node' : risks[action.kind]
}

const risks: Readonly<Record<ActionKind, RiskClass>> = {
  describe: 'read',
  logs: 'read',
  label: 'mark',
  quarantine: 'contain',
  cordon: 'node',
  uncordon: 'node',
  evict: 'destroy',
  terminate: 'destroy',
  lambda: 'invoke',
  webhook: 'invoke',
  unsupported: 'read',
}
