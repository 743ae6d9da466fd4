import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { decodeBatch } from '#events'
import { makeEvent, makeProcess } from '#testing/events.ts'
import { containerId, deploymentPod, makePod, podCgroup, podUid } from '#testing/kubernetes/pods.ts'
import { type Kubernetes, startKubernetes } from '#testing/kubernetes/server.ts'
import { readField } from '#testing/read-field.ts'
import { Batcher } from '../agent/batcher.ts'
import { ContainerTable } from '../agent/containers.ts'
import { keepProcess } from '../agent/kept-process.ts'
import { Identity } from './identity.ts'
import { type PodIdentity, startPodIdentity } from './index.ts'

// A loaded machine may take its time.
vi.setConfig({ testTimeout: 30_000 })

function setUp(options: { limit?: number; maxPods?: number; keepGone?: number } = {}) {
  const { limit, ...rest } = options
  const containers = new ContainerTable(limit === undefined ? {} : { limit })
  const clock = { time: 0 }
  const identity = new Identity({ containers, now: () => clock.time, ...rest })
  const start = (uid: string, id: number) => containers.of([podCgroup(uid, containerId(id))])!
  return { containers, clock, identity, start }
}

const web = deploymentPod.metadata.uid

describe('a container of a pod', () => {
  it('has its pod from its first process on, before its id is known to anyone', () => {
    const { identity, start } = setUp()
    identity.onPod({ metadata: deploymentPod.metadata, spec: deploymentPod.spec })
    const container = start(web, 0x13)
    expect(container).toMatchObject({
      podName: 'web-7c9f6d5b84-x2x4q',
      namespace: 'shop',
      serviceAccount: 'web',
      workload: { kind: 'Deployment', name: 'web' },
    })
    // which of the pod's containers it is, its sandbox maybe, nobody can tell yet
    expect(container.name).toBeUndefined()
    expect(container.image).toBeUndefined()
    expect(container.privileged).toBeUndefined()
  })

  it('has the rest as soon as its id is known', () => {
    const { identity, start } = setUp()
    identity.onPod({ metadata: deploymentPod.metadata, spec: deploymentPod.spec })
    const container = start(web, 0x12)
    const sandbox = start(web, 0xff)
    identity.onPod(deploymentPod)
    expect(container).toMatchObject({ name: 'proxy', imageTag: 'v1.31.0', privileged: true })
    expect(sandbox).toMatchObject({ podName: container.podName, podIps: container.podIps })
    expect(sandbox.name).toBeUndefined()
  })

  it('has everything at once when its id was known before its first process', () => {
    const { identity, start } = setUp()
    identity.onPod(deploymentPod)
    expect(start(web, 0x14)).toMatchObject({ name: 'debugger', podName: 'web-7c9f6d5b84-x2x4q' })
  })

  it('is found by its id where its cgroup does not name the pod', () => {
    const { identity, containers } = setUp()
    identity.onPod(deploymentPod)
    const container = containers.of([`/docker/${containerId(0x13)}`])
    expect(container).toMatchObject({ name: 'app', podUid: web, namespace: 'shop' })
  })

  it('of a static pod is found by the uid of its kubelet', () => {
    const { identity, start } = setUp()
    const uid = '8f1d2c3b4a59687766554433221100ff'
    identity.onPod(makePod({ annotations: { 'kubernetes.io/config.mirror': uid }, container: 3 }))
    expect(start(uid, 3)).toMatchObject({ name: 'main', podName: 'pod-1', podUid: uid })
  })

  it('is not taken over by a pod that says it is the same', () => {
    const { identity, start } = setUp()
    const hash = '8f1d2c3b4a59687766554433221100ff'
    const claim = (uid: string, name: string, mirrors: string) =>
      makePod({ uid, name, annotations: { 'kubernetes.io/config.mirror': mirrors } })
    identity.onPod(deploymentPod)
    identity.onPod(claim('u1', 'thief', web))
    expect(start(web, 0x13).podName).toBe('web-7c9f6d5b84-x2x4q')
    identity.onPod(claim('u2', 'proxy', hash))
    identity.onPod(claim('u3', 'thief', hash))
    const container = start(hash, 1)
    expect(container.podName).toBe('proxy')
    // a kubelet that starts again makes its images anew
    identity.onGone(claim('u2', 'proxy', hash))
    identity.onPod(claim('u4', 'proxy-again', hash))
    expect(container.podName).toBe('proxy-again')
  })

  it('is privileged if its spec says so, whatever the sensor thinks', () => {
    const { identity, containers, start } = setUp()
    const container = start(web, 0x13)
    containers.describe(container.fullId, { privileged: true })
    expect(container.privileged).toBe(true)
    identity.onPod(deploymentPod)
    containers.describe(container.fullId, { privileged: true })
    expect(container.privileged).toBe(false)
  })

  it('without a pod has its own id and nothing else', () => {
    const { identity, containers } = setUp()
    identity.onPod(deploymentPod)
    const container = containers.of([`/docker/${'e'.repeat(64)}`])!
    expect(Object.keys(container)).toEqual(['id', 'fullId', 'type'])
    expect(identity.figures.unresolved).toBe(0)
  })

  it('follows its pod', () => {
    const { identity, start } = setUp()
    const pod = (version: string) => makePod({ labels: { version }, container: 4 })
    identity.onPod(pod('1'))
    const container = start(podUid(50), 4)
    identity.onPod(pod('2'))
    expect(container.podLabels).toEqual({ version: '2' })
    expect(identity.figures).toEqual({ pods: 1, evicted: 0, cut: 0, unresolved: 0 })
  })
})

