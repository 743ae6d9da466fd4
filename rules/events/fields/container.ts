import type { Container, Process } from '../event.ts'
import { toInteger } from '../integer.ts'
import type { Value } from '../value.ts'
import { type Binder, type Binders, plain } from './binder.ts'
import { mountFields } from './container-mounts.ts'

/** Inode number of the initial pid namespace, the same on every Linux. */
const initialPidNamespace = 0xefff_fffc

function of(read: (container: Container) => Value): Binder {
  return plain(({ process: { container } }) =>
    container === undefined ? undefined : read(container),
  )
}

/** Start of the container: from the runtime, else that of the pid namespace. */
function startOf({ container, pidNamespaceStart }: Process): bigint | undefined {
  if (container === undefined) return undefined
  return container.start ?? (pidNamespaceStart === 0n ? undefined : pidNamespaceStart)
}

/** Labels that a kubelet gives to every container that it starts. */
const kubeletLabels: Readonly<Record<string, (container: Container) => Value>> = {
  'io.kubernetes.container.name': ({ podUid, name }) => (podUid === undefined ? undefined : name),
  'io.kubernetes.pod.name': ({ podName }) => podName,
  'io.kubernetes.pod.namespace': ({ namespace }) => namespace,
  'io.kubernetes.pod.uid': ({ podUid }) => podUid,
}

/** As Falco: sorted, without those of Kubernetes itself; a label without a value is its name. */
function labelText(labels: Readonly<Record<string, string>>): Value {
  const shown = Object.keys(labels)
    .filter((key) => !/^(?:annotation|io\.kubernetes)\./.test(key))
    .sort()
    .map((key) => (labels[key] === '' ? key : `${key}:${labels[key]}`))
  return shown.length === 0 ? undefined : shown.join(', ')
}

/** Containers and pods; on the host only `container.id` and `container.name` have a value. */
export const containerFields: Binders = {
  'container.id': plain(({ process }) => process.container?.id ?? 'host'),
  'container.name': plain(({ process: { container } }) =>
    container === undefined ? 'host' : container.name,
  ),
  'container.full_id': of(({ fullId }) => fullId),
  'container.type': of(({ type }) => type),
  'container.privileged': of(({ privileged }) => privileged),
  'container.image': of(({ image }) => image),
  'container.image.id': of(({ imageId }) => imageId),
  'container.image.repository': of(({ imageRepository }) => imageRepository),
  'container.image.tag': of(({ imageTag }) => imageTag),
  'container.image.digest': of(({ imageDigest }) => imageDigest),
  'container.start_ts': plain(({ process }) => {
    const start = startOf(process)
    return start === undefined ? undefined : toInteger(start)
  }),
  'container.duration': plain(({ process, time }) => {
    const start = startOf(process)
    return start === undefined ? undefined : toInteger(time - start)
  }),
  'container.ip': of(({ podIps }) => podIps?.[0]),
  'container.host_pid': plain(({ process: { container, namespaces } }) => {
    if (container?.hostPid !== undefined) return container.hostPid
    if (container === undefined || namespaces.pid === 0) return undefined
    return namespaces.pid === initialPidNamespace
  }),
  'container.host_network': of(({ hostNetwork }) => hostNetwork),
  'container.host_ipc': of(({ hostIpc }) => hostIpc),
  'container.label': (key) =>
    of((container) =>
      key !== undefined && Object.hasOwn(kubeletLabels, key)
        ? kubeletLabels[key]!(container)
        : undefined,
    )(undefined),
  ...mountFields,
  'k8s.pod.name': of(({ podName }) => podName),
  'k8s.ns.name': of(({ namespace }) => namespace),
  'k8s.pod.uid': of(({ podUid }) => podUid),
  'k8s.pod.id': of(({ podUid }) => podUid),
  'k8s.pod.label': (key) =>
    key === undefined
      ? undefined
      : ({ process }) => {
          const labels = process.container?.podLabels
          return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined
        },
  'k8s.pod.labels': of(({ podLabels }) =>
    podLabels === undefined ? undefined : labelText(podLabels),
  ),
  'k8s.pod.ip': of(({ podIps }) => podIps?.[0]),
}
