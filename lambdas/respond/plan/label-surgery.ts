import { keysOf, type Labels, selects, serviceSelects } from '../world/labels.ts'
import type { Budget, LabelSelector, NetworkPolicy, Pod, Service } from '../world/objects.ts'

export interface Surroundings {
  readonly pod: Pod
  /** Kind of what controls the pod; `undefined` for a pod on its own. */
  readonly ownerKind: string | undefined
  readonly ownerSelector: LabelSelector | undefined
  readonly services: readonly Service[]
  readonly policies: readonly NetworkPolicy[]
  readonly budgets: readonly Budget[]
}

export interface Surgery {
  /** Keys to take away, sorted. */
  readonly strip: readonly string[]
  /** What happens then, for the person who approves. */
  readonly effects: readonly string[]
  /** Whether it needs a person, and why. */
  readonly person: readonly string[]
}

/** Controllers that let a pod go when its labels do, and put another in its place. */
const releasing = new Set(['ReplicaSet', 'ReplicationController'])

/**
 * Which labels to take from a pod so that nothing sends it traffic, and no policy lets it through,
 * without harm to what controls it.
 */
export function labelSurgery(around: Surroundings): Surgery {
  const { pod, ownerKind, ownerSelector, services, policies, budgets } = around
  const labels = pod.metadata.labels ?? {}
  const ownerKeys = new Set(keysOf(ownerSelector))
  const effects: string[] = []
  const person: string[] = []
  const wanted = new Set<string>()
  const isOwn = (key: string) => Object.hasOwn(labels, key)
  for (const { metadata, spec } of services) {
    if (!serviceSelects(spec.selector, labels)) continue
    effects.push(`Service ${metadata.name} sends it no more traffic`)
    for (const key of Object.keys(spec.selector ?? {})) wanted.add(key)
  }
  for (const { metadata, spec } of policies) {
    if (!selects(spec.podSelector ?? {}, labels)) continue
    const keys = keysOf(spec.podSelector)
    if (keys.length > 0)
      effects.push(`NetworkPolicy ${metadata.name} does not hold for it any more`)
    for (const key of keys) wanted.add(key)
  }
  const keeps = keepsOwner(ownerKind)
  if (!keeps) {
    for (const key of ownerKeys) wanted.add(key)
    for (const { metadata, spec } of budgets) {
      if (!selects(spec.selector, labels)) continue
      effects.push(`PodDisruptionBudget ${metadata.name} does not count it any more`)
      for (const key of keysOf(spec.selector)) wanted.add(key)
    }
    if (ownerKind !== undefined) {
      effects.push(`its ${ownerKind} lets it go and makes another pod`)
    }
  } else {
    const { effect, reason } = keeps
    effects.push(effect)
    if (reason !== undefined) person.push(reason)
  }
  const strip = [...wanted].filter((key) => isOwn(key) && !(keeps && ownerKeys.has(key))).sort()
  return { strip, effects: [...new Set(effects)], person }
}

/** Why the labels that a controller selects by stay where they are. */
function keepsOwner(kind: string | undefined): { effect: string; reason?: string } | undefined {
  if (kind === undefined || releasing.has(kind)) return undefined
  switch (kind) {
    case 'StatefulSet':
      return {
        effect: 'its StatefulSet keeps it: the name would be taken, and the set stuck without it',
      }
    case 'DaemonSet':
      return {
        effect: 'its DaemonSet keeps it: another on the same node would want the same ports',
        reason: 'the pod belongs to a DaemonSet',
      }
    case 'Job':
      return { effect: 'its Job keeps it: let go, it would start the same again' }
    default:
      return {
        effect: `its ${kind} keeps it: what it does without it is not known`,
        reason: `the pod is controlled by a ${kind}, whose behaviour is not known`,
      }
  }
}

/** Labels without some keys. */
export function without(labels: Labels, keys: readonly string[]): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !keys.includes(key)))
}
