import { beforeEach, describe, expect, it } from 'vitest'
import { approver, Crash, isChange, type MadeCall } from '../testing/response-world.ts'
import { hour, podAt, Shop } from '../testing/shop.ts'
import { setKillSwitch } from './control.ts'

let shop: Shop
beforeEach(() => {
  shop = new Shop('auto')
})
const untilQuiet = async () => {
  for (let i = 0; i < 12; i++) await shop.pass(400)
}
/** Begins, with a process that dies right after a call, the nth of its kind. */
const dieAfter = async (isMeant: (call: MadeCall) => boolean, n = 1) => {
  const whole = new Shop('auto')
  whole.world.policy = shop.world.policy
  const { calls, responder } = whole.world.responder()
  await responder.onIncident(whole.message())
  const [at] = calls.flatMap((call, i) => (isMeant(call) ? [i + 1] : [])).slice(n - 1)
  const dying = shop.world.responder({ at: at!, after: true })
  await expect(dying.responder.onIncident(shop.message())).rejects.toThrow(Crash)
}
const change = ({ changesCluster }: MadeCall) => changesCluster
const kill = (on: boolean) => {
  const { store, time } = shop.world
  return setKillSwitch({ store, now: () => time }, { on, by: 'ann', reason: 'drill' })
}
const policies = () =>
  [...shop.kube.objects.keys()].filter((key) => key.includes('networkpolicies'))
const untouchedNow = () => {
  expect(shop.labels()).toEqual({ app: 'web' })
  expect(policies()).toEqual([])
  expect(shop.kube.objects.get('/api/v1/nodes/n1')!['spec']).toEqual({})
}

describe('what was done when the process died is undone', () => {
  const changes = [1, 2, 3, 4]

  it.each(changes)('though everything is stopped since: change %i', async (n) => {
    await dieAfter(change, n)
    await kill(true)
    await untilQuiet()
    await shop.pass(hour)
    await untilQuiet()
    untouchedNow()
  })

  it.each(changes)('though its time is over since: change %i', async (n) => {
    await dieAfter(change, n)
    await shop.pass(2 * hour)
    await untilQuiet()
    untouchedNow()
  })
})

describe('a webhook', () => {
  const steps = (rule: { steps: readonly unknown[] }) => rule.steps.slice(5)
  const onlyWebhook = () => {
    const { policy } = shop.world
    shop.world.policy = {
      ...policy,
      rules: policy.rules.map((rule) => ({ ...rule, steps: steps(rule) as typeof rule.steps })),
    }
  }

  it('is not called again by a process that was overtaken when it began', async () => {
    onlyWebhook()
    const { ports, responder } = shop.world.responder()
    // it writes that it begins, is too late, and hears nothing of what another does meanwhile
    let isLate = true
    const write = ports.store.write
    ports.store.write = async (writes) => {
      const text = JSON.stringify(writes)
      if (!isLate || !text.includes('"begun"')) return write(writes)
      isLate = false
      shop.world.time += 1000
      await shop.world.responder().responder.sweep()
      return write(writes)
    }
    await responder.onIncident(shop.message())
    shop.world.time += 1000
    await responder.sweep()
    await untilQuiet()
    expect(shop.world.outside).toHaveLength(1)
  })

  it('that was begun when all was stopped is unknown, not left', async () => {
    onlyWebhook()
    await dieAfter(({ name }) => name === 'invoke')
    await kill(true)
    await untilQuiet()
    const { response } = shop.world.messages[0]!
    expect((await shop.read(response)).steps).toMatchObject([{ status: 'ambiguous' }])
    expect(shop.world.outside).toHaveLength(1)
  })
})

