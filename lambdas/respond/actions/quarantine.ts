import { quarantineLabel } from '#events'
import type { Action } from '#responses'
import { cutOffBy } from '../plan/cut-off.ts'
import { labelSurgery } from '../plan/label-surgery.ts'
import { canonical, type Inverse, type KubeCall, sha256 } from '../plan/plan.ts'
import { residualAllows, unreadAllows } from '../plan/residual-allows.ts'
import { mayHaveVpcCni } from '../plan/siblings.ts'
import { changed, type Labels, selects } from '../world/labels.ts'
import type { ClusterNetworkPolicy, NetworkPolicy } from '../world/objects.ts'
import { clusterPolicyPath, podPath, type World } from '../world/read-world.ts'
import { changesOf, patchMetadata } from './label.ts'
import { fieldManager, marks, quarantineName, shortId } from './marks.ts'
import type { ActionContext, PlannedAction } from './plan-action.ts'

type Quarantine = Extract<Action, { kind: 'quarantine' }>

/**
 * Cuts one pod off, both ways: policies that select it by a label of ours, then the label, and away
 * with the labels by which anything sends it traffic or lets it through. The policies come first, so
 * that the label takes effect at once.
 */
export function planQuarantine(
  action: Quarantine,
  { world, response, incident, isNodeClosed }: ActionContext,
): PlannedAction {
  const { name, namespace = '', uid = '', labels = {} } = world.pod.metadata
  const short = shortId(response)
  const held = cutOffBy(world.pod, world.policies)
  if (held !== undefined && held !== short) {
    const elsewhere = `the response ${held} has cut it off already, and lets it go at its own time`
    const residualAllows = leftOf(world, labels, [], [])
    return { calls: [], inverse: [], effects: [elsewhere], elsewhere, residualAllows }
  }
  const surgery = labelSurgery(world)
  const change: Record<string, string | null> = {}
  for (const key of surgery.strip) change[key] = null
  change[quarantineLabel] = short
  const policy = policyFor(action, namespace, short, incident)
  const hard =
    action.hard && world.clusterPolicies !== undefined
      ? [clusterPolicyFor(action, namespace, short, incident)]
      : []
  const objects = [
    [policyPath(policy), policy] as const,
    ...hard.map((each) => [`${clusterPolicyPath}/${each.metadata.name}`, each] as const),
  ]
  const changes = changesOf(labels, change)
  const claimed = labels[quarantineLabel]
  const isClaimed = claimed !== undefined && claimed !== short
  // nobody's label of ours is not put back: it would say again that the pod is cut off
  const back = isClaimed
    ? { ...changes, [quarantineLabel]: { ours: short, before: null } }
    : changes
  const isReleased = surgery.strip.length > 0 && world.ownerKind === 'ReplicaSet'
  const path = podPath(namespace, name)
  const effects = [...surgery.effects]
  if (isClaimed) {
    effects.push(`its label ${quarantineLabel} says that it is cut off, and no response did that`)
  }
  if (isReleased) effects.push('let back, it is one too many for its ReplicaSet: it is to go first')
  const person = [...surgery.person]
  if (surgery.releases && !isNodeClosed && mayHaveVpcCni(world)) {
    effects.push(
      'on the VPC CNI the pod that takes its place shares its rules if it comes to the same node: it may be cut off from its start, or undo this',
    )
    person.push('the pod that takes its place may share its rules: close the node first')
  }
  const wasUnderPolicy = world.policies.some(({ spec }) => selects(spec.podSelector ?? {}, labels))
  if (wasUnderPolicy && hard.length === 0) {
    effects.push('connections that it has now may live on: it was under a policy before')
  }
  return {
    calls: [
      ...objects.map(([path, object]) => applyCall(path, object)),
      patchMetadata(path, uid, 'labels', changes, incident),
    ],
    // the label goes last when it is made, and first when it is taken back
    inverse: [
      {
        ...{ kind: 'metadata', path, uid, what: 'labels', changes: back },
        ...(isReleased && { cheapToDelete: true }),
      } satisfies Inverse,
      ...objects.map(([path, { spec }]): Inverse => {
        return { kind: 'object', path, specHash: sha256(canonical(spec)) }
      }),
    ],
    effects,
    person,
    residualAllows: leftOf(world, changed(labels, change), [policy], hard),
  }
}

