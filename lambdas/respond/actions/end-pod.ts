import type { Action } from '#responses'
import type { KubeCall } from '../plan/plan.ts'
import { podPath } from '../world/read-world.ts'
import type { ActionContext, PlannedAction } from './plan-action.ts'

const lost = 'what is in its memory and its own files is lost'

/** Asks for the pod's end, which budgets may refuse. Of this pod alone: another of its name stays. */
export function planEvict(
  { graceSeconds }: Extract<Action, { kind: 'evict' }>,
  { world }: ActionContext,
): PlannedAction {
  const { namespace = '', name, uid = '' } = world.pod.metadata
  const grace = graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }
  const body = {
    ...{ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } },
    deleteOptions: { preconditions: { uid }, ...grace },
  }
  const path = `${podPath(namespace, name)}/eviction`
  const call: KubeCall = { via: 'kubernetes', method: 'POST', path, body, uid }
  return { calls: [call], inverse: [], effects: [`the pod ends; ${lost}`] }
}

/** Ends the pod of that uid. With a grace of 1 at least, the object stays until the container ended. */
export function planTerminate(
  { graceSeconds }: Extract<Action, { kind: 'terminate' }>,
  { world }: ActionContext,
): PlannedAction {
  const { namespace = '', name, uid = '' } = world.pod.metadata
  const body = {
    ...{ apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } },
    gracePeriodSeconds: Math.max(1, graceSeconds),
  }
  const path = podPath(namespace, name)
  const call: KubeCall = { via: 'kubernetes', method: 'DELETE', path, body, uid }
  return { calls: [call], inverse: [], effects: [`the pod ends, whatever budgets say; ${lost}`] }
}