describe('the way to a cluster that is lost for a while', () => {
  it('leaves no containment behind: what is held is undone when it is back', async () => {
    const id = await shop.begin()
    await shop.observe()
    await shop.pass(140)
    expect((await shop.read(id)).phase).toBe('holding')
    shop.world.isKnown = false
    await shop.pass(hour)
    for (let i = 0; i < 48; i++) await shop.pass(100)
    expect((await shop.read(id)).phase).toBe('expiring')
    shop.world.isKnown = true
    await untilQuiet()
    expect(await shop.read(id)).toMatchObject({ phase: 'closed', ending: 'expired' })
    untouchedNow()
  })

  it('ends nothing that people have approved', async () => {
    shop = new Shop('approve')
    const id = await shop.begin()
    shop.world.isKnown = false
    await shop.world.responder().responder.approve(id, (await shop.read(id)).planHash!, approver)
    await shop.pass(60)
    expect((await shop.read(id)).phase).toBe('approved')
    shop.world.isKnown = true
    await shop.pass(60)
    expect((await shop.read(id)).phase).toBe('verifying')
  })

  it('ends no containment before its time: nothing is proven, and it holds', async () => {
    const id = await shop.begin()
    shop.faulty.fault = ({ method }) => (method === 'GET' ? { status: 403 } : undefined)
    for (let i = 0; i < 17; i++) await shop.pass(200)
    expect(await shop.read(id)).toMatchObject({ phase: 'holding', outcome: 'unverified' })
    expect(shop.labels()).toMatchObject({ 'lanner.dev/quarantine': id.slice(0, 12) })
    shop.faulty.fault = () => undefined
    await shop.pass(hour)
    await untilQuiet()
    untouchedNow()
  })

  it('and given up can be let go of by hand', async () => {
    const id = await shop.begin()
    await shop.observe()
    await shop.pass(140)
    shop.faulty.fault = (request) => (isChange(request) ? { status: 403 } : undefined)
    await shop.pass(hour)
    for (let i = 0; i < 20; i++) await shop.pass(400)
    expect(await shop.read(id)).toMatchObject({ phase: 'closed', ending: 'failed' })
    shop.faulty.fault = () => undefined
    const { responder } = shop.world.responder()
    expect(await responder.release(id, approver)).toBeUndefined()
    expect(await shop.read(id)).toMatchObject({ phase: 'closed', ending: 'expired' })
    untouchedNow()
    expect(await responder.release(id, approver)).toContain('nothing to undo')
  })
})

describe('planning', () => {
  it.each([409, 429, 500, 503])('gets over an API server that answers %i once', async (status) => {
    shop = new Shop('approve')
    let calls = 0
    shop.faulty.fault = ({ query }) =>
      query?.['dryRun'] === 'All' && ++calls === 2 ? { status, retryAfter: 0 } : undefined
    const { plan } = await shop.read(await shop.begin())
    expect(plan!.steps.map(({ wouldFail }) => wouldFail)).toEqual(Array(6).fill(undefined))
  })
})

describe('what stands before the API server', () => {
  it('hides nothing of the world from a plan by a 404 of its own', async () => {
    shop = new Shop('approve')
    let isHiding = true
    shop.faulty.fault = ({ path }) =>
      isHiding && path.endsWith('/services') ? { status: 404 } : undefined
    const id = await shop.begin()
    expect(await shop.read(id)).toMatchObject({ phase: 'new', errors: 1 })
    isHiding = false
    await shop.pass(60)
    const { phase, plan } = await shop.read(id)
    expect([phase, plan!.blastRadius.services]).toEqual(['awaiting', ['web']])
  })

  it('does not make a pod gone', async () => {
    shop.faulty.fault = ({ path }) => (path === podAt() ? { status: 404 } : undefined)
    const id = await shop.begin()
    expect(await shop.read(id)).toMatchObject({ phase: 'new', errors: 1 })
    shop.faulty.fault = () => undefined
    await shop.pass(60)
    expect((await shop.read(id)).phase).toBe('verifying')
  })
})

describe('a pod that is busy', () => {
  it('is not taken for gone: what conflicts is tried again', async () => {
    let conflicts = 0
    shop.faulty.fault = (request) =>
      isChange(request) && request.path === podAt() && ++conflicts === 1
        ? { status: 409 }
        : undefined
    const { steps } = await shop.read(await shop.begin())
    expect(steps.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 'done'))
  })
})
