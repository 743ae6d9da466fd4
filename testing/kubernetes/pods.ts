import type { PodObject } from './pod-store.ts'

/** A container id as a runtime makes it: 64 hexadecimal digits, the same ones again for a small number. */
export function containerId(number: number): string {
  return number.toString(16).padStart(2, '0').repeat(32)
}

/** A digest of an image, likewise. */
export function digest(number: number): string {
  return `sha256:${containerId(number)}`
}

/** A pod's uid, likewise. */
export function podUid(number: number): string {
  return `${number.toString(16).padStart(8, '0')}-1d2c-4b3a-9f8e-7a6b5c4d3e2f`
}

/** The cgroup of a container of a pod, as a kubelet with systemd names it. */
export function podCgroup(uid: string, id: string): string {
  const pod = `kubepods-burstable-pod${uid.replaceAll('-', '_')}.slice`
  return `/kubepods.slice/kubepods-burstable.slice/${pod}/cri-containerd-${id}.scope`
}

const tokenMount = {
  name: 'kube-api-access-x7k2p',
  mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
  readOnly: true,
}
const tokenVolume = {
  name: 'kube-api-access-x7k2p',
  projected: {
    defaultMode: 420,
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    ],
  },
}

function running(name: string, image: string, id: number, repository: string) {
  return {
    name,
    image,
    imageID: `${repository}@${digest(id)}`,
    containerID: `containerd://${containerId(id)}`,
    ready: true,
    restartCount: 0,
    started: true,
    lastState: {},
    state: { running: { startedAt: '2026-11-24T10:00:05Z' } },
  }
}

/** A pod of a Deployment, with a container that prepares it, a sidecar, and a debugger added later. */
export const deploymentPod = {
  metadata: {
    name: 'web-7c9f6d5b84-x2x4q',
    generateName: 'web-7c9f6d5b84-',
    namespace: 'shop',
    uid: podUid(1),
    creationTimestamp: '2026-11-24T10:00:00Z',
    labels: { app: 'web', tier: 'front', 'pod-template-hash': '7c9f6d5b84' },
    annotations: { 'prometheus.io/scrape': 'true' },
    ownerReferences: [
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        name: 'web-7c9f6d5b84',
        uid: podUid(900),
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  },
  spec: {
    nodeName: 'node-1',
    serviceAccountName: 'web',
    serviceAccount: 'web',
    initContainers: [
      {
        name: 'migrate',
        image: 'registry.shop.example:5000/team/migrate:2.1',
        volumeMounts: [{ name: 'cache', mountPath: '/cache' }, tokenMount],
      },
      {
        name: 'proxy',
        image: 'envoyproxy/envoy:v1.31.0',
        restartPolicy: 'Always',
        securityContext: { privileged: true },
        volumeMounts: [
          { name: 'host', mountPath: '/host', mountPropagation: 'HostToContainer' },
          { name: 'socket', mountPath: '/run/containerd/containerd.sock', readOnly: true },
        ],
      },
    ],
    containers: [
      {
        name: 'app',
        image: 'nginx:1.27',
        securityContext: { runAsNonRoot: true },
        volumeMounts: [
          { name: 'cache', mountPath: '/cache' },
          { name: 'settings', mountPath: '/etc/app' },
          { name: 'logs', mountPath: '/var/log/app', subPath: 'web' },
          { name: 'shared', mountPath: '/mnt/shared', mountPropagation: 'Bidirectional' },
          tokenMount,
        ],
      },
    ],
    ephemeralContainers: [{ name: 'debugger', image: 'busybox', targetContainerName: 'app' }],
    volumes: [
      { name: 'cache', emptyDir: {} },
      { name: 'settings', configMap: { name: 'web', defaultMode: 420 } },
      { name: 'logs', hostPath: { path: '/var/log/', type: 'Directory' } },
      { name: 'shared', hostPath: { path: '/srv/shared', type: '' } },
      { name: 'host', hostPath: { path: '/', type: '' } },
      { name: 'socket', hostPath: { path: '/run/containerd/containerd.sock', type: 'Socket' } },
      tokenVolume,
    ],
  },
  status: {
    phase: 'Running',
    hostIP: '10.0.0.10',
    podIP: '10.0.3.7',
    podIPs: [{ ip: '10.0.3.7' }, { ip: 'fd00::3:7' }],
    initContainerStatuses: [
      {
        ...running(
          'migrate',
          'registry.shop.example:5000/team/migrate:2.1',
          0x11,
          'registry.shop.example:5000/team/migrate',
        ),
        state: {
          terminated: {
            exitCode: 0,
            reason: 'Completed',
            containerID: `containerd://${containerId(0x11)}`,
          },
        },
      },
      running('proxy', 'docker.io/envoyproxy/envoy:v1.31.0', 0x12, 'docker.io/envoyproxy/envoy'),
    ],
    containerStatuses: [
      {
        ...running('app', 'docker.io/library/nginx:1.27', 0x13, 'docker.io/library/nginx'),
        restartCount: 1,
        lastState: {
          terminated: {
            exitCode: 137,
            reason: 'OOMKilled',
            containerID: `containerd://${containerId(0x10)}`,
          },
        },
      },
    ],
    ephemeralContainerStatuses: [
      running('debugger', 'docker.io/library/busybox:latest', 0x14, 'docker.io/library/busybox'),
    ],
  },
} as const satisfies PodObject

export interface PodFactsForTests {
  readonly uid?: string
  readonly name?: string
  readonly namespace?: string
  readonly node?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  /** Kind and name of what controls it. */
  readonly owner?: readonly [kind: string, name: string]
  readonly spec?: Readonly<Record<string, unknown>>
  /** Number of the one container's id; without it the pod has no status. */
  readonly container?: number
  readonly image?: string
  readonly imageId?: string
}

/** A pod of one container called `main`, and what the test says more. */
export function makePod(facts: PodFactsForTests = {}): PodObject {
  const { uid = podUid(50), name = 'pod-1', namespace = 'default', node = 'node-1' } = facts
  const { labels, annotations, owner, spec, container, image = 'busybox:1.36', imageId } = facts
  return {
    metadata: {
      name,
      namespace,
      uid,
      ...(labels !== undefined && { labels }),
      ...(annotations !== undefined && { annotations }),
      ...(owner !== undefined && {
        ownerReferences: [
          { apiVersion: 'v1', kind: owner[0], name: owner[1], uid: podUid(901), controller: true },
        ],
      }),
    },
    spec: {
      nodeName: node,
      serviceAccountName: 'default',
      containers: [{ name: 'main', image }],
      ...spec,
    },
    ...(container !== undefined && {
      status: {
        phase: 'Running',
        podIP: '10.0.3.50',
        containerStatuses: [
          {
            ...running('main', image, container, 'docker.io/library/busybox'),
            ...(imageId !== undefined && { imageID: imageId }),
          },
        ],
      },
    }),
  }
}
