import type { Pod } from '../world/objects.ts'
import type { World } from '../world/read-world.ts'

/**
 * What the VPC CNI's node agent keeps its state under: the name without its last part, and the
 * namespace. Pods of one node that share it share rules, maps and programs.
 */
export function podIdentifier(name: string, namespace: string): string {
  const dash = name.lastIndexOf('-')
  return `${dash < 0 ? name : name.slice(0, dash)}@${namespace}`
}

/**
 * Whether a cluster may have the VPC CNI: it has the kind of policies that comes with it, or the pod's node is
 * an instance of EC2. No API tells which network plugin enforces policies there.
 */
export function mayHaveVpcCni({
  clusterPolicies,
  node,
}: Pick<World, 'clusterPolicies' | 'node'>): boolean {
  return clusterPolicies !== undefined || node?.spec?.providerID?.startsWith('aws:') === true
}

/** Other pods of the same node whose network a quarantine of this one would change, too. */
export function siblingsOf(pod: Pod, onNode: readonly Pod[]): Pod[] {
  const { name, namespace = '', uid } = pod.metadata
  const id = podIdentifier(name, namespace)
  return onNode.filter(
    ({ metadata, spec, status }) =>
      metadata.uid !== uid &&
      spec.nodeName === pod.spec.nodeName &&
      spec.hostNetwork !== true &&
      status?.phase !== 'Succeeded' &&
      status?.phase !== 'Failed' &&
      podIdentifier(metadata.name, metadata.namespace ?? '') === id,
  )
}
