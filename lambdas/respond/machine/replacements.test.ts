import { describe, expect, it } from 'vitest'
import { policyOf } from '../testing/response-world.ts'
import { pod, podAt, Shop } from '../testing/shop.ts'

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
