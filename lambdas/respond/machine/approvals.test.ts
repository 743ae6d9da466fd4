import { beforeEach, describe, expect, it } from 'vitest'
import { approver, policyOf } from '../testing/response-world.ts'
import { hour, pod, podAt, Shop } from '../testing/shop.ts'

let shop: Shop
const start = (mode: string, more = '') => {
  shop = new Shop(mode, more)
}

describe('an approval', () => {
  beforeEach(() => start('approve'))
  const approve = async (id: string, hash: string, by = approver) =>
    shop.world.responder().responder.approve(id, hash, by)

  it('of a stranger, of another plan, late or again counts for nothing', async () => {
    const id = await shop.begin()
    const { planHash } = (await shop.read(id)) as { planHash: string }
    expect(
      await approve(id, planHash, 'arn:aws:sts::123456789012:assumed-role/Others/eve'),
    ).toContain('may not decide')
    expect(
      await approve(id, planHash, 'arn:aws:sts::999999999999:assumed-role/Responders/eve'),
    ).toContain('may not decide')
    expect(await approve(id, `${planHash.slice(0, -1)}0x`)).toContain('not the one that waits')
    expect(await approve('none', planHash)).toContain('there is no response')
    shop.world.time += 1801
    expect(await approve(id, planHash)).toContain('is over')
    shop.untouched()
    await shop.pass(1)
    expect(await shop.read(id)).toMatchObject({ phase: 'closed', ending: 'lapsed' })
    expect(await approve(id, planHash)).toContain('it is closed')
    shop.untouched()
  })

  it('replayed does nothing more', async () => {
    const id = await shop.begin()
    const { planHash } = (await shop.read(id)) as { planHash: string }
    await approve(id, planHash)
    const before = shop.writes().length
    expect(await approve(id, planHash)).toBeUndefined()
    expect(await approve(id, planHash, `${approver}2`)).toContain('does not wait')
    expect(shop.writes()).toHaveLength(before)
    await shop.observe()
    await shop.pass(140)
    await shop.pass(hour)
    expect(await approve(id, planHash)).toBeUndefined()
    expect((await shop.read(id)).phase).toBe('closed')
    expect(shop.labels()).toEqual({ app: 'web' })
  })

  it('of nobody when no approvers are set', async () => {
    shop.world.approvers = []
    const id = await shop.begin()
    expect(await approve(id, (await shop.read(id)).planHash!)).toContain('may not decide')
  })

  it('of a plan that is void gives the next one its whole time', async () => {
    const id = await shop.begin()
    const { planHash, approveBy } = await shop.read(id)
    shop.world.time = approveBy!
    shop.kube.put('/api/v1/namespaces/shop/services/new', {
      metadata: { name: 'new', namespace: 'shop' },
      spec: { selector: { app: 'web' } },
    })
    await approve(id, planHash!)
    await shop.pass(1)
    expect(await shop.read(id)).toMatchObject({ phase: 'awaiting', approveBy: approveBy! + 1800 })
  })

  it('outlives a container that restarts, and others that come and go', async () => {
    const id = await shop.begin()
    const { planHash } = await shop.read(id)
    const containerStatuses = [{ name: 'app', containerID: 'containerd://fedcba9876543210' }]
    const { status, ...rest } = pod('web')
    shop.kube.put(podAt(), { ...rest, status: { ...status, containerStatuses } })
    expect(await approve(id, planHash!)).toBeUndefined()
    const { phase, plan, expectation } = await shop.read(id)
    expect(phase).toBe('verifying')
    expect(plan!.target.containers).toEqual(['fedcba987654'])
    expect(expectation!.containers).toEqual(['fedcba987654'])
  })

  it.each(['approve', 'auto'])('is not acted on after its time (%s)', async (mode) => {
    start(mode)
    const { evidence } = shop.world
    const keep = evidence.set.bind(evidence)
    evidence.set = () => {
      throw new Error('the bucket is out of reach')
    }
    const id = await shop.begin()
    if (mode === 'approve') await approve(id, (await shop.read(id)).planHash!)
    expect((await shop.read(id)).phase).toBe('approved')
    evidence.set = keep
    await shop.pass(24 * hour)
    expect(await shop.read(id)).toMatchObject({ phase: 'closed', ending: 'lapsed' })
    expect(shop.world.story.at(-1)).toContain('the bucket is out of reach')
    shop.untouched()
  })

  it('outlives what spoke against it, and nothing new', async () => {
    shop.world.policy = policyOf(`
- rule: End
  match: {rules: [Shell]}
  actions:
    - {action: end, actionner: kubernetes:terminate, parameters: {ignore_standalone_pods: false}}
- {mode: approve}
`)
    const allow = (disruptionsAllowed: number) =>
      shop.kube.put('/apis/policy/v1/namespaces/shop/poddisruptionbudgets/web', {
        metadata: { name: 'web', namespace: 'shop' },
        spec: { selector: { matchLabels: { app: 'web' } } },
        status: { disruptionsAllowed },
      })
    allow(1)
    const id = await shop.begin()
    const { planHash: without } = await shop.read(id)
    allow(0)
    await approve(id, without!)
    const { phase, planHash } = await shop.read(id)
    expect([phase, planHash === without]).toEqual(['awaiting', false])
    allow(1)
    await approve(id, planHash!)
    const { steps, planHash: acted, plan } = await shop.read(id)
    expect(steps).toMatchObject([{ status: 'done' }])
    expect(acted).toBe(planHash)
    expect(plan!.guards).toMatchObject([{ guard: 'budget' }])
  })
})
