import { createHash } from 'node:crypto'
import type { Action, RiskClass } from '#responses'
import type { Guarded } from './guards.ts'
import type { ResidualAllow } from './residual-allows.ts'

/** One call of a step, as it will be made. */
export type Call = KubeCall | OutsideCall | CollectCall

export interface KubeCall {
  readonly via: 'kubernetes'
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly contentType?: string
  readonly body?: unknown
  /** Uid of what it changes; when that is not there any more, there is nothing left to do. */
  readonly uid?: string
  /** It may only be made on an object that is not there, or carries this response's label. */
  readonly owned?: boolean
}

export interface OutsideCall {
  readonly via: 'lambda' | 'webhook'
  readonly target: string
  readonly qualifier?: string
  readonly invocation?: string
  readonly secret?: string
}

export interface CollectCall {
  readonly via: 'collect'
  readonly what: 'describe' | 'logs'
  readonly tailLines?: number
  readonly previous?: boolean
}

/** How a change is taken back, recorded before it is made. Each looks first whether it is still ours. */
export type Inverse =
  | {
      readonly kind: 'metadata'
      readonly path: string
      readonly uid: string
      readonly what: 'labels' | 'annotations'
      /** Value that we set (`null`: that we took the key away), and the one before. */
      readonly changes: Readonly<
        Record<string, { readonly ours: string | null; readonly before: string | null }>
      >
      /** The controller is to take this pod first when it has one too many again. */
      readonly cheapToDelete?: boolean
    }
  | { readonly kind: 'object'; readonly path: string; readonly specHash: string }
  | {
      readonly kind: 'schedulable'
      readonly path: string
      readonly uid: string
      readonly key: string
      /** What we set. */
      readonly ours: boolean
      readonly wasUnschedulable: boolean
    }

export interface PlannedStep {
  readonly name: string
  readonly action: Action
  readonly risk: RiskClass
  readonly calls: readonly Call[]
  readonly inverse: readonly Inverse[]
  readonly effects: readonly string[]
  /** Why it is not done: guards, or something that Lanner does not do. */
  readonly refused?: string
  /** What another response did of it already: nothing is done here, and nothing proven. */
  readonly elsewhere?: string
  /** What the API server said when asked without effect. */
  readonly wouldFail?: string
  readonly ignoreErrors: boolean
  readonly continue: boolean
}

export interface Target {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly node: string
  readonly owner?: { readonly kind: string; readonly name: string; readonly uid: string }
  readonly serviceAccount: string
  /** Ids of its containers, twelve characters, sorted. */
  readonly containers: readonly string[]
  readonly labels: Readonly<Record<string, string>>
}

export interface Plan {
  readonly version: 1
  readonly response: string
  readonly incident: string
  readonly cluster: string
  readonly rule: string
  readonly target: Target
  readonly steps: readonly PlannedStep[]
  readonly blastRadius: {
    readonly siblings: readonly string[]
    readonly services: readonly string[]
    readonly budgets: readonly string[]
    /** Other pods of the same owner that are ready, and not cut off. */
    readonly readyReplicas: number
  }
  readonly residualAllows: readonly ResidualAllow[]
  readonly guards: readonly Guarded[]
  readonly expiresSeconds: number
}

/**
 * What an approval is bound to: anything that is another in the plan makes it another plan. But for what the
 * pod itself can change, or that comes and goes around it, and that no step depends on: a container that
 * restarts must not make every approval void. Guards tell what a count of replicas means.
 */
export function planHash({ target, blastRadius, ...plan }: Plan): string {
  const { containers: _, ...whom } = target
  const { readyReplicas: __, ...around } = blastRadius
  return sha256(canonical({ ...plan, target: whom, blastRadius: around }))
}

/**
 * Whether an approved plan is still the one that there is now. What speaks against it may have become less:
 * a pod that is ready and not ready by turns, and its budget with it, must not make each approval void.
 */
export function isStillApproved(approved: Plan, now: Plan): boolean {
  const known = new Set(approved.guards.map(canonical))
  return (
    now.guards.every((guard) => known.has(canonical(guard))) &&
    planHash({ ...now, guards: approved.guards }) === planHash(approved)
  )
}

/** JSON with the keys of every object in order, without those that have no value. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item ?? null)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`)
  return `{${members.join(',')}}`
}

export function sha256(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex')
}
