import { beforeEach, describe, expect, it } from 'vitest'
import { quarantineLabel } from '#events'
import type { Observation } from '../../shared/expectations.ts'
import { heardFor } from '../testing/quiet.ts'
import { podAt, Shop } from '../testing/shop.ts'

let shop: Shop
const start = (mode: string, more = '') => {
  shop = new Shop(mode, more)
}

describe('a containment', () => {
  beforeEach(() => start('auto'))
  const outcome = async (more: Partial<Observation> | undefined) => {
    const id = await shop.begin()
    if (more !== undefined) await shop.observe(more)
    await shop.pass(140)
    const { outcome, next } = await shop.read(id)
    expect(next === undefined).toBe(outcome === 'contained')
    return outcome
  }
  const seen = (event: string, after: number) => {
    return [
      {
        event,
        time: shop.world.time * 1000 + after,
        container: '0123456789ab',
        process: 'sh',
        remote: '1.2.3.4:443',
      },
    ]
  }

  it('is proven by silence that was listened to', async () =>
    expect(await outcome({})).toBe('contained'))
  it('is unverified when nobody listened', async () =>
    expect(await outcome(undefined)).toBe('unverified'))
  it('is unverified when the node was heard of for a part of the time', async () => {
    const from = shop.world.time * 1000
    expect(await outcome({ heard: [heardFor(from, from + 30_000)] })).toBe('unverified')
  })
  it('is unverified when the node was heard of, but did not watch the pod', async () => {
    expect(await outcome({ watched: [] })).toBe('unverified')
    start('auto')
    const from = shop.world.time * 1000
    expect(await outcome({ watched: [[from + 11_000, from + 61_000]] })).toBe('unverified')
    start('auto')
    const [first, second] = [from, from + 30_000].map((at) => [at, at + 29_000] as const)
    expect(await outcome({ watched: [first!, second!] })).toBe('unverified')
  })
  it('is unenforced when bytes still come in', async () => {
    expect(await outcome({ traffic: seen('read', 30_000) })).toBe('unenforced')
  })
  it('takes a moment to come into force', async () => {
    expect(await outcome({ traffic: seen('connect', 5000) })).toBe('contained')
  })
  it('never reads contained while a process holds its connection', async () => {
    expect(await outcome({ held: seen('write', 30_000) })).toBe('partially_contained')
  })
  it('nor while it holds one in silence, or nobody knows whether it does', async () => {
    const until = shop.world.time * 1000 + 60_000
    expect(await outcome({ open: { time: until, count: 2 } })).toBe('partially_contained')
    expect(shop.world.story.join()).toContain('it still holds 2 connections to others')
    start('auto')
    expect(await outcome({ open: undefined })).toBe('partially_contained')
    start('auto')
    expect(await outcome({ open: { time: until - 30_000, count: 0 } })).toBe('partially_contained')
  })
  it('nor while it uses a ring, whenever that was set up', async () => {
    expect(await outcome({ rings: seen('io_uring_enter', 1000) })).toBe('partially_contained')
    expect(shop.world.story.join()).toContain('sh in 0123456789ab uses io_uring')
  })
  it('is partial where something is left open', async () => {
    const spec = { podSelector: {}, policyTypes: ['Egress'], egress: [{}] }
    shop.kube.put('/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/out', {
      metadata: { name: 'out', namespace: 'shop' },
      spec,
    })
    expect(await outcome({})).toBe('partially_contained')
    expect(shop.world.story.join()).toContain('NetworkPolicy/out')
  })
  const policiesPath = '/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies'
  const openFor = (matchLabels: Readonly<Record<string, string>>) => {
    const spec = { podSelector: { matchLabels }, policyTypes: ['Egress'], egress: [{}] }
    shop.kube.put(`${policiesPath}/late`, { metadata: { name: 'late', namespace: 'shop' }, spec })
  }
  it('is partial where somebody opens it after the act', async () => {
    const id = await shop.begin()
    await shop.observe()
    openFor({ [quarantineLabel]: id.slice(0, 12) })
    await shop.pass(140)
    expect((await shop.read(id)).outcome).toBe('partially_contained')
    expect(shop.world.story.join()).toContain('NetworkPolicy/late')
  })
  it('is partial where somebody puts a label back by which a policy allows something', async () => {
    openFor({ app: 'web' })
    const id = await shop.begin()
    await shop.observe()
    const { metadata, ...pod } = shop.kube.objects.get(podAt())!
    const labels = { ...(metadata['labels'] as object), app: 'web' }
    shop.kube.put(podAt(), { ...pod, metadata: { ...metadata, labels } })
    await shop.pass(140)
    expect((await shop.read(id)).outcome).toBe('partially_contained')
  })
  it('is partial where policies of other kinds are not read', async () => {
    shop.kube.put('/apis', { groups: [{ name: 'apps' }, { name: 'cilium.io' }], metadata: {} })
    expect(await outcome({})).toBe('partially_contained')
    expect(shop.world.story.join()).toContain('cilium.io: its policies are not read')
  })
  it('is unenforced when another object has the name of its policy', async () => {
    const id = await shop.begin()
    await shop.observe()
    const path = `${policiesPath}/lanner-quarantine-${id.slice(0, 12)}`
    const { metadata, ...policy } = shop.kube.objects.get(path)!
    const { uid: _, ...rest } = metadata
    shop.kube.objects.delete(path)
    shop.kube.put(path, { ...policy, metadata: rest })
    await shop.pass(140)
    expect((await shop.read(id)).outcome).toBe('unenforced')
  })
  it('knows from where its node looks whether it lives', async () => {
    const { metadata, ...node } = shop.kube.objects.get('/api/v1/nodes/n1')!
    const addresses = [
      { type: 'InternalIP', address: '10.0.0.1' },
      { type: 'Hostname', address: 'n1' },
    ]
    shop.kube.put('/api/v1/nodes/n1', {
      ...{ ...node, metadata },
      status: { ...(node['status'] as object), addresses },
    })
    const { spec, ...pod } = shop.kube.objects.get(podAt())!
    const container = {
      ...{ name: 'app', ports: [{ name: 'http', containerPort: 8080 }] },
      ...{
        readinessProbe: { httpGet: { port: 'http' } },
        livenessProbe: { tcpSocket: { port: 9 } },
      },
    }
    shop.kube.put(podAt(), { ...pod, spec: { ...(spec as object), containers: [container] } })
    const id = await shop.begin()
    const { expectation } = await shop.read(id)
    expect(expectation!.probes).toEqual({ addresses: ['10.0.0.1'], ports: [9, 8080] })
  })
  it('is unenforced when somebody took it back', async () => {
    const id = await shop.begin()
    await shop.observe()
    shop.kube.objects.delete(
      `/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/lanner-quarantine-${id.slice(0, 12)}`,
    )
    await shop.pass(140)
    expect((await shop.read(id)).outcome).toBe('unenforced')
  })
  it('is unenforced when somebody opened its policy', async () => {
    const id = await shop.begin()
    await shop.observe()
    const path = `/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/lanner-quarantine-${id.slice(0, 12)}`
    const { spec, ...policy } = shop.kube.objects.get(path)!
    shop.kube.put(path, { ...policy, spec: { ...(spec as object), egress: [{}] } })
    await shop.pass(140)
    expect((await shop.read(id)).outcome).toBe('unenforced')
  })
})
