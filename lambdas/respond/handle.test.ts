import { beforeEach, describe, expect, it } from 'vitest'
import { type Approval, signApproval } from './access/approval-token.ts'
import { type Around, handle } from './handle.ts'
import { killSwitch } from './machine/control.ts'
import { NotInForce } from './machine/ports.ts'
import { releaseWord, switchWord } from './requests.ts'
import { approver } from './testing/response-world.ts'
import { Shop } from './testing/shop.ts'

let shop: Shop
let errors: string[] = []
/** Whether the bucket of what is published answers this instance, which never read it before. */
let isAway = false
beforeEach(() => {
  shop = new Shop('approve')
  errors = []
  isAway = false
})

function around(): Around {
  const { responder, ports } = shop.world.responder()
  const { policy, kubes } = ports
  ports.policy = async () => (isAway ? notInForce() : policy())
  ports.kubes = (cluster, session) => (isAway ? notInForce() : kubes(cluster, session))
  return {
    ...{ responder, ports, count: () => {} },
    refresh: async () => {
      if (isAway) throw new Error('SlowDown')
    },
    askSts: async () => {
      const GetCallerIdentityResult = { Arn: approver }
      return {
        status: 200,
        body: JSON.stringify({ GetCallerIdentityResponse: { GetCallerIdentityResult } }),
      }
    },
    onError: (text) => void errors.push(text),
  }
}
function notInForce(): never {
  throw new NotInForce('it is waited for')
}
const signed = (approval: Approval) =>
  signApproval(approval, {
    ...{ region: 'eu-west-1', date: new Date() },
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  })
const record = () => ({
  Records: [{ messageId: 'm', body: JSON.stringify({ detail: shop.message() }) }],
})
const tick = { source: 'aws.events' } as const

describe('an instance that cannot read what is published', () => {
  it('stops everything all the same, and says how things are', async () => {
    const id = await shop.begin()
    isAway = true
    const stop = {
      ...{ ask: 'stop' as const, reason: 'drill' },
      signed: await signed({ response: 'stop', planHash: switchWord }),
    }
    expect(await handle(stop, around())).toEqual({ ok: true })
    expect(await killSwitch(shop.world.responder().ports)).toMatchObject({ by: approver })
    expect(await handle({ ask: 'show', response: id }, around())).toMatchObject({
      ...{ ok: true, phase: 'awaiting', stopped: { reason: 'drill' } },
    })
  })

  it('takes an approval, which is acted on once it can', async () => {
    const id = await shop.begin()
    const { planHash } = (await shop.read(id)) as { planHash: string }
    isAway = true
    const approve = {
      ...{ ask: 'approve' as const, response: id, planHash },
      signed: await signed({ response: id, planHash }),
    }
    expect(await handle(approve, around())).toMatchObject({ ok: true, phase: 'approved' })
    expect(errors).toEqual(['people are answered without what is published'])
    // however long that takes
    for (let i = 0; i < 20; i++) {
      shop.world.time += 60
      await around().responder.sweep()
    }
    expect(await shop.read(id)).toMatchObject({ phase: 'approved', problem: 'it is waited for' })
    shop.untouched()
    isAway = false
    shop.world.time += 60
    await handle(tick, around())
    expect((await shop.read(id)).phase).toBe('verifying')
    const release = {
      ...{ ask: 'release' as const, response: id },
      signed: await signed({ response: id, planHash: releaseWord }),
    }
    expect(await handle(release, around())).toEqual({ ok: true })
    expect(shop.labels()).toEqual({ app: 'web' })
  })

  it('gives incidents back and refuses no response for good', async () => {
    isAway = true
    await expect(handle(record(), around())).rejects.toThrow('SlowDown')
    await expect(handle(tick, around())).rejects.toThrow('SlowDown')
    // a file with a mistake is read, and nobody knows what was right before
    const mistaken = { ...around(), refresh: async () => {} }
    expect(await handle(record(), mistaken)).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm' }],
    })
    expect(shop.world.said).toEqual([])
    isAway = false
    expect(await handle(record(), around())).toEqual({ batchItemFailures: [] })
    expect(shop.world.story).toEqual([expect.stringContaining('waits for approval')])
  })
})
