import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseAllDocuments } from 'yaml'
import { announceKubelet, startKubelet } from '#testing/kubernetes/kubelet.ts'
import { podCgroup } from '#testing/kubernetes/pods.ts'
import { type RealCluster, startRealCluster } from '../../lambdas/respond/testing/real-cluster.ts'

/** A pod whose container is a cgroup of this machine. */
export interface AttackedPod {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** Below the root of the cgroups, as a kubelet names it. */
  readonly cgroup: string
}

/** What a pod of the API is looked at for. */
export interface SeenPod {
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly labels: Readonly<Record<string, string>>
    readonly ownerReferences?: unknown
  }
}

/** Node of the API server that this machine is. */
export const nodeName = 'n1'
/** What the container of a pod has written, as its kubelet gives it. */
const podLog = `2026-11-26T10:00:00Z listening on 8080
2026-11-26T10:00:01Z POST /upload 200 user=guest password=hunter2
2026-11-26T10:00:02Z ran /tmp/xmrig
`
const merge = { contentType: 'application/merge-patch+json' }

/**
 * A real API server with its ReplicaSet and disruption controllers, the collector's own manifests applied, and
 * a pod of its DaemonSet on the node that this machine is. Of the node's kubelet there are the logs alone.
 */
export class AttackedCluster {
  readonly real: RealCluster
  /** Files that the agent of the node is given, as its pod has them. */
  readonly files: { readonly ca: string; readonly token: string; readonly identity: string }
  readonly #stops: readonly (() => Promise<void>)[]

  private constructor(
    real: RealCluster,
    files: AttackedCluster['files'],
    stops: readonly (() => Promise<void>)[],
  ) {
    this.real = real
    this.files = files
    this.#stops = stops
  }

  /** `authenticator`: the webhook that says whose tokens of EKS are. */
  static async start(authenticator: string): Promise<AttackedCluster> {
    const real = await startRealCluster({
      ...{ clusterPolicies: true, authenticator },
      controllers: ['replicaset-controller', 'disruption-controller'],
    })
    const directory = mkdtempSync(join(tmpdir(), 'lanner-agent-'))
    // the agent is nobody, and reads what it is given itself
    chmodSync(directory, 0o755)
    const at = (name: string) => join(directory, name)
    const files = { ca: at('ca.crt'), token: at('token'), identity: at('identity') }
    const stops = [
      () => real.stop(),
      async () => rmSync(directory, { recursive: true, force: true }),
    ]
    try {
      const kubelet = await startKubelet(({ previous }) => (previous ? undefined : podLog))
      stops.push(() => kubelet.stop())
      await announceKubelet(real.server, nodeName, kubelet.port)
      writeFileSync(files.ca, real.server.caPem)
      const tokenFor = await installAgent(real)
      writeFileSync(files.token, await tokenFor())
      writeFileSync(files.identity, await tokenFor('lanner'))
    } catch (error) {
      for (const stop of stops) await stop()
      throw error
    }
    return new AttackedCluster(real, files, stops)
  }

  /** A Service and a ReplicaSet of two whose pods run, the first of them on this machine. */
  async deploy(namespace: string): Promise<AttackedPod> {
    const { server } = this.real
    const labels = { app: 'web' }
    const env = [{ name: 'PASSWORD', value: 'hunter2' }]
    const container = { name: 'app', image: 'example.org/app:1', env }
    const metadata = { name: 'web', namespace, labels }
    await server.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    await server.apply({
      ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    })
    await server.apply({
      ...{ apiVersion: 'v1', kind: 'Service', metadata },
      spec: { selector: labels, ports: [{ port: 80 }] },
    })
    const pods = await until('two pods', async () => {
      const all = await this.pods(namespace)
      return all.length === 2 ? all : undefined
    })
    const ids: string[] = []
    for (const [i, { metadata: pod }] of pods.entries()) {
      const id = randomBytes(32).toString('hex')
      ids.push(id)
      const path = `/api/v1/namespaces/${namespace}/pods/${pod.name}`
      await server.call('POST', `${path}/binding`, {
        ...{ apiVersion: 'v1', kind: 'Binding', metadata: { name: pod.name, namespace } },
        target: { apiVersion: 'v1', kind: 'Node', name: i === 0 ? nodeName : 'n2' },
      })
      const status = {
        ...{ name: 'app', image: 'example.org/app:1', imageID: 'example.org/app@sha256:aa' },
        ...{ ready: true, restartCount: 0, containerID: `containerd://${id}` },
        state: { running: { startedAt: new Date().toISOString() } },
      }
      const running = {
        ...{ phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
        containerStatuses: [status],
      }
      await server.call('PATCH', `${path}/status`, { status: running }, merge)
    }
    const { name, uid } = pods[0]!.metadata
    return { namespace, name, uid, cgroup: podCgroup(uid, ids[0]!).slice(1) }
  }

  async pods(namespace: string): Promise<readonly SeenPod[]> {
    return (await this.real.get(`/api/v1/namespaces/${namespace}/pods`))!['items']
  }

  /** The pod as it is now; `undefined` when it is gone. */
  async pod({ namespace, uid }: AttackedPod): Promise<SeenPod | undefined> {
    return (await this.pods(namespace)).find(({ metadata }) => metadata.uid === uid)
  }

  /** Network policies that a response made for a pod, of its namespace and of the cluster. */
  async policies({ namespace }: AttackedPod, response: string): Promise<readonly string[]> {
    const paths = [
      `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`,
      '/apis/networking.k8s.aws/v1alpha1/clusternetworkpolicies',
    ]
    const lists = await Promise.all(paths.map((path) => this.real.get(path)))
    return lists
      .flatMap((list) => list!['items'] as SeenPod[])
      .filter(({ metadata }) => metadata.labels?.['lanner.dev/response'] === response.slice(0, 12))
      .map(({ metadata }) => metadata.name)
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) await stop()
  }
}

/**
 * The collector as it is installed: its account, its rights, its pod on the node. Gives what makes tokens of that
 * pod, for an audience or for the API.
 */
async function installAgent({ server }: RealCluster) {
  const manifest = join(import.meta.dirname, '../../collector/image/lanner.yaml')
  for (const document of parseAllDocuments(readFileSync(manifest, 'utf8'))) {
    await server.apply(document.toJS())
  }
  const { body } = await server.apply({
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'lanner-n1', namespace: 'lanner' } },
    spec: {
      ...{ serviceAccountName: 'lanner', nodeName },
      containers: [{ name: 'lanner', image: 'lanner' }],
    },
  })
  const boundObjectRef = {
    ...{ apiVersion: 'v1', kind: 'Pod', name: 'lanner-n1' },
    uid: body.metadata.uid as string,
  }
  return async (audience?: string): Promise<string> => {
    const spec = {
      ...{ expirationSeconds: 3600, boundObjectRef },
      audiences: audience === undefined ? [] : [audience],
    }
    const path = '/api/v1/namespaces/lanner/serviceaccounts/lanner/token'
    const asked = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec }
    return (await server.call('POST', path, asked)).body.status.token
  }
}

/** Asks again until there is an answer; rejects after `withinMs`. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined>,
  withinMs = 120_000,
): Promise<T> {
  for (const end = Date.now() + withinMs; ; ) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > end) throw new Error(`${what} did not come about within ${withinMs} ms`)
    await delay(200)
  }
}