it('an event that waits in a batch has the pod that comes to be known meanwhile', async () => {
  const { identity, start } = setUp()
  const batches: Uint8Array[] = []
  const plain = (bytes: Uint8Array) => bytes.slice()
  const batcher = new Batcher({
    describe: () => ({
      cluster: 'c',
      node: 'n',
      boot: 'b',
      run: 1n,
      previous: undefined,
      rulesetHash: '',
      counters: { seen: 0, filtered: 0, folded: 0, lost: {} },
      keyId: '',
      compression: 0,
    }),
    compress: plain,
    wallClock: () => 0n,
    store: async (batch) => {
      batches.push(batch)
    },
  })
  const container = start(web, 0x13)
  const process = keepProcess(makeProcess({ container }))
  batcher.add(makeEvent('openat', { process }), 0n)
  expect(container.podName).toBeUndefined()
  expect(identity.figures.unresolved).toBe(1)
  identity.onPod(deploymentPod)
  await batcher.flush(1n)
  const [event] = decodeBatch(batches[0]!, plain).events
  const read = (field: string) => readField(event!, field)
  expect(read('k8s.pod.name')).toBe('web-7c9f6d5b84-x2x4q')
  expect(read('k8s.pod.label[app]')).toBe('web')
  expect(read('container.image.repository')).toBe('docker.io/library/nginx')
  expect(read('container.mount.dest[/var/log*]')).toBe('/var/log/app')
  expect(read('container.host_network')).toBe(false)
  expect(event!.process.container).toEqual(container)
  expect(identity.figures.unresolved).toBe(0)
})

describe('a pod that is gone', () => {
  it('is known for a minute, for its last events', () => {
    const { identity, start, clock } = setUp()
    identity.onPod(deploymentPod)
    identity.onGone(deploymentPod)
    clock.time = 59_999
    expect(start(web, 0x13)).toMatchObject({ name: 'app' })
    clock.time = 60_000
    expect(identity.figures.pods).toBe(0)
    expect(start(web, 0x12).podName).toBeUndefined()
  })

  it('is missed in a complete list, too', () => {
    const { identity, clock } = setUp()
    identity.onPod(makePod({ uid: 'a', name: 'a' }))
    identity.onPod(makePod({ uid: 'b', name: 'b' }))
    identity.onComplete(new Set(['b']))
    clock.time = 60_000
    expect(identity.figures.pods).toBe(1)
  })

  it('is there again when a list has it again', () => {
    const { identity, clock } = setUp()
    const pod = makePod()
    identity.onPod(pod)
    identity.onComplete(new Set())
    identity.onPod(pod)
    clock.time = 60_000
    expect(identity.figures.pods).toBe(1)
  })
})

