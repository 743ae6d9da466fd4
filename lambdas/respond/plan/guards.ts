import { type Action, fits, type Protection, riskOf } from '#responses'
import { type Labels, selects } from '../world/labels.ts'
import { type Budget, isReady, type NetworkPolicy, type Node, type Pod } from '../world/objects.ts'
import { cutOffBy } from './cut-off.ts'

/** `never`: it is not done. `person`: only if somebody approves. */
export interface Guarded {
  readonly level: 'never' | 'person'
  readonly guard: string
  readonly reason: string
}

export interface GuardedWorld {
  readonly pod: Pod
  readonly namespaceLabels: Labels
  readonly ownerKind: string | undefined
  /** Pods that the owner is to have; `undefined` when it does not say. */
  readonly desired: number | undefined
  /** Pods of the same owner, the target among them. */
  readonly replicas: readonly Pod[]
  /** Those of the pod's namespace. */
  readonly policies: readonly NetworkPolicy[]
  readonly budgets: readonly Budget[]
  readonly siblings: readonly Pod[]
  readonly node: Node | undefined
  /** Nodes that are ready and take pods. */
  readonly openNodes: number
}

/** Guard of a pod that is spared by a label of its own: an attacker who makes pods may have written it. */
export const ownLabel = 'own-label'
const mirror = 'kubernetes.io/config.mirror'
const controlPlane = [
  'node-role.kubernetes.io/control-plane',
  'node-role.kubernetes.io/master',
] as const

/** Everything that speaks against an action on a pod or its node, in no order. */
export function guardsOf(action: Action, world: GuardedWorld, protect: Protection): Guarded[] {
  const risk = riskOf(action)
  if (risk === 'read' || risk === 'invoke') return []
  const found: Guarded[] = []
  const never = (guard: string, reason: string) => found.push({ level: 'never', guard, reason })
  const person = (guard: string, reason: string) => found.push({ level: 'person', guard, reason })
  const { pod, node } = world
  const { namespace = '', labels = {}, annotations = {} } = pod.metadata
  const onNode = risk === 'node'
  if (protect.namespaces.length > 0 && fits(protect.namespaces, namespace) && !onNode) {
    never('namespace', `the namespace ${namespace} is protected`)
  }
  const labelled = onNode ? (node?.metadata.labels ?? {}) : labels
  for (const label of protect.labels) {
    if (hasLabel(labelled, label)) {
      if (onNode) never('label', `the node carries the label ${label}`)
      else never(ownLabel, `it carries the label ${label} itself, as whoever wrote it wished`)
    } else if (!onNode && hasLabel(world.namespaceLabels, label)) {
      never('label', `its namespace carries the label ${label}`)
    }
  }
  if (!onNode && (Object.hasOwn(annotations, mirror) || world.ownerKind === 'Node')) {
    never('mirror', 'it is a static pod: only its node can change it')
  }
  if (onNode) {
    if (node === undefined) never('node', 'the pod has no node')
    else if (controlPlane.some((role) => Object.hasOwn(node.metadata.labels ?? {}, role))) {
      person('control-plane', 'the node is part of the control plane')
    }
    const isOpen = node !== undefined && isReady(node) && node.spec?.unschedulable !== true
    if (action.kind === 'cordon' && isOpen && world.openNodes <= 1) {
      person('last-node', 'no other node is ready and takes pods')
    }
    return found
  }
  if (action.kind === 'quarantine' && pod.spec.hostNetwork === true) {
    never('host-network', 'no NetworkPolicy holds for a pod on the network of its node')
  }
  if (action.kind === 'quarantine' && world.siblings.length > 0) {
    const names = world.siblings.map(({ metadata }) => metadata.name).join(', ')
    person('siblings', `on this node the network of ${names} would change with it`)
  }
  if (risk === 'destroy') guardEnd(action, world, never, person)
  if (risk === 'destroy' || action.kind === 'quarantine') {
    const others = readyOthers(world)
    if (world.ownerKind !== undefined && others === 0) {
      person('last-replica', 'no other replica of it is ready')
    }
    const least = minimum(action, world.desired ?? world.replicas.length)
    if (others < least) {
      never('min-healthy', `${others} other replicas are ready, and ${least} have to be`)
    }
  }
  return found
}

/** Other pods of the same owner that are ready and serve: one that is cut off stays Ready, and serves nobody. */
export function readyOthers({
  pod,
  replicas,
  policies,
}: Pick<GuardedWorld, 'pod' | 'replicas' | 'policies'>): number {
  return replicas.filter(
    (each) =>
      each.metadata.uid !== pod.metadata.uid &&
      isReady(each) &&
      cutOffBy(each, policies) === undefined,
  ).length
}

type Note = (guard: string, reason: string) => void

function guardEnd(action: Action, world: GuardedWorld, never: Note, person: Note): void {
  const { pod, ownerKind, budgets, policies } = world
  // one that was cut off has no owner any more because we took its labels: that spares it nothing
  const isAlone = ownerKind === undefined && cutOffBy(pod, policies) === undefined
  const isIgnored =
    action.kind === 'terminate' &&
    ((ownerKind === 'DaemonSet' && action.ignoreDaemonSets) ||
      (ownerKind === 'StatefulSet' && action.ignoreStatefulSets) ||
      (isAlone && action.ignoreStandalonePods))
  if (isIgnored) {
    never(
      'ignored',
      `the rule leaves ${ownerKind === undefined ? 'pods on their own' : `pods of a ${ownerKind}`} alone`,
    )
  } else if (ownerKind === 'DaemonSet') {
    person('daemon-set', 'the pod belongs to a DaemonSet: the next one runs on the same node')
  }
  const selecting = budgets.filter(({ spec }) => selects(spec.selector, pod.metadata.labels ?? {}))
  if (action.kind === 'evict' && selecting.length > 1) {
    const names = selecting.map(({ metadata }) => metadata.name).join(', ')
    never('budgets', `${names} count it both: Kubernetes then refuses every eviction`)
  }
  for (const { metadata, status } of selecting) {
    if ((status?.disruptionsAllowed ?? 0) > 0) continue
    const reason = `PodDisruptionBudget ${metadata.name} allows no disruption now`
    if (action.kind === 'evict') never('budget', reason)
    else person('budget', reason)
  }
}

/** A share is of the pods wanted, and rounds up. */
function minimum(action: Action, desired: number): number {
  if (action.kind !== 'terminate' || action.minHealthy === undefined) return 0
  const { minHealthy } = action
  return 'pods' in minHealthy ? minHealthy.pods : Math.ceil((desired * minHealthy.percent) / 100)
}

function hasLabel(labels: Labels, text: string): boolean {
  const [key = '', value] = text.split('=', 2)
  return Object.hasOwn(labels, key) && (value === undefined || labels[key] === value)
}
