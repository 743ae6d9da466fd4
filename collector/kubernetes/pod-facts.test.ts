import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { containerId, deploymentPod, digest, makePod, podUid } from '#testing/kubernetes/pods.ts'
import { podFacts } from './pod-facts.ts'

const workload = (pod: unknown) => podFacts(pod)?.pod.workload

describe('a pod of a Deployment', () => {
  const { pod, containers, cgroupUid, uid } = podFacts(deploymentPod)!

  it('is known as a whole before any container has an id', () => {
    const early = podFacts({ metadata: deploymentPod.metadata, spec: deploymentPod.spec })!
    expect(early.containers.size).toBe(0)
    expect(early.pod).toEqual({
      podUid: podUid(1),
      podName: 'web-7c9f6d5b84-x2x4q',
      namespace: 'shop',
      podLabels: { app: 'web', tier: 'front', 'pod-template-hash': '7c9f6d5b84' },
      serviceAccount: 'web',
      workload: { kind: 'Deployment', name: 'web' },
      hostPid: false,
      hostNetwork: false,
      hostIpc: false,
    })
    expect([cgroupUid, uid]).toEqual([podUid(1), podUid(1)])
  })

  it('has its addresses with its status', () => {
    expect(pod.podIps).toEqual(['10.0.3.7', 'fd00::3:7'])
  })

  it('names all its containers, those that ended too', () => {
    const names = [...containers].map(([id, { name }]) => [id, name])
    expect(names).toEqual([
      [containerId(0x13), 'app'],
      [containerId(0x10), 'app'],
      [containerId(0x11), 'migrate'],
      [containerId(0x12), 'proxy'],
      [containerId(0x14), 'debugger'],
    ])
    for (const facts of containers.values()) expect(facts).toMatchObject(pod)
  })

  it('says of each whether it is privileged', () => {
    expect(containers.get(containerId(0x12))?.privileged).toBe(true)
    expect(containers.get(containerId(0x13))?.privileged).toBe(false)
  })

  it('gives a container its image as it was pulled', () => {
    expect(containers.get(containerId(0x13))).toMatchObject({
      image: 'docker.io/library/nginx:1.27',
      imageRepository: 'docker.io/library/nginx',
      imageTag: '1.27',
      imageDigest: digest(0x13),
    })
    expect(containers.get(containerId(0x11))).toMatchObject({
      image: 'registry.shop.example:5000/team/migrate:2.1',
      imageRepository: 'registry.shop.example:5000/team/migrate',
      imageTag: '2.1',
    })
  })

  it('lists what a container mounts, with the source where it is of the host', () => {
    const mount = (dest: string, source = '', rdwr = true, propagation = 'private') => ({
      source,
      dest,
      mode: '',
      rdwr,
      propagation,
    })
    expect(containers.get(containerId(0x13))?.mounts).toEqual([
      mount('/cache'),
      mount('/etc/app', '', false),
      mount('/var/log/app', '/var/log/web'),
      mount('/mnt/shared', '/srv/shared', true, 'rshared'),
      mount('/var/run/secrets/kubernetes.io/serviceaccount', '', false),
    ])
    expect(containers.get(containerId(0x12))?.mounts).toEqual([
      mount('/host', '/', true, 'rslave'),
      mount('/run/containerd/containerd.sock', '/run/containerd/containerd.sock', false),
    ])
    expect(containers.get(containerId(0x14))?.mounts).toEqual([])
  })
})

describe('the workload of a pod', () => {
  it('is what controls it', () => {
    expect(workload(makePod({ owner: ['StatefulSet', 'db'] }))).toEqual({
      kind: 'StatefulSet',
      name: 'db',
    })
    expect(workload(makePod({ owner: ['DaemonSet', 'logs'] }))).toEqual({
      kind: 'DaemonSet',
      name: 'logs',
    })
    expect(workload(makePod({ owner: ['Job', 'backup-29400000'] }))).toEqual({
      kind: 'Job',
      name: 'backup-29400000',
    })
    expect(workload(makePod())).toBeUndefined()
  })

  it('is a ReplicaSet where no Deployment is behind it', () => {
    const owner = ['ReplicaSet', 'web-abc'] as const
    expect(workload(makePod({ owner }))).toEqual({ kind: 'ReplicaSet', name: 'web-abc' })
    const other = makePod({ owner, labels: { 'pod-template-hash': 'bc' } })
    expect(workload(other)).toEqual({ kind: 'ReplicaSet', name: 'web-abc' })
    const itself = makePod({
      owner: ['ReplicaSet', '-abc'],
      labels: { 'pod-template-hash': 'abc' },
    })
    expect(workload(itself)).toEqual({ kind: 'ReplicaSet', name: '-abc' })
  })
})