describe('too many pods', () => {
  it('are forgotten and counted, those that are gone first', () => {
    const { identity, start } = setUp({ maxPods: 3 })
    const pod = (name: string, container: number) =>
      makePod({ uid: podUid(container), name, container })
    for (const [index, name] of ['a', 'b', 'c'].entries()) identity.onPod(pod(name, index + 1))
    identity.onPod(pod('a', 1))
    identity.onGone(pod('c', 3))
    identity.onPod(pod('d', 4))
    identity.onPod(pod('e', 5))
    expect(identity.figures).toMatchObject({ pods: 3, evicted: 2 })
    const names = [1, 2, 3, 4, 5].map((id) => start(podUid(id), id).podName)
    expect(names).toEqual(['a', undefined, undefined, 'd', 'e'])
    expect(identity.figures.unresolved).toBe(2)
  })

  it('do not make memory grow: 10,000 changes of 100 pods', () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const { identity, start } = setUp()
    const text = JSON.stringify(deploymentPod)
    const change = (number: number) => {
      const pod = JSON.parse(text)
      pod.metadata.uid = podUid(number % 100)
      pod.metadata.name = `pod-${number % 100}`
      pod.metadata.labels.version = String(number)
      // a container that starts again and again has another id each time
      pod.status.containerStatuses[0].containerID = `containerd://${number.toString(16).padStart(64, '0')}`
      identity.onPod(pod)
    }
    for (let number = 0; number < 1000; number++) change(number)
    for (let number = 0; number < 100; number++) start(podUid(number), number)
    collect()
    const before = process.memoryUsage().heapUsed
    for (let number = 1000; number < 11_000; number++) change(number)
    collect()
    const grown = process.memoryUsage().heapUsed - before
    expect(identity.figures).toMatchObject({ pods: 100, evicted: 0, unresolved: 0 })
    expect(grown).toBeLessThan(256 << 10)
    if (process.env['LANNER_SHOW_SIZES']) console.log(`${(grown / 1024).toFixed(1)} KiB grown`)
  })
})

describe('over a real connection', () => {
  let kubernetes: Kubernetes
  let pods: PodIdentity | undefined
  beforeEach(async () => {
    kubernetes = await startKubernetes()
  })
  afterEach(async () => {
    await pods?.stop()
    await kubernetes.stop()
  })
  const eventually = (check: () => void) => vi.waitFor(check, { timeout: 60_000, interval: 5 })

  it('containers learn of their pods, those that ran before and those that start later', async () => {
    const containers = new ContainerTable()
    const before = containers.of([podCgroup(web, containerId(0x13))])!
    const { status: _, ...early } = deploymentPod
    kubernetes.pods.add(early)
    pods = startPodIdentity({ address: kubernetes, node: 'node-1', containers })
    await eventually(() => expect(before.podName).toBe('web-7c9f6d5b84-x2x4q'))
    const later = containers.of([podCgroup(web, containerId(0x12))])!
    expect(later.podName).toBe('web-7c9f6d5b84-x2x4q')
    await eventually(() => expect(kubernetes.watches).toBe(1))
    kubernetes.pods.update(deploymentPod)
    await eventually(() => expect(later.name).toBe('proxy'))
    expect(before).toMatchObject({ name: 'app', imageTag: '1.27' })
    expect(pods.figures).toMatchObject({ connected: true, pods: 1, unresolved: 0, errors: 0 })
    await pods.stop()
    expect(pods.figures).toMatchObject({ connected: false, pods: 1 })
  })

  it('without an API server containers have what their cgroups tell', async () => {
    await kubernetes.goDown()
    const containers = new ContainerTable()
    pods = startPodIdentity({
      address: kubernetes,
      node: 'node-1',
      containers,
      limits: { firstDelay: 10, longestDelay: 20 },
    })
    const container = containers.of([podCgroup(web, containerId(0x13))])!
    expect(container).toMatchObject({ id: containerId(0x13).slice(0, 12), podUid: web })
    await eventually(() => expect(pods!.figures.errors).toBeGreaterThan(1))
    expect(pods.figures).toMatchObject({ connected: false, unresolved: 1, answerAge: undefined })
    await kubernetes.comeBack()
    kubernetes.pods.add(deploymentPod)
    await eventually(() => expect(container.name).toBe('app'))
  })
})
