import type { Action } from '#responses'
import type { Call, Inverse } from '../plan/plan.ts'
import type { ResidualAllow } from '../plan/residual-allows.ts'
import type { World } from '../world/read-world.ts'
import { planCordon, planUncordon } from './cordon.ts'
import { planEvict, planTerminate } from './end-pod.ts'
import { planLabel } from './label.ts'
import { planQuarantine } from './quarantine.ts'

/** What an action would do: its calls in order, how they are taken back, what follows from them. */
export interface PlannedAction {
  readonly calls: readonly Call[]
  readonly inverse: readonly Inverse[]
  readonly effects: readonly string[]
  /** What somebody else did of it already, so that there is nothing to do here. */
  readonly elsewhere?: string
  /** Why it needs a person, beside what the guards say. */
  readonly person?: readonly string[]
  readonly residualAllows?: readonly ResidualAllow[]
}

export interface ActionContext {
  readonly world: World
  readonly response: string
  readonly incident: string
  /** No new pods come to the pod's node: it is closed, or a step before closes it. */
  readonly isNodeClosed: boolean
}

const nothing: PlannedAction = { calls: [], inverse: [], effects: [] }

/** Plans one action on a pod; pure, and the same for the same world. */
export function planAction(action: Action, context: ActionContext): PlannedAction {
  switch (action.kind) {
    case 'describe':
      return { ...nothing, calls: [{ via: 'collect', what: 'describe' }] }
    case 'logs': {
      const { tailLines, previous } = action
      return { ...nothing, calls: [{ via: 'collect', what: 'logs', tailLines, previous }] }
    }
    case 'label':
      return planLabel(action, context)
    case 'quarantine':
      return planQuarantine(action, context)
    case 'cordon':
      return planCordon(context)
    case 'uncordon':
      return planUncordon(context)
    case 'evict':
      return planEvict(action, context)
    case 'terminate':
      return planTerminate(action, context)
    case 'lambda': {
      const { name: target, qualifier, invocation } = action
      return { ...nothing, calls: [{ via: 'lambda', target, qualifier, invocation }] }
    }
    case 'webhook': {
      const secret = action.secret === undefined ? {} : { secret: action.secret }
      return { ...nothing, calls: [{ via: 'webhook', target: action.url, ...secret }] }
    }
    case 'unsupported':
      return nothing
  }
}
