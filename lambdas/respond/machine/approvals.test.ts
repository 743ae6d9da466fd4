import { beforeEach, describe, expect, it } from 'vitest'
import { approver } from '../testing/response-world.ts'
import { hour, Shop } from '../testing/shop.ts'

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
})
