import { quarantineLabel, type Workload } from '#events'
import type { ContainerFacts } from '../agent/containers.ts'
import { imageFacts } from './image.ts'
import { at, list, member, text } from './json.ts'
import { mountsOf } from './mounts.ts'

/** What a pod of the Kubernetes API tells of its containers; little of it is kept. */
export interface PodFacts {
  /** The uid that the API knows the pod by. */
  readonly uid: string
  /** The uid in the cgroup paths of its containers: another one for a static pod. */
  readonly cgroupUid: string
  /** What holds for all its containers, the sandbox among them, before any has an id. */
  readonly pod: ContainerFacts
  /** By the full id: all that is known of a container that a runtime has made. */
  readonly containers: ReadonlyMap<string, ContainerFacts>
  /** Labels and mounts beyond the limits, left out. */
  readonly cut: number
}

/** Labels of a pod, and mounts of a container, that are kept. */
const keptItems = 64

/** Where a pod lists its containers, in spec and in status. */
const kinds = [
  ['containers', 'containerStatuses'],
  ['initContainers', 'initContainerStatuses'],
  ['ephemeralContainers', 'ephemeralContainerStatuses'],
] as const

/**
 * The uid that a kubelet gave to a static pod, whose image in the API has another one. Everybody who
 * may create pods may write it, so only a hash counts, which is the uid of no other pod.
 */
const staticPodUid = 'kubernetes.io/config.mirror'
const hash = /^[0-9a-f]{32}$/

/** `undefined` for something that is no pod. */
export function podFacts(json: unknown): PodFacts | undefined {
  const metadata = member(json, 'metadata')
  const uid = text(member(metadata, 'uid'))
  const podName = text(member(metadata, 'name'))
  const namespace = text(member(metadata, 'namespace'))
  if (uid === undefined || podName === undefined || namespace === undefined) return undefined
  const mirrored = text(at(metadata, 'annotations', staticPodUid))
  const cgroupUid = mirrored !== undefined && hash.test(mirrored) ? mirrored : uid
  const spec = member(json, 'spec')
  const labels = labelsOf(member(metadata, 'labels'))
  const serviceAccount = text(member(spec, 'serviceAccountName'))
  const workload = workloadOf(metadata, labels)
  const podIps = podIpsOf(member(json, 'status'))
  const pod: ContainerFacts = {
    podUid: cgroupUid,
    podName,
    namespace,
    podLabels: keptLabels(labels),
    hostPid: member(spec, 'hostPID') === true,
    hostNetwork: member(spec, 'hostNetwork') === true,
    hostIpc: member(spec, 'hostIPC') === true,
    ...(serviceAccount !== undefined && { serviceAccount }),
    ...(workload !== undefined && { workload }),
    ...(podIps.length > 0 && { podIps }),
  }
  const containers = new Map<string, ContainerFacts>()
  let cut = Math.max(Object.keys(labels).length - keptItems, 0)
  for (const [specKey, statusKey] of kinds) {
    const specs = new Map(list(member(spec, specKey)).map((each) => [member(each, 'name'), each]))
    for (const status of list(at(json, 'status', statusKey))) {
      const ids = idsOf(status)
      if (ids.length === 0) continue
      const own = specs.get(member(status, 'name'))
      cut += Math.max(list(member(own, 'volumeMounts')).length - keptItems, 0)
      const facts = { ...pod, ...containerFacts(own, status, json) }
      for (const id of ids) containers.set(id, facts)
    }
  }
  return { uid, cgroupUid, pod, containers, cut }
}

function containerFacts(spec: unknown, status: unknown, pod: unknown): ContainerFacts {
  const name = text(member(status, 'name'))
  return {
    ...(name !== undefined && { name }),
    ...imageFacts(
      text(member(spec, 'image')),
      text(member(status, 'image')),
      text(member(status, 'imageID')),
    ),
    ...(spec !== undefined && {
      privileged: at(spec, 'securityContext', 'privileged') === true,
      mounts: mountsOf(spec, pod, keptItems),
    }),
  }
}

/** The first of them; the mark of a response always, however many others somebody adds. */
function keptLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.fromEntries(Object.entries(labels).slice(0, keptItems))
  const mark = labels[quarantineLabel]
  return mark === undefined ? kept : { ...kept, [quarantineLabel]: mark }
}

/** The ids that a container has, and had before it was last started again. */
function idsOf(status: unknown): string[] {
  return [
    member(status, 'containerID'),
    at(status, 'state', 'terminated', 'containerID'),
    at(status, 'lastState', 'terminated', 'containerID'),
  ].flatMap((id) => text(id)?.replace(/^[^/]*:\/\//, '') ?? [])
}

function labelsOf(labels: unknown): Record<string, string> {
  if (typeof labels !== 'object' || labels === null) return {}
  return Object.fromEntries(
    Object.entries(labels).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  )
}

/**
 * The owner that controls the pod. A ReplicaSet made by a Deployment has its name, and the hash that
 * stands in a label of the pod; the Deployment is then the owner. The name of a Job does not tell
 * whether a CronJob made it.
 */
function workloadOf(
  metadata: unknown,
  labels: Readonly<Record<string, string>>,
): Workload | undefined {
  const owner = list(member(metadata, 'ownerReferences')).find(
    (reference) => member(reference, 'controller') === true,
  )
  const kind = text(member(owner, 'kind'))
  const name = text(member(owner, 'name'))
  if (kind === undefined || name === undefined) return undefined
  const suffix = `-${labels['pod-template-hash'] ?? ''}`
  return kind === 'ReplicaSet' &&
    suffix.length > 1 &&
    name.length > suffix.length &&
    name.endsWith(suffix)
    ? { kind: 'Deployment', name: name.slice(0, -suffix.length) }
    : { kind, name }
}

/** Of a pod on the host's network, this is the address of its node. */
function podIpsOf(status: unknown): string[] {
  const all = list(member(status, 'podIPs')).flatMap((each) => text(member(each, 'ip')) ?? [])
  const first = text(member(status, 'podIP'))
  return all.length === 0 && first !== undefined ? [first] : all
}
