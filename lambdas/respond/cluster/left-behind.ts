import { quarantineLabel } from '#events'
import { cordonPrefix, marks } from '../actions/marks.ts'
import { type Kube, readList } from '../kubernetes/kube.ts'
import type { KubeObject } from '../world/objects.ts'

/**
 * What responses hold in a cluster now, an object each: pods that are cut off, policies, nodes that take no
 * pods. Once nothing responds any more they stay as they are until somebody lets them go.
 */
export async function heldByResponses(kube: Kube): Promise<readonly string[]> {
  const found: string[] = []
  const add = (kind: string, { metadata }: KubeObject) => {
    const { namespace, name } = metadata
    found.push(`${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`)
  }
  for (const [kind, path, labelSelector] of labelled) {
    const objects = await readList<KubeObject>(kube, path, { labelSelector })
    for (const object of objects ?? []) add(kind, object)
  }
  for (const node of (await readList<KubeObject>(kube, '/api/v1/nodes')) ?? []) {
    const { annotations = {} } = node.metadata
    if (Object.keys(annotations).some((key) => key.startsWith(cordonPrefix))) add('node', node)
  }
  return found
}

const labelled: readonly (readonly [kind: string, path: string, labels: string])[] = [
  ['pod', '/api/v1/pods', quarantineLabel],
  ['networkpolicy', '/apis/networking.k8s.io/v1/networkpolicies', marks.response],
  [
    'clusternetworkpolicy',
    '/apis/networking.k8s.aws/v1alpha1/clusternetworkpolicies',
    marks.response,
  ],
]
