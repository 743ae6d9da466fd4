import { describe, expect, it } from 'vitest'
import { incidentMessage, policyOf } from '../testing/response-world.ts'
import { pod, podAt, Shop } from '../testing/shop.ts'
import type { ResponseState } from './response-state.ts'

const cut = '{action: cut, actionner: "lanner:quarantine"}'
const close = '{action: close, actionner: kubernetes:cordon}'
const open = '{action: open, actionner: kubernetes:uncordon}'

/** A shop whose pod is one of two of a ReplicaSet, the other one on another node. */
function replicated(steps: readonly string[]): Shop {
  const shop = new Shop('auto')
  shop.world.policy = policyOf(`
- rule: Isolate
  match: {rules: [Shell]}
  actions:
${steps.map((step) => `    - ${step}`).join('\n')}
- {mode: auto}
`)
  const set = '/apis/apps/v1/namespaces/shop/replicasets/web'
  shop.kube.put(set, {
    metadata: { name: 'web', namespace: 'shop' },
    spec: { replicas: 2, selector: { matchLabels: { app: 'web', 'pod-template-hash': 'h' } } },
  })
  const { uid } = shop.kube.objects.get(set)!.metadata
  const more = {
    labels: { app: 'web', 'pod-template-hash': 'h' },
    ownerReferences: [{ kind: 'ReplicaSet', name: 'web', uid, controller: true }],
  }
  shop.kube.put(podAt(), pod('web', more))
  const other = pod('other', more)
  shop.kube.put(podAt('other'), { ...other, spec: { ...other.spec, nodeName: 'n2' } })
  return shop
}

const onEc2 = (shop: Shop, more: object = {}) =>
  shop.kube.put('/api/v1/nodes/n1', {
    ...shop.kube.objects.get('/api/v1/nodes/n1'),
    spec: { providerID: 'aws:///eu-west-1a/i-0123456789abcdef0', ...more },
  })

describe('the pod that takes the place of one that is cut off', () => {
  it.each([
    ['on EC2', [cut], {}],
    ['on EC2, where a step opens the node again', [close, open, cut], {}],
  ])('%s may share its rules: a person decides', async (_, steps, more) => {
    const shop = replicated(steps)
    onEc2(shop, more)
    const { phase, lowered } = await shop.read(await shop.begin())
    expect([phase, lowered]).toEqual(['awaiting', expect.stringContaining('close the node first')])
    expect(shop.world.story[0]).toContain('it may be cut off from its start')
    expect(shop.writes()).toEqual([])
  })

  it('may also where the cluster has policies of the VPC CNI', async () => {
    const shop = replicated([cut])
    shop.kube.put('/apis/networking.k8s.aws/v1alpha1/clusternetworkpolicies/any', {
      metadata: { name: 'any' },
      spec: { tier: 'Baseline', priority: 1, subject: { namespaces: {} } },
    })
    expect((await shop.read(await shop.begin())).lowered).toContain('close the node first')
  })

  it.each([
    ['the node is closed before', [close, cut], {}, true],
    ['the node is closed anyway', [cut], { unschedulable: true }, true],
    ['nothing tells of the VPC CNI', [cut], {}, false],
  ])('does not when %s', async (_, steps, more, isEc2) => {
    const shop = replicated(steps)
    if (isEc2) onEc2(shop, more)
    expect((await shop.read(await shop.begin())).phase).toBe('verifying')
    expect(shop.labels()).not.toHaveProperty('app')
  })
})

describe('two replicas at once', () => {
  const begin = async (shop: Shop, name: string) => {
    const { uid } = shop.kube.objects.get(podAt(name))!.metadata
    const target = { name, namespace: 'shop', uid }
    const node = name === 'other' ? 'n2' : 'n1'
    const message = incidentMessage(target, { id: `inc-${name}`, node })
    const [id] = await shop.world.responder().responder.onIncident(message)
    return shop.read(id!)
  }

  it('are not both cut off: the second one waits for a person', async () => {
    const shop = replicated([cut])
    // while the first one puts evidence in safety, the second begins
    const { evidence } = shop.world
    const keep = evidence.set.bind(evidence)
    let second: Promise<ResponseState> | undefined
    evidence.set = (key, bytes) => {
      second ??= begin(shop, 'other')
      return keep(key, bytes)
    }
    expect((await begin(shop, 'web')).phase).toBe('verifying')
    expect(await second).toMatchObject({
      phase: 'awaiting',
      lowered: 'another response is about to take another replica away',
    })
    expect(shop.kube.objects.get(podAt('other'))!.metadata['labels']).toHaveProperty('app')
  })

  it('are not both cut off when the policy has passed both before', async () => {
    const shop = replicated([cut])
    const { evidence } = shop.world
    const keep = evidence.set.bind(evidence)
    evidence.set = () => {
      throw new Error('the bucket is out of reach')
    }
    expect((await begin(shop, 'web')).phase).toBe('approved')
    // the place of the first one is over before it comes to act
    shop.world.time += 901
    expect((await begin(shop, 'other')).phase).toBe('approved')
    const [web, other] = [await begin(shop, 'web'), await begin(shop, 'other')]
    // both are looked at again at once
    let second: Promise<void> | undefined
    evidence.set = (key, bytes) => {
      second ??= shop.world.responder().responder.advance(web.id)
      return keep(key, bytes)
    }
    await shop.world.responder().responder.advance(other.id)
    await second
    expect((await shop.read(other.id)).phase).toBe('verifying')
    expect((await shop.read(web.id)).phase).toBe('awaiting')
  })

  it('may go one after the other while others stay', async () => {
    const shop = replicated([cut])
    const { uid, ...more } = shop.kube.objects.get(podAt('web'))!.metadata
    shop.kube.put(podAt('third'), pod('third', { ...more, name: 'third' }))
    expect((await begin(shop, 'web')).phase).toBe('verifying')
    expect((await begin(shop, 'other')).phase).toBe('verifying')
    expect((await begin(shop, 'third')).lowered).toContain('no other replica of it is ready')
  })
})
