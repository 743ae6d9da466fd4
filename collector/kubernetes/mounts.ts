import type { Mount } from '#events'
import { at, list, member, text } from './json.ts'

/** Volumes that a kubelet mounts for reading alone, whatever the container asks for. */
const readOnlyVolumes = ['secret', 'configMap', 'downwardAPI', 'projected', 'image']

/** Ways in which mounts made on one side show on the other, as a runtime names them. */
const propagations: ReadonlyMap<unknown, string> = new Map([
  ['HostToContainer', 'rslave'],
  ['Bidirectional', 'rshared'],
])

/**
 * The mounts of a container's spec, at most `limit` of them. The source is known of host paths; where
 * a kubelet keeps the others is its own affair.
 */
export function mountsOf(container: unknown, pod: unknown, limit: number): Mount[] {
  const volumes = new Map(
    list(at(pod, 'spec', 'volumes')).map((volume) => [member(volume, 'name'), volume]),
  )
  return list(member(container, 'volumeMounts'))
    .slice(0, limit)
    .map((mount) => {
      const volume = volumes.get(member(mount, 'name'))
      const isReadOnly =
        member(mount, 'readOnly') === true ||
        readOnlyVolumes.some((kind) => member(volume, kind) !== undefined) ||
        ['persistentVolumeClaim', 'csi'].some((kind) => at(volume, kind, 'readOnly') === true)
      return {
        source: sourceOf(text(at(volume, 'hostPath', 'path')), text(member(mount, 'subPath'))),
        dest: text(member(mount, 'mountPath')) ?? '',
        mode: '',
        rdwr: !isReadOnly,
        propagation: propagations.get(member(mount, 'mountPropagation')) ?? 'private',
      }
    })
}

function sourceOf(hostPath: string | undefined, subPath: string | undefined): string {
  if (hostPath === undefined || subPath === undefined) return hostPath ?? ''
  return `${hostPath.replace(/\/+$/, '')}/${subPath}`
}
