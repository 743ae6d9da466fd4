import { beforeEach, describe, expect, it } from 'vitest'
import { quarantineLabel } from '#events'
import { verifyEvidence } from '../evidence/manifest.ts'
import { NoRole } from '../kubernetes/kube.ts'
import { approver, incidentMessage, policyOf } from '../testing/response-world.ts'
import { hour, pod, podAt, Shop } from '../testing/shop.ts'

let shop: Shop
const start = (mode: string, more = '') => {
  shop = new Shop(mode, more)
}

describe('a response', () => {
  beforeEach(() => start('approve'))

  it('changes nothing by default, and says what it would do', async () => {
    start('')
    const id = await shop.begin()
    expect(await shop.read(id)).toMatchObject({
      phase: 'closed',
      ending: 'observed',
      mode: 'observe',
    })
    shop.untouched()
    expect(shop.world.story).toEqual([
      expect.stringContaining(
        'Response Planned: planned, nothing is changed: describe | logs | mark | close',
      ),
    ])
    expect(shop.world.evidence.size).toBe(0)
    start('off')
    expect(await shop.begin()).toBeUndefined()
  })

  it('goes from plan to approval, evidence, act, proof, expiry and undo', async () => {
    const id = await shop.begin()
    shop.untouched()
    const { planHash, phase } = await shop.read(id)
    expect(phase).toBe('awaiting')
    expect(shop.world.messages[0]!.approve).toMatchObject({
      planHash,
      until: new Date((shop.world.time + 1800) * 1000).toISOString(),
    })
    expect(await shop.world.responder().responder.approve(id, planHash!, approver)).toBeUndefined()
    expect(shop.labels()).toEqual({
      [quarantineLabel]: id.slice(0, 12),
      'lanner.dev/suspicious': 'true',
    })
    expect(shop.kube.objects.get('/api/v1/nodes/n1')!['spec']).toEqual({ unschedulable: true })
    expect(shop.world.outside).toHaveLength(1)
    const acted = await shop.read(id)
    expect(acted.phase).toBe('verifying')
    const manifest = Buffer.from(shop.world.evidence.get(acted.evidence!.manifest)!).toString()
    const verified = await verifyEvidence(
      manifest,
      async (key) => shop.world.evidence.get(key),
      acted.evidence!.head,
    )
    expect(verified.problems).toEqual([])
    const all = [...shop.world.evidence.values()]
      .map((bytes) => Buffer.from(bytes).toString())
      .join()
    expect(all).not.toMatch(/hunter2|abc123/)
    expect(all).toContain('PASSWORD')
    await shop.observe()
    await shop.pass(140)
    expect(await shop.read(id)).toMatchObject({ phase: 'holding', outcome: 'contained' })
    await shop.pass(hour)
    expect(await shop.read(id)).toMatchObject({ phase: 'closed', ending: 'expired' })
    expect(shop.labels()).toEqual({ app: 'web' })
    expect(shop.kube.objects.get('/api/v1/nodes/n1')!['spec']).toEqual({})
    expect([...shop.kube.objects.keys()].filter((key) => key.includes('networkpolicies'))).toEqual(
      [],
    )
    expect(shop.world.said.map(({ type }) => type)).toEqual([
      ...['Response Planned', 'Response Approved', 'Response Approved'],
      // each step, and that they are through
      ...Array.from({ length: 7 }, () => 'Response Done'),
      ...['Response Verified', 'Response Expired', 'Response Expired'],
    ])
    expect(shop.world.story.slice(-4)).toEqual([
      'Response Done: all is done: for 60 s it is watched what the pod still does',
      expect.stringContaining('Response Verified: contained'),
      'Response Expired: its time is over: what is ours is taken back',
      'Response Expired: its time is over: everything is undone',
    ])
    const last = await shop.read(id)
    expect(last.lines).toHaveLength(shop.world.said.length)
    expect(new Set(shop.world.said.map(({ detail }) => detail.id)).size).toBe(
      shop.world.said.length,
    )
  })

  it('keeps evidence before it changes anything, and changes nothing without', async () => {
    const id = await shop.begin()
    const order: string[] = []
    const put = shop.world.evidence.set.bind(shop.world.evidence)
    shop.world.evidence.set = (key, bytes) => {
      order.push('evidence')
      return put(key, bytes)
    }
    shop.faulty.fault = ({ method }) => {
      if (method !== 'GET') order.push('change')
      return undefined
    }
    const { planHash } = await shop.read(id)
    order.length = 0
    await shop.world.responder().responder.approve(id, planHash!, approver)
    const real = order.slice(order.indexOf('evidence'))
    expect(real.lastIndexOf('evidence')).toBeLessThan(real.indexOf('change'))
    start('auto')
    shop.world.evidence.set = () => {
      throw new Error('the bucket is gone')
    }
    const second = await shop.begin()
    for (let i = 0; i < 40; i++) await shop.pass(40)
    expect(await shop.read(second)).toMatchObject({ phase: 'closed', ending: 'failed' })
    expect(shop.world.story.at(-1)).toContain('the bucket is gone')
    shop.untouched()
  })

  it('keeps evidence before it calls somebody who may change anything', async () => {
    start('auto')
    shop.world.policy = policyOf(`
- rule: Tell
  match: {rules: [Shell]}
  actions: [{action: tell, actionner: "lanner:webhook", parameters: {url: "https://example.org/x"}}]
- {mode: auto}
`)
    expect((await shop.read(await shop.begin())).evidence).toBeDefined()
    expect(shop.world.outside).toHaveLength(1)
    expect(shop.world.evidence.size).toBeGreaterThan(0)
  })

  it('is void when the world is another one than was approved', async () => {
    const id = await shop.begin()
    const { planHash } = await shop.read(id)
    shop.kube.put('/api/v1/namespaces/shop/services/new', {
      metadata: { name: 'new', namespace: 'shop' },
      spec: { selector: { app: 'web' } },
    })
    await shop.world.responder().responder.approve(id, planHash!, approver)
    const state = await shop.read(id)
    expect(state.phase).toBe('awaiting')
    expect(state.planHash).not.toBe(planHash)
    shop.untouched()
    expect(shop.world.story.join()).toContain('that plan is void')
    expect(
      await shop.world.responder().responder.approve(id, state.planHash!, approver),
    ).toBeUndefined()
    expect((await shop.read(id)).phase).toBe('verifying')
  })

  it('by itself goes where the policy says so, and asks where a guard does', async () => {
    start('auto')
    expect(await shop.read(await shop.begin())).toMatchObject({
      phase: 'verifying',
      approval: { by: 'the policy' },
    })
    start('auto')
    shop.kube.put('/api/v1/namespaces/shop/pods/web2', pod('web2'))
    shop.kube.put(podAt('api-x-1'), pod('api-x-1'))
    shop.kube.put(podAt('api-x-2'), pod('api-x-2'))
    const target = {
      name: 'api-x-1',
      namespace: 'shop',
      uid: shop.kube.objects.get(podAt('api-x-1'))!.metadata.uid,
    }
    const [id] = await shop.world.responder().responder.onIncident(incidentMessage(target))
    expect(await shop.read(id!)).toMatchObject({
      phase: 'awaiting',
      lowered: expect.stringContaining('api-x-2'),
    })
  })

  it('says each transition, without evidence and without anything to take back, too', async () => {
    start('auto')
    const only = (at: number) => {
      const { policy } = shop.world
      const rules = policy.rules.map((rule) => ({ ...rule, steps: rule.steps.slice(at, at + 1) }))
      shop.world.policy = { ...policy, rules }
    }
    only(2)
    const id = await shop.begin()
    expect((await shop.read(id)).phase).toBe('holding')
    expect(shop.world.messages.map(({ phase, text }) => [phase, text])).toEqual([
      ['approved', 'goes on by itself: mark'],
      ['approved', 'approved by the policy'],
      ['acting', 'it is acted on; no evidence is kept for it'],
      ['acting', 'mark: done'],
      ['holding', 'all is done: it holds until its time is over'],
    ])
    start('auto')
    only(5)
    await shop.begin()
    expect(shop.world.messages.at(-1)).toMatchObject({
      ...{ phase: 'closed', text: 'all is done: there is nothing to take back' },
    })
  })

  it('never touches what is protected', async () => {
    start('auto', '- protect: {namespaces: [shop]}\n')
    const { steps, phase } = await shop.read(await shop.begin())
    expect(phase).toBe('closed')
    expect(steps.map(({ status }) => status)).toEqual([
      ...['done', 'done', 'refused', 'skipped', 'skipped', 'skipped'],
    ])
    expect(shop.writes()).toEqual([])
    expect(shop.labels()).toEqual({ app: 'web' })
  })

  it.each<[string, Partial<Parameters<typeof incidentMessage>[1]>, string]>([
    [
      'a sender that nobody vouches for',
      { sender: 'unverified' },
      'it is not proven which node tells of it',
    ],
    ['a node that speaks for the pod of another', { node: 'n2' }, 'the pod runs on n1, not on n2'],
  ])('only plans for %s', async (_, more, why) => {
    start('auto')
    expect(await shop.read(await shop.begin(more))).toMatchObject({
      phase: 'closed',
      ending: 'observed',
      lowered: expect.stringContaining(why),
    })
    shop.untouched()
  })

  it.each(['', 'auto'])('plans where only reading is set up, and says so (%j)', async (mode) => {
    start(mode)
    shop.world.kubesOf = async (risk) => {
      if (risk !== 'read') throw new NoRole(`test has no role for ${risk}`)
      return shop.faulty
    }
    const state = await shop.read(await shop.begin())
    expect(state.phase).toBe('closed')
    expect(shop.world.story.join()).toContain('would fail: test has no role for mark')
    shop.untouched()
  })

  it('does not know clusters that it was not given', async () => {
    start('auto')
    expect(await shop.read(await shop.begin({ cluster: 'other' }))).toMatchObject({
      phase: 'closed',
      ending: 'refused',
    })
  })
})
