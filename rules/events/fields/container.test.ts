import { expect, it } from 'vitest'
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
