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
  /** Whether its controller lets it go then, and makes another pod. */
  readonly releases: boolean
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
  const served = services.filter(({ spec }) => serviceSelects(spec.selector, labels))
  for (const { spec } of served) for (const key of Object.keys(spec.selector ?? {})) wanted.add(key)
  const held = policies.filter(
    ({ spec }) => selects(spec.podSelector ?? {}, labels) && keysOf(spec.podSelector).length > 0,
  )
  for (const { spec } of held) for (const key of keysOf(spec.podSelector)) wanted.add(key)
  const keeps = keepsOwner(ownerKind, ownerSelector !== undefined)
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
  const left = without(labels, strip)
  const cut = [
    ...served.map(({ metadata, spec }) =>
      serviceSelects(spec.selector, left)
        ? `Service ${metadata.name} still selects it: the policy alone keeps its traffic out`
        : `Service ${metadata.name} sends it no more traffic`,
    ),
    ...held.map(({ metadata, spec }) =>
      selects(spec.podSelector ?? {}, left)
        ? `NetworkPolicy ${metadata.name} still holds for it`
        : `NetworkPolicy ${metadata.name} does not hold for it any more`,
    ),
  ]
  const releases = !keeps && ownerKind !== undefined && strip.some((key) => ownerKeys.has(key))
  return { strip, releases, effects: [...new Set([...cut, ...effects])], person }
}

/** Why the labels that a controller selects by stay where they are. */
function keepsOwner(
  kind: string | undefined,
  isSelectorKnown: boolean,
): { effect: string; reason?: string } | undefined {
  if (kind === undefined || (releasing.has(kind) && isSelectorKnown)) return undefined
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
