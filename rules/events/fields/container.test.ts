import { describe, expect, it } from 'vitest'
import { makeContainer, makeEvent, makeProcess } from '#testing/events.ts'
import { readField } from '#testing/read-field.ts'
import type { Container, Process } from '../event.ts'

function read(field: string, container: Container | undefined, facts: Partial<Process> = {}) {
  const process = makeProcess({ container, ...facts })
  return readField(makeEvent('execve', { process, time: 1000n }), field)
}

it('a process of the host is in the container "host"', () => {
  expect(read('container.id', undefined)).toBe('host')
  expect(read('container.name', undefined)).toBe('host')
  expect(read('container.image.repository', undefined)).toBeUndefined()
  expect(read('k8s.ns.name', undefined)).toBeUndefined()
})

it('a container without metadata has its id alone', () => {
  const container = makeContainer()
  expect(read('container.id', container)).toBe('0123456789ab')
  expect(read('container.full_id', container)).toBe(container.fullId)
  expect(read('container.type', container)).toBe('containerd')
  for (const field of [
    'container.name',
    'container.privileged',
    'container.image',
    'k8s.pod.uid',
  ]) {
    expect(read(field, container)).toBeUndefined()
  }
})

it('a pod has a name, a namespace and labels', () => {
  const container = makeContainer({
    podName: 'web-1',
    namespace: 'shop',
    podUid: 'u-1',
    podLabels: { app: 'web', tier: 'front' },
  })
  expect(read('k8s.pod.name', container)).toBe('web-1')
  expect(read('k8s.ns.name', container)).toBe('shop')
  expect(read('k8s.pod.id', container)).toBe('u-1')
  expect(read('k8s.pod.label[app]', container)).toBe('web')
  expect(read('k8s.pod.label[toString]', container)).toBeUndefined()
  expect(read('k8s.pod.labels', container)).toBe('app:web, tier:front')
})

it('labels of Kubernetes itself are not shown with the others', () => {
  const podLabels = { z: '1', 'io.kubernetes.pod.uid': 'u', a: '' }
  expect(read('k8s.pod.labels', makeContainer({ podLabels }))).toBe('a, z:1')
  expect(read('k8s.pod.labels', makeContainer({ podLabels: {} }))).toBeUndefined()
})

it('the labels of a container are those of its kubelet', () => {
  const pod = makeContainer({ podUid: 'u-1', podName: 'web-1', namespace: 'shop', name: 'app' })
  expect(read('container.label[io.kubernetes.container.name]', pod)).toBe('app')
  expect(read('container.label[io.kubernetes.pod.namespace]', pod)).toBe('shop')
  expect(read('container.label[app]', pod)).toBeUndefined()
  const other = makeContainer({ name: 'app' })
  expect(read('container.label[io.kubernetes.container.name]', other)).toBeUndefined()
})

it('what a pod shares with its host has a value', () => {
  const container = makeContainer({
    hostPid: true,
    hostNetwork: false,
    hostIpc: true,
    podIps: ['10.0.0.9', 'fd00::9'],
    imageId: 'abc',
  })
  expect(read('container.host_pid', container)).toBe(true)
  expect(read('container.host_network', container)).toBe(false)
  expect(read('container.host_ipc', container)).toBe(true)
  expect(read('container.ip', container)).toBe('10.0.0.9')
  expect(read('k8s.pod.ip', container)).toBe('10.0.0.9')
  expect(read('container.image.id', container)).toBe('abc')
})

describe('a mount', () => {
  const container = makeContainer({
    mounts: [
      { source: '', dest: '/cache', mode: '', rdwr: true, propagation: 'private' },
      { source: '/proc/sys', dest: '/host/proc', mode: '', rdwr: false, propagation: 'rslave' },
      { source: '/', dest: '/host', mode: 'z', rdwr: true, propagation: 'rshared' },
    ],
  })

  it('is found by its number', () => {
    expect(read('container.mount[1]', container)).toBe('/proc/sys:/host/proc::false:rslave')
    expect(read('container.mount.dest[0]', container)).toBe('/cache')
    expect(read('container.mount.dest[3]', container)).toBeUndefined()
  })

  it('is found by its source, which may be a glob', () => {
    expect(read('container.mount.dest[/proc*]', container)).toBe('/host/proc')
    expect(read('container.mount.dest[/?roc/*s]', container)).toBe('/host/proc')
    expect(read('container.mount.dest[/]', container)).toBe('/host')
    expect(read('container.mount.dest[/etc]', container)).toBeUndefined()
    expect(read('container.mount.rdwr[/proc/sys]', container)).toBe('false')
    expect(read('container.mount.mode[/]', container)).toBe('z')
    expect(read('container.mount.propagation[/]', container)).toBe('rshared')
    // one whose source is not known is found by no pattern of sources
    expect(read('container.mount.dest[*]', container)).toBe('/host/proc')
  })

  it('tells its source by its destination', () => {
    expect(read('container.mount.source[/host]', container)).toBe('/')
    expect(read('container.mount.source[/h*c]', container)).toBe('/proc/sys')
    expect(read('container.mount.source[/cache]', container)).toBeUndefined()
  })

  it('stands in the list of all', () => {
    expect(read('container.mounts', container)).toBe(
      ':/cache::true:private,/proc/sys:/host/proc::false:rslave,/:/host:z:true:rshared',
    )
    expect(read('container.mounts', makeContainer({ mounts: [] }))).toBeUndefined()
    expect(read('container.mounts', makeContainer())).toBeUndefined()
  })

  it('of a hostile name costs no more than a look at each byte', () => {
    const mounts = [
      { source: `/${'a'.repeat(4000)}`, dest: '/x', mode: '', rdwr: true, propagation: '' },
    ]
    expect(
      read(`container.mount.dest[${'*a'.repeat(200)}*b]`, makeContainer({ mounts })),
    ).toBeUndefined()
  })
})

it('an age comes from the runtime, else from the pid namespace', () => {
  expect(read('container.duration', makeContainer({ start: 400n }))).toBe(600)
  expect(read('container.start_ts', makeContainer(), { pidNamespaceStart: 300n })).toBe(300)
  expect(read('container.duration', makeContainer(), { pidNamespaceStart: 300n })).toBe(700)
  expect(read('container.start_ts', makeContainer())).toBeUndefined()
  expect(read('container.start_ts', undefined, { pidNamespaceStart: 300n })).toBeUndefined()
})

it('a container may share the pid namespace of the host', () => {
  const namespaces = { mnt: 1, pid: 0xefff_fffc, net: 3, user: 4 }
  expect(read('container.host_pid', makeContainer(), { namespaces })).toBe(true)
  expect(read('container.host_pid', makeContainer())).toBe(false)
})