it('a static pod is found by the uid that its kubelet gave it', () => {
  const hash = '8f1d2c3b4a59687766554433221100ff'
  const pod = makePod({
    uid: podUid(7),
    namespace: 'kube-system',
    owner: ['Node', 'node-1'],
    annotations: { 'kubernetes.io/config.mirror': hash, 'kubernetes.io/config.source': 'file' },
    spec: { hostNetwork: true, hostPID: true, hostIPC: true },
  })
  const facts = podFacts(pod)!
  expect([facts.uid, facts.cgroupUid]).toEqual([podUid(7), hash])
  expect(facts.pod).toMatchObject({
    podUid: hash,
    hostNetwork: true,
    hostPid: true,
    hostIpc: true,
  })
})

describe('an image', () => {
  const imageOf = (image: string, imageId: string, resolved = image) => {
    const pod = makePod({ image, imageId, container: 5 })
    const [status] = pod.status!['containerStatuses'] as { image: string }[]
    status!.image = resolved
    const {
      image: name,
      imageRepository,
      imageTag,
      imageDigest,
      imageId: id,
    } = podFacts(pod)!.containers.get(containerId(5))!
    return [name, imageRepository, imageTag, imageDigest, id]
  }

  it('by digest has no tag', () => {
    const pulled = `docker.io/library/nginx@${digest(1)}`
    const expected = [pulled, 'docker.io/library/nginx', undefined, digest(1), undefined]
    expect(imageOf(`nginx@${digest(1)}`, pulled)).toEqual(expected)
    expect(imageOf(`nginx:1.27@${digest(1)}`, pulled)).toEqual(expected)
  })

  it('of a registry with a port keeps the port', () => {
    const pulled = `localhost:5000/a/b@${digest(2)}`
    expect(imageOf('localhost:5000/a/b', pulled)).toEqual([
      'localhost:5000/a/b',
      'localhost:5000/a/b',
      undefined,
      digest(2),
      undefined,
    ])
  })

  it('that the runtime knows by its id alone is named as in the spec', () => {
    expect(imageOf('nginx:1.27', digest(3), digest(3))).toEqual([
      'nginx:1.27',
      'nginx',
      '1.27',
      digest(3),
      containerId(3),
    ])
  })

  it('may have the scheme of an old kubelet', () => {
    expect(imageOf('nginx:1', `docker-pullable://nginx@${digest(4)}`)).toEqual([
      'nginx:1',
      'nginx',
      '1',
      digest(4),
      undefined,
    ])
  })
})

describe('what a pod may hold', () => {
  it('is limited, and what is left out is counted', () => {
    const labels = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`l${i}`, 'x']))
    const volumeMounts = Array.from({ length: 70 }, (_, i) => ({ name: 'v', mountPath: `/${i}` }))
    const pod = makePod({
      labels,
      container: 9,
      spec: { containers: [{ name: 'main', image: 'a', volumeMounts }] },
    })
    const { pod: facts, containers, cut } = podFacts(pod)!
    expect(Object.keys(facts.podLabels!)).toHaveLength(64)
    expect(containers.get(containerId(9))!.mounts).toHaveLength(64)
    expect(cut).toBe(36 + 6)
  })

  it('is of no use without a name, and nothing is thrown', () => {
    for (const json of [undefined, null, 7, [], {}, { metadata: { uid: 'u', name: 'n' } }]) {
      expect(podFacts(json)).toBeUndefined()
    }
    const metadata = { uid: 'u', name: 'n', namespace: 's' }
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (a, b, c) => {
        podFacts({ metadata: { ...metadata, labels: a, ownerReferences: b }, spec: c, status: b })
        const containerStatuses = [{ name: a, containerID: b, image: c, lastState: a }]
        const spec = { containers: [a], volumes: [b], initContainers: c }
        expect(podFacts({ metadata, spec, status: { containerStatuses } })).toBeDefined()
      }),
    )
  })
})
