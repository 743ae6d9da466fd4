import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseAllDocuments } from 'yaml'
import type { RiskClass } from '#responses'
import {
  type ApiServer,
  isApiServerBuilt,
  startApiServer,
} from '#testing/kubernetes/apiserver/start-apiserver.ts'
import { KubeClient } from '../kubernetes/client.ts'
import type { Kube } from '../kubernetes/kube.ts'
import type { Kubes } from '../machine/make-plan.ts'

export const isRealClusterWanted = isApiServerBuilt() || process.env['LANNER_LONG'] === '1'
const classes: readonly RiskClass[] = ['read', 'mark', 'contain', 'destroy', 'node']

/** A real API server with the roles and the admission policies of responses, and two nodes. */
export interface RealCluster {
  readonly server: ApiServer
  /** The way to it with the rights of a class, or of anybody else the server knows. */
  readonly kubes: Kubes
  kubeOf(user: string): Kube
  /** A namespace of its own for a test. */
  namespace(labels?: Readonly<Record<string, string>>): Promise<string>
  /** Makes a pod that runs and is ready, as far as its object says; gives its uid. */
  pod(namespace: string, name: string, more?: PodOptions): Promise<string>
  // biome-ignore lint/suspicious/noExplicitAny: objects of a cluster, looked into by tests
  get(path: string): Promise<Readonly<Record<string, any>> | undefined>
  stop(): Promise<void>
}

export interface PodOptions {
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly owner?: { readonly kind: string; readonly name: string; readonly uid: string }
  readonly node?: string
  readonly spec?: object
}

/**
 * Starts it. `clusterPolicies`: with the kind that EKS has for network policies of a whole cluster;
 * `authenticator`: who says whose other tokens are, see `testing/aws/eks-authenticator.ts`.
 */
export async function startRealCluster({
  clusterPolicies = false,
  controllers = undefined as readonly string[] | undefined,
  authenticator = undefined as string | undefined,
} = {}): Promise<RealCluster> {
  const server = await startApiServer({
    users: [
      ...classes.map((name) => ({ name, groups: [`lanner:respond:${name}`] })),
      { name: 'nobody' },
    ],
    ...(controllers !== undefined && { controllers }),
    ...(authenticator !== undefined && { authenticator }),
  })
  const folder = join(import.meta.dirname, '../cluster')
  for (const name of ['roles.yaml', 'admission.yaml']) {
    for (const document of parseAllDocuments(readFileSync(join(folder, name), 'utf8'))) {
      await server.apply(document.toJS())
    }
  }
  if (clusterPolicies) await server.apply(clusterPolicyKind)
  for (const name of ['n1', 'n2']) {
    await server.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name } })
    const status = { conditions: [{ type: 'Ready', status: 'True' }] }
    await server.call(
      'PATCH',
      `/api/v1/nodes/${name}/status`,
      { status },
      {
        contentType: 'application/merge-patch+json',
      },
    )
    const untainted = { spec: { taints: null } }
    await server.call('PATCH', `/api/v1/nodes/${name}`, untainted, {
      contentType: 'application/merge-patch+json',
    })
  }
  const kubeOf = (user: string) =>
    new KubeClient({
      cluster: { name: 'test', server: server.url, caPem: server.caPem },
      token: async () => server.tokenOf(user),
    })
  const byClass = new Map(classes.map((name) => [name, kubeOf(name)]))
  let namespaces = 0
  const get: RealCluster['get'] = async (path) => {
    const { status, body } = await server.call('GET', path, undefined, { expect: 404 })
    return status === 404 ? undefined : body
  }
  const cluster: RealCluster = {
    server,
    kubes: async (risk) => byClass.get(risk)!,
    kubeOf,
    async namespace(labels = {}) {
      namespaces += 1
      const name = `test-${namespaces}`
      await server.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })
      return name
    },
    async pod(namespace, name, { labels = {}, annotations, owner, node = 'n1', spec = {} } = {}) {
      const ownerReferences =
        owner === undefined
          ? {}
          : { ownerReferences: [{ apiVersion: 'apps/v1', controller: true, ...owner }] }
      const made = await server.apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name,
          namespace,
          labels,
          ...(annotations && { annotations }),
          ...ownerReferences,
        },
        spec: {
          containers: [
            {
              name: 'app',
              image: 'example.org/app:1',
              env: [{ name: 'PASSWORD', value: 'hunter2' }],
            },
          ],
          nodeName: node,
          ...spec,
        },
      })
      const status = {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: [
          {
            ...{ name: 'app', image: 'example.org/app:1', ready: true, restartCount: 0 },
            imageID: 'example.org/app@sha256:aa',
            containerID: 'containerd://0123456789abcdef',
          },
        ],
      }
      await server.call(
        'PATCH',
        `/api/v1/namespaces/${namespace}/pods/${name}/status`,
        { status },
        {
          contentType: 'application/merge-patch+json',
        },
      )
      return made.body.metadata.uid
    },
    get,
    stop: () => server.stop(),
  }
  await admissionReady(cluster)
  return cluster
}

/** The server takes a moment until it goes by policies that it was just given. */
async function admissionReady(cluster: RealCluster): Promise<void> {
  const name = await cluster.namespace({ 'lanner.dev/protect': 'true' })
  await cluster.pod(name, 'p')
  const request = {
    method: 'PATCH',
    path: `/api/v1/namespaces/${name}/pods/p`,
    query: { dryRun: 'All' },
    contentType: 'application/merge-patch+json',
    body: { metadata: { labels: { a: 'b' } } },
  }
  for (let tries = 0; tries < 200; tries++) {
    if ((await cluster.kubeOf('mark').send(request)).status === 422) return
    await delay(50)
  }
  throw new Error('the admission policies do not come into force')
}

const clusterPolicyKind = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'clusternetworkpolicies.networking.k8s.aws',
    annotations: { 'api-approved.kubernetes.io': 'unapproved, test' },
  },
  spec: {
    group: 'networking.k8s.aws',
    scope: 'Cluster',
    names: {
      plural: 'clusternetworkpolicies',
      singular: 'clusternetworkpolicy',
      kind: 'ClusterNetworkPolicy',
      listKind: 'ClusterNetworkPolicyList',
    },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                ...{ type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                // a later version may have fields that it fills in
                properties: { later: { type: 'string', default: 'as before' } },
              },
            },
          },
        },
      },
    ],
  },
}
