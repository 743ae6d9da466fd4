import { pathOf } from '#testing/kubernetes/apiserver/start-apiserver.ts'
import type { Kube, KubeReply, KubeRequest } from '../kubernetes/kube.ts'
import type { Kubes } from '../machine/make-plan.ts'
import { FakeKube } from './fake-kube.ts'
import type { RealCluster } from './real-cluster.ts'

/** A pod behind a service on a node, for one response. */
export interface Scene {
  readonly kubes: Kubes
  readonly target: { readonly namespace: string; readonly name: string; readonly uid: string }
  readonly node: string
  /** Pod, node and policies as they are now, without what grows with each write. */
  shape(): Promise<unknown>
  /** A text without the names that this scene has alone. */
  plain(text: string): string
  end(): Promise<void>
}

type Fields = Readonly<Record<string, unknown>>
// biome-ignore lint/suspicious/noExplicitAny: objects of a cluster, looked into by tests
type Get = (path: string) => Promise<any>

const ready = { conditions: [{ type: 'Ready', status: 'True' }] }
const podStatus = {
  ...{ phase: 'Running', ...ready },
  containerStatuses: [
    { name: 'app', image: 'app:1', imageID: '', ready: true, restartCount: 0 },
  ].map((status) => ({ ...status, containerID: 'containerd://0123456789abcdef' })),
}

function objectsOf(namespace: string, node: string): Fields[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'Node', metadata: { name: node }, spec: {} },
    {
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace } },
      spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
    },
    {
      ...{ apiVersion: 'v1', kind: 'Pod' },
      metadata: { name: 'web', namespace, labels: { app: 'web' } },
      spec: { nodeName: node, containers: [{ name: 'app', image: 'app:1' }] },
    },
  ]
}

async function shapeOf(get: Get, namespace: string, node: string): Promise<unknown> {
  const pod = await get(`/api/v1/namespaces/${namespace}/pods/web`)
  const { metadata, spec } = await get(`/api/v1/nodes/${node}`)
  const policies = await get(`/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`)
  const { labels, annotations, deletionTimestamp, deletionGracePeriodSeconds } = pod?.metadata ?? {}
  const isEnding = deletionTimestamp !== undefined
  return {
    pod: pod && { labels, annotations, isEnding, deletionGracePeriodSeconds },
    node: {
      ...{ labels: metadata.labels, annotations: metadata.annotations },
      unschedulable: spec.unschedulable === true,
    },
    policies: policies.items.map((each: { metadata: Fields; spec: unknown }) => {
      const { name, labels, annotations } = each.metadata
      return { name, labels, annotations, spec: each.spec }
    }),
  }
}

/** In a cluster in memory of its own. */
export async function fakeScene(): Promise<Scene> {
  const kube = new FakeKube()
  for (const object of objectsOf('shop', 'n1')) kube.put(pathOf(object), object)
  for (const name of ['n1', 'n2']) {
    kube.put(`/api/v1/nodes/${name}`, { metadata: { name }, spec: {}, status: ready })
  }
  const path = '/api/v1/namespaces/shop/pods/web'
  const uid = kube.put(path, { ...kube.objects.get(path), status: podStatus })
  const get: Get = async (where) => {
    const { status, body } = await kube.send({ method: 'GET', path: where })
    return status === 404 ? undefined : body
  }
  return {
    ...{ kubes: async () => kube, target: { namespace: 'shop', name: 'web', uid }, node: 'n1' },
    shape: () => shapeOf(get, 'shop', 'n1'),
    plain: (text) => text,
    end: async () => {},
  }
}

let scenes = 0

/** In a real cluster: a namespace and a node that no other scene has, with the rights of each class. */
export async function realScene(
  { server, kubes: own, get }: RealCluster,
  kubes: Kubes = own,
): Promise<Scene> {
  scenes += 1
  const namespace = `scene-${scenes}`
  const node = `stage-${scenes}`
  const contentType = 'application/merge-patch+json'
  let uid = ''
  for (const object of objectsOf(namespace, node))
    uid = (await server.apply(object)).body.metadata.uid
  const nodePath = `/api/v1/nodes/${node}`
  await server.call('PATCH', `${nodePath}/status`, { status: ready }, { contentType })
  await server.call('PATCH', nodePath, { spec: { taints: null } }, { contentType })
  const podPath = `/api/v1/namespaces/${namespace}/pods/web`
  await server.call('PATCH', `${podPath}/status`, { status: podStatus }, { contentType })
  return {
    kubes: async (risk) => withLogs(await kubes(risk)),
    ...{ target: { namespace, name: 'web', uid }, node },
    shape: () => shapeOf(get, namespace, node),
    plain: (text) =>
      text.replaceAll(namespace, 'shop').replaceAll(node, 'n1').replaceAll(uid, 'uid'),
    async end() {
      await server.call('DELETE', nodePath)
    },
  }
}

/** Logs come from the kubelet of a node, and there is none here: they are answered for it. */
function withLogs(kube: Kube): Kube {
  return {
    async send(request: KubeRequest): Promise<KubeReply> {
      if (!request.path.endsWith('/log')) return kube.send(request)
      return { status: 200, body: '2026-01-01T00:00:00Z started\n' }
    },
  }
}
