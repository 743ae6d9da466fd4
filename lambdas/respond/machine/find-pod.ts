import type { Incident } from '../../shared/incident.ts'
import { isFleeting, KubeError, NoRole, readList } from '../kubernetes/kube.ts'
import type { Pod } from '../world/objects.ts'
import type { Ports } from './ports.ts'
import type { ResponseState } from './response-state.ts'

/** The one pod that an incident is about, or why it is not known which. */
export type FoundPod =
  | { readonly pod: ResponseState['target'] }
  /** In words. */
  | { readonly none: string }

/**
 * Finds the pod of an incident whose detections do not name its uid: the only pod of the API server on
 * that node with that container. A guess would be no answer: two pods, or one whose name is not the one
 * that was told, are none. Rejects when the API server does not answer, which is to be tried again.
 */
export async function findPod(
  { pod, container, cluster, node }: Incident,
  { kubes }: Pick<Ports, 'kubes'>,
): Promise<FoundPod> {
  const { namespace, name, uid } = pod ?? {}
  if (uid !== undefined) return { pod: { namespace: namespace!, name: name!, uid } }
  if (container === undefined) return { none: 'it happened in no container' }
  const { id } = container
  if (!/^[0-9a-f]{12,64}$/.test(id)) return { none: 'its container has no id of a runtime' }
  // it goes into a selector, in which signs have a meaning
  if (!/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(node)) {
    return { none: 'nobody knows on which node its container is' }
  }
  const kube = kubes(cluster, 'lanner-find')
  if (kube === undefined) return { none: `nobody knows the cluster ${cluster}` }
  let pods: readonly Pod[]
  try {
    const query = { fieldSelector: `spec.nodeName=${node}` }
    pods = (await readList<Pod>(await kube('read'), '/api/v1/pods', query)) ?? []
  } catch (error) {
    const isLasting =
      error instanceof NoRole || (error instanceof KubeError && !isFleeting(error.status))
    if (isLasting) return { none: `the pods of ${node} cannot be read: ${error.message}` }
    throw error
  }
  const found = pods.filter((each) => each.spec.nodeName === node && holds(each, id))
  const [only, another] = found
  if (only === undefined) return { none: `no pod of ${node} has the container ${id}` }
  if (another !== undefined) {
    return { none: `${found.length} pods of ${node} have the container ${id}` }
  }
  const { metadata } = only
  if (metadata.uid === undefined || metadata.namespace === undefined) {
    return { none: `the pod of the container ${id} has no uid` }
  }
  const isOther = pod !== undefined && (metadata.name !== name || metadata.namespace !== namespace)
  if (isOther) {
    return {
      none: `the container ${id} belongs to ${metadata.namespace}/${metadata.name}, not to ${namespace}/${name}`,
    }
  }
  return { pod: { namespace: metadata.namespace, name: metadata.name, uid: metadata.uid } }
}

/** Whether a container of the pod is, or was before it was started again, the one of that id. */
function holds({ status }: Pod, id: string): boolean {
  return [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ].some(({ containerID, lastState }) =>
    [containerID, lastState?.terminated?.containerID].some(
      // the runtime stands before it
      (each) => each?.replace(/^[^/]*:\/\//, '').startsWith(id) === true,
    ),
  )
}
