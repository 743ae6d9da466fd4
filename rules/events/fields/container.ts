import type { Container, Process } from '../event.ts'
import { toInteger } from '../integer.ts'
import type { Value } from '../value.ts'
import { type Binder, type Binders, plain } from './binder.ts'

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
  'container.host_pid': plain(({ process }) =>
    process.container === undefined || process.namespaces.pid === 0
      ? undefined
      : process.namespaces.pid === initialPidNamespace,
  ),
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
    podLabels === undefined
      ? undefined
      : Object.entries(podLabels)
          .map(([key, value]) => `${key}:${value}`)
          .join(', '),
  ),
}