function leftOf(
  { pod, namespaceLabels, policies, clusterPolicies = [], unreadPolicies }: World,
  labels: Labels,
  more: readonly NetworkPolicy[],
  moreOfCluster: readonly ClusterNetworkPolicy[],
) {
  const without = <T extends NetworkPolicy | ClusterNetworkPolicy>(
    all: readonly T[],
    ours: readonly T[],
  ) => all.filter(({ metadata }) => !ours.some((own) => own.metadata.name === metadata.name))
  const { namespace = '' } = pod.metadata
  return [
    ...residualAllows(
      { namespace, namespaceLabels, labels, hostNetwork: pod.spec.hostNetwork === true },
      [...without(policies, more), ...more],
      [...without(clusterPolicies, moreOfCluster), ...moreOfCluster],
    ),
    ...unreadAllows(unreadPolicies),
  ]
}

/** What is open to a pod as it is now, whatever a plan said before. */
export function stillAllowed(world: World) {
  return leftOf(world, world.pod.metadata.labels ?? {}, [], [])
}

function metadataOf(short: string, incident: string) {
  return {
    name: quarantineName(short),
    labels: { 'app.kubernetes.io/managed-by': 'lanner', [marks.response]: short },
    annotations: { [marks.incident]: incident },
  }
}

const namespaceCalled = (name: string) => ({ matchLabels: { 'kubernetes.io/metadata.name': name } })

function policyFor(
  { allowCidrs, allowNamespaces }: Quarantine,
  namespace: string,
  short: string,
  incident: string,
): NetworkPolicy {
  const to = [
    ...allowCidrs.map((cidr) => ({ ipBlock: { cidr } })),
    ...allowNamespaces.map((name) => ({ namespaceSelector: namespaceCalled(name) })),
  ]
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { ...metadataOf(short, incident), namespace },
    spec: {
      podSelector: { matchLabels: { [quarantineLabel]: short } },
      policyTypes: ['Ingress', 'Egress'],
      ...(to.length > 0 && { egress: [{ to }] }),
    },
  }
}

function clusterPolicyFor(
  { allowCidrs, allowNamespaces }: Quarantine,
  namespace: string,
  short: string,
  incident: string,
): ClusterNetworkPolicy {
  const spared = [
    ...(allowCidrs.length > 0 ? [{ networks: allowCidrs }] : []),
    ...allowNamespaces.map((name) => ({ namespaces: namespaceCalled(name) })),
  ]
  const pass = spared.length > 0 ? [{ name: 'spared', action: 'Pass', to: spared }] : []
  const all = [{ networks: ['0.0.0.0/0', '::/0'] }, { namespaces: {} }]
  return {
    apiVersion: 'networking.k8s.aws/v1alpha1',
    kind: 'ClusterNetworkPolicy',
    metadata: metadataOf(short, incident),
    spec: {
      tier: 'Admin',
      priority: 0,
      subject: {
        pods: {
          namespaceSelector: namespaceCalled(namespace),
          podSelector: { matchLabels: { [quarantineLabel]: short } },
        },
      },
      ingress: [{ name: 'nobody-in', action: 'Deny', from: [{ namespaces: {} }] }],
      egress: [...pass, { name: 'nowhere', action: 'Deny', to: all }],
    },
  }
}

function policyPath({ metadata }: NetworkPolicy): string {
  const namespace = encodeURIComponent(metadata.namespace ?? '')
  return `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/${metadata.name}`
}

function applyCall(path: string, body: NetworkPolicy | ClusterNetworkPolicy): KubeCall {
  return {
    via: 'kubernetes',
    method: 'PATCH',
    path,
    query: { fieldManager, force: 'false' },
    contentType: 'application/apply-patch+yaml',
    body,
    owned: true,
  }
}
