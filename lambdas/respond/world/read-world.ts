import { type Kube, readList, readObject } from '../kubernetes/kube.ts'
import type { Labels } from './labels.ts'
import {
  type Budget,
  type ClusterNetworkPolicy,
  controllerOf,
  isReady,
  type KubeObject,
  type LabelSelector,
  type NetworkPolicy,
  type Node,
  type OwnerReference,
  type Pod,
  type Service,
  type Workload,
} from './objects.ts'

/** What a plan is made of: everything around one pod, as the API server has it now. */
export interface World {
  readonly pod: Pod
  readonly namespaceLabels: Labels
  /** What controls the pod, and what controls that, outwards. */
  readonly owners: readonly Workload[]
  readonly ownerKind: string | undefined
  readonly ownerSelector: LabelSelector | undefined
  readonly desired: number | undefined
  readonly replicas: readonly Pod[]
  readonly onNode: readonly Pod[]
  readonly services: readonly Service[]
  readonly policies: readonly NetworkPolicy[]
  /** `undefined` when the cluster has no such kind. */
  readonly clusterPolicies: readonly ClusterNetworkPolicy[] | undefined
  /** API groups of the cluster with policies of kinds that are not read. */
  readonly unreadPolicies: readonly string[]
  readonly budgets: readonly Budget[]
  readonly node: Node | undefined
  readonly openNodes: number
}

export type WorldResult =
  | { readonly world: World }
  /** The pod is not there any more; another may have its name. */
  | { readonly gone: string }

export const clusterPolicyPath = '/apis/networking.k8s.aws/v1alpha1/clusternetworkpolicies'

/** API groups with network policies of kinds that are not read, and whose they are. */
export const unreadGroups: Readonly<Record<string, string>> = {
  'cilium.io': 'Cilium',
  'crd.projectcalico.org': 'Calico',
  'projectcalico.org': 'Calico',
  'policy.networking.k8s.io': 'the cluster (AdminNetworkPolicy)',
}

/** Which of those a cluster has, by its discovery. */
export async function readUnreadPolicies(kube: Kube): Promise<string[]> {
  const found = await readObject<{ readonly groups?: readonly { readonly name: string }[] }>(
    kube,
    '/apis',
  )
  return (found?.groups ?? []).flatMap(({ name }) =>
    Object.hasOwn(unreadGroups, name) ? [name] : [],
  )
}

const ownerPaths: Readonly<Record<string, string>> = {
  ReplicaSet: 'apps/v1/namespaces/NAMESPACE/replicasets',
  Deployment: 'apps/v1/namespaces/NAMESPACE/deployments',
  StatefulSet: 'apps/v1/namespaces/NAMESPACE/statefulsets',
  DaemonSet: 'apps/v1/namespaces/NAMESPACE/daemonsets',
  Job: 'batch/v1/namespaces/NAMESPACE/jobs',
  CronJob: 'batch/v1/namespaces/NAMESPACE/cronjobs',
}

export function podPath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`
}

export function nodePath(name: string): string {
  return `/api/v1/nodes/${encodeURIComponent(name)}`
}

/** Reads the pod of that uid and all that a plan for it has to know. */
export async function readWorld(
  kube: Kube,
  target: { readonly namespace: string; readonly name: string; readonly uid: string },
): Promise<WorldResult> {
  const { namespace, name, uid } = target
  const within = `/namespaces/${encodeURIComponent(namespace)}`
  const pod = await readObject<Pod>(kube, podPath(namespace, name))
  if (pod === undefined) return { gone: 'the pod is gone' }
  const isMirror = pod.metadata.annotations?.['kubernetes.io/config.mirror'] === uid
  if (pod.metadata.uid !== uid && !isMirror) return { gone: 'another pod has its name now' }
  const nodeName = pod.spec.nodeName ?? ''
  const [space, owners, pods, services, policies, clusterPolicies, unread, budgets, nodes] =
    await Promise.all([
      readObject<KubeObject>(kube, `/api/v1${within}`),
      readOwners(kube, namespace, pod),
      readAll<Pod>(kube, `/api/v1${within}/pods`),
      readAll<Service>(kube, `/api/v1${within}/services`),
      readAll<NetworkPolicy>(kube, `/apis/networking.k8s.io/v1${within}/networkpolicies`),
      readList<ClusterNetworkPolicy>(kube, clusterPolicyPath),
      readUnreadPolicies(kube),
      readAll<Budget>(kube, `/apis/policy/v1${within}/poddisruptionbudgets`),
      readAll<Node>(kube, '/api/v1/nodes'),
    ])
  const owner = controllerOf(pod)
  const [direct] = owners
  return {
    world: {
      pod,
      namespaceLabels: space?.metadata.labels ?? {},
      owners,
      ownerKind: owner?.kind,
      ownerSelector: selectorOf(direct),
      desired: direct?.spec?.replicas,
      replicas: pods.filter((each) => owner !== undefined && controllerOf(each)?.uid === owner.uid),
      onNode: pods.filter(({ spec }) => spec.nodeName === nodeName && nodeName !== ''),
      services,
      policies,
      clusterPolicies,
      unreadPolicies: unread,
      budgets,
      node: nodes.find(({ metadata }) => metadata.name === nodeName),
      openNodes: nodes.filter((each) => isReady(each) && each.spec?.unschedulable !== true).length,
    },
  }
}

/** A list of a kind that every cluster has: whoever says that there is none is not the API server. */
async function readAll<T>(kube: Kube, path: string): Promise<T[]> {
  const found = await readList<T>(kube, path)
  if (found === undefined) throw new Error(`GET ${path}: 404, and every cluster has that kind`)
  return found
}

/** Where what controls something lies; `undefined` for kinds that are not read. */
export function ownerPath({ kind, name }: OwnerReference, namespace: string): string | undefined {
  const path = Object.hasOwn(ownerPaths, kind) ? ownerPaths[kind] : undefined
  if (path === undefined) return undefined
  const place = path.replace('NAMESPACE', () => encodeURIComponent(namespace))
  return `/apis/${place}/${encodeURIComponent(name)}`
}

async function readOwners(kube: Kube, namespace: string, pod: Pod): Promise<Workload[]> {
  const found: Workload[] = []
  let child: KubeObject = pod
  while (found.length < 4) {
    const owner = controllerOf(child)
    const path = owner && ownerPath(owner, namespace)
    if (owner === undefined || path === undefined) break
    const object = await readObject<Workload>(kube, path)
    if (object?.metadata.uid !== owner.uid) break
    found.push({ ...object, kind: owner.kind })
    child = object
  }
  return found
}

/** ReplicationControllers have a map, all others a selector. */
function selectorOf(owner: Workload | undefined): LabelSelector | undefined {
  const selector = owner?.spec?.selector
  return typeof selector === 'object' && selector !== null ? (selector as LabelSelector) : undefined
}
