import type { KubeCall } from '../plan/plan.ts'
import type { Node } from '../world/objects.ts'
import { nodePath } from '../world/read-world.ts'
import { cordonPrefix, marks, shortId } from './marks.ts'
import type { ActionContext, PlannedAction } from './plan-action.ts'

const nothing: PlannedAction = { calls: [], inverse: [], effects: [] }

/** No new pods on the pod's node. What somebody else cordoned stays cordoned afterwards. */
export function planCordon(context: ActionContext): PlannedAction {
  const { node } = context.world
  return node === undefined ? nothing : setNode(node, true, context)
}

/** New pods on the pod's node again. */
export function planUncordon(context: ActionContext): PlannedAction {
  const { node } = context.world
  if (node?.spec?.unschedulable === true) return setNode(node, false, context)
  return { ...nothing, effects: ['the node takes pods already'] }
}

function setNode(node: Node, ours: boolean, { response, incident }: ActionContext): PlannedAction {
  const { name, uid = '', annotations = {} } = node.metadata
  const key = `${cordonPrefix}${shortId(response)}`
  const holder = Object.entries(annotations).find(([each]) => each.startsWith(cordonPrefix))
  const wasUnschedulable =
    holder === undefined ? node.spec?.unschedulable === true : holder[1] === 'unschedulable'
  const path = nodePath(name)
  const before = wasUnschedulable ? 'unschedulable' : 'schedulable'
  const call: KubeCall = {
    via: 'kubernetes',
    method: 'PATCH',
    path,
    contentType: 'application/merge-patch+json',
    body: {
      metadata: { uid, annotations: { [key]: before, [marks.incident]: incident } },
      spec: { unschedulable: ours },
    },
    uid,
  }
  return {
    calls: [call],
    inverse: [{ kind: 'schedulable', path, uid, key, ours, wasUnschedulable }],
    effects: [ours ? `no new pods on ${name}` : `${name} takes pods again`],
  }
}
