import { describe, expect, it } from 'vitest'
import { quarantineLabel } from '#events'
import { hour, pod, podAt, Shop } from '../testing/shop.ts'

const ours = { 'app.kubernetes.io/managed-by': 'lanner', 'lanner.dev/response': 'x' }
const cut = {
  podSelector: { matchLabels: { [quarantineLabel]: 'x' } },
  policyTypes: ['Ingress', 'Egress'],
}

/** A shop whose pod says of itself what its author wrote. */
function shopWith(labels: Record<string, string>, policy?: { labels: object; spec: object }): Shop {
  const shop = new Shop('auto')
  shop.kube.put(podAt(), pod('web', { labels: { app: 'web', ...labels } }))
  const name = 'lanner-quarantine-x'
  if (policy !== undefined) {
    shop.kube.put(`/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/${name}`, {
      metadata: { name, namespace: 'shop', labels: policy.labels },
      spec: policy.spec,
    })
  }
  return shop
}

describe('a pod that says itself that it is cut off', () => {
  it.each([
    ['without a policy', undefined],
    ['with a policy of others', { labels: {}, spec: cut }],
    ['with one that lets everything out', { labels: ours, spec: { ...cut, egress: [{}] } }],
    ['with one that lets somebody in', { labels: ours, spec: { ...cut, ingress: [{}] } }],
    ['with one that holds one way', { labels: ours, spec: { ...cut, policyTypes: ['Ingress'] } }],
    [
      'with one that selects others',
      { labels: ours, spec: { ...cut, podSelector: { matchLabels: { [quarantineLabel]: 'y' } } } },
    ],
  ])('%s, is cut off all the same, and proven', async (_, policy) => {
    const shop = shopWith({ [quarantineLabel]: 'x' }, policy)
    const id = await shop.begin()
    expect(shop.labels()).toMatchObject({ [quarantineLabel]: id.slice(0, 12) })
    expect(shop.world.story[0]).toContain('says that it is cut off, and no response did that')
    expect((await shop.read(id)).phase).toBe('verifying')
    await shop.observe()
    await shop.pass(140)
    expect(await shop.read(id)).toMatchObject({ outcome: 'contained' })
    await shop.pass(hour)
    expect(shop.labels()).toEqual({ app: 'web' })
  })

  it('and is, by another response, is left to that one: said, and not as done here', async () => {
    const shop = shopWith({ [quarantineLabel]: 'x' }, { labels: ours, spec: cut })
    const { steps, phase, outcome } = await shop.read(await shop.begin())
    expect(shop.labels()).toMatchObject({ [quarantineLabel]: 'x' })
    expect(steps[4]).toMatchObject({ status: 'elsewhere' })
    expect([phase, outcome]).toEqual(['holding', undefined])
    expect(shop.world.story).toContainEqual(
      expect.stringContaining('cut: not done here: the response x has cut it off already'),
    )
  })
})

describe('a pod that is spared by a label of its own', () => {
  it('is, and that is said first', async () => {
    const shop = shopWith({ 'lanner.dev/protect': 'true' })
    await shop.begin()
    expect(shop.labels()).toEqual({ app: 'web', 'lanner.dev/protect': 'true' })
    expect(shop.writes()).toEqual([])
    expect(shop.world.story[0]).toMatch(/: SPARED BY ITS OWN LABEL: it carries the label lanner/)
  })
  it('is not by one that says it is part of Lanner', async () => {
    const shop = shopWith({ 'app.kubernetes.io/part-of': 'lanner' })
    expect((await shop.read(await shop.begin())).phase).toBe('verifying')
    expect(shop.world.story.join()).not.toContain('SPARED')
  })
})
