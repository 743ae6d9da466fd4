import { beforeEach, describe, expect, it } from 'vitest'
import type { KubeRequest } from '../kubernetes/kube.ts'
import { approver } from '../testing/response-world.ts'
import { hour, Shop } from '../testing/shop.ts'

let shop: Shop
/** Calls that never end: whoever makes them is killed in the end, and nobody hears of it. */
let isDeadly: (request: KubeRequest) => boolean
beforeEach(() => {
  shop = new Shop('approve')
  isDeadly = () => false
  shop.world.kubesOf = async () => ({
    send: (request) => (isDeadly(request) ? new Promise(() => {}) : shop.faulty.send(request)),
  })
})

/** Waits for what ends; what does not is left alone, as if its process were gone. */
async function orKilled(work: Promise<unknown>): Promise<void> {
  await Promise.race([work, new Promise((resolve) => setTimeout(resolve, 60))])
}
async function pass(rounds: number): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    shop.world.time += 160
    await orKilled(shop.world.responder().responder.sweep())
  }
}
async function approve(id: string): Promise<void> {
  const { planHash } = await shop.read(id)
  await orKilled(shop.world.responder().responder.approve(id, planHash!, approver))
}

describe('a response over which processes die', () => {
  it('has an end, and a line that says so', async () => {
    const id = await shop.begin()
    isDeadly = ({ path }) => path.endsWith('/services')
    await approve(id)
    await pass(4)
    expect((await shop.read(id)).phase).toBe('approved')
    await pass(1)
    expect(await shop.read(id)).toMatchObject({ phase: 'closed', ending: 'failed' })
    expect(shop.world.story.at(-1)).toBe('Response Failed: given up: 5 attempts came to no end')
    shop.untouched()
  })

  it('goes on when they do not die any more, and counts anew', async () => {
    const id = await shop.begin()
    isDeadly = ({ path }) => path.endsWith('/services')
    await approve(id)
    await pass(3)
    isDeadly = () => false
    await pass(1)
    const state = await shop.read(id)
    expect(state.phase).toBe('verifying')
    expect(state).not.toHaveProperty('begun')
  })

  it('takes back what it did when it cannot go on', async () => {
    const id = await shop.begin()
    isDeadly = ({ method, path, query }) =>
      method === 'PATCH' && path.includes('/nodes/') && query?.['dryRun'] === undefined
    await approve(id)
    expect(await shop.read(id)).toMatchObject({ phase: 'acting', begun: 1 })
    await pass(5)
    expect((await shop.read(id)).phase).toBe('closed')
    expect(shop.world.story.join()).toContain('given up: 5 attempts came to no end')
    expect(shop.labels()).toEqual({ app: 'web' })
  })

  it('is left to people when what it did cannot be taken back', async () => {
    const id = await shop.begin()
    await approve(id)
    isDeadly = ({ path }) => path.includes('/nodes/')
    shop.world.time += hour
    await pass(20)
    expect((await shop.read(id)).phase).toBe('expiring')
    await pass(1)
    expect(await shop.read(id)).toMatchObject({ phase: 'closed', ending: 'failed' })
    expect(shop.world.story.at(-1)).toContain('given up: 20 attempts came to no end')
    isDeadly = () => false
    const { responder } = shop.world.responder()
    expect(await responder.release(id, approver)).toBeUndefined()
    expect(shop.labels()).toEqual({ app: 'web' })
  })

  it('is not given up because nobody could be told', async () => {
    const id = await shop.begin()
    const { planHash } = await shop.read(id)
    await shop.world.responder().responder.approve(id, planHash!, approver)
    await shop.observe()
    for (let i = 0; i < 12; i++) {
      shop.world.time += 160
      const { responder, ports } = shop.world.responder()
      ports.say = () => Promise.reject(new Error('the bus is away'))
      await responder.sweep().catch(() => {})
    }
    await pass(1)
    expect(await shop.read(id)).toMatchObject({ phase: 'holding', outcome: 'contained' })
    await shop.pass(hour)
    expect((await shop.read(id)).phase).toBe('closed')
  })
})
