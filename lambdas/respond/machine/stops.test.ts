import { describe, expect, it } from 'vitest'
import { incidentMessage } from '../testing/response-world.ts'
import { hour, pod, podAt, Shop } from '../testing/shop.ts'
import { setKillSwitch, takeLimits } from './control.ts'

let shop: Shop
const start = (mode: string, more = '') => {
  shop = new Shop(mode, more)
}

describe('everything may stop', () => {
  const kill = (on: boolean) =>
    setKillSwitch(
      { store: shop.world.store, now: () => shop.world.time },
      { on, by: 'ann', reason: 'drill' },
    )

  it('by one switch, read before each act', async () => {
    start('auto')
    await kill(true)
    expect(await shop.read(await shop.begin())).toMatchObject({
      phase: 'closed',
      ending: 'stopped',
    })
    shop.untouched()
    await kill(false)
    expect(await shop.read(await shop.begin({ id: 'inc-2' }))).toMatchObject({ phase: 'verifying' })
  })

  it('in the middle: what is done is undone at its time', async () => {
    start('auto')
    let changes = 0
    shop.faulty.fault = ({ method, query }) => {
      if (method !== 'GET' && query?.['dryRun'] === undefined && ++changes === 2) void kill(true)
      return undefined
    }
    const id = await shop.begin()
    expect(await shop.read(id)).toMatchObject({
      phase: 'holding',
      steps: [
        { status: 'done' },
        { status: 'done' },
        { status: 'done' },
        { status: 'done' },
        { status: 'skipped' },
        { status: 'skipped' },
      ],
    })
    await shop.pass(hour + 1)
    expect(shop.labels()).toEqual({ app: 'web' })
  })

  it('by a breaker when responses flood: 1,000 incidents in a minute', async () => {
    start(
      'auto',
      '- limits: {workload: 1000/h, namespace: 1000/h, cluster: 1000/h, breaker: 10/5m}\n',
    )
    const targets = Array.from({ length: 1000 }, (_, i) => {
      const namespace = `space${i % 50}`
      const name = `solo${i}`
      const object = pod(name)
      const path = `/api/v1/namespaces/${namespace}/pods/${name}`
      const metadata = { ...object.metadata, namespace }
      return { name, namespace, path, uid: shop.kube.put(path, { ...object, metadata }) }
    })
    const { responder } = shop.world.responder()
    // without reads of a namespace of a thousand pods for each
    shop.world.policy = {
      ...shop.world.policy,
      rules: shop.world.policy.rules.map((rule) => ({ ...rule, steps: rule.steps.slice(2, 3) })),
    }
    for (const [i, target] of targets.entries()) {
      if (i % 17 === 0) shop.world.time += 1
      await responder.onIncident(incidentMessage(target, { id: `inc-${i}` }))
    }
    const marked = targets.filter(
      ({ path }) =>
        (shop.kube.objects.get(path)!.metadata['labels'] as Record<string, string>)[
          'lanner.dev/suspicious'
        ] === 'true',
    )
    expect(marked).toHaveLength(10)
    expect(shop.world.story.filter((text) => text.includes('people decide')).length).toBe(990)
  }, 60_000)

  it('by limits of workload, namespace and cluster', async () => {
    start('auto', '- limits: {namespace: 2/h}\n')
    shop.world.policy = {
      ...shop.world.policy,
      rules: shop.world.policy.rules.map((rule) => ({ ...rule, steps: rule.steps.slice(2, 3) })),
    }
    const phases: string[] = []
    for (const name of ['s1', 's2', 's3']) {
      const target = { name, namespace: 'shop', uid: shop.kube.put(podAt(name), pod(name)) }
      const [id] = await shop.world
        .responder()
        .responder.onIncident(incidentMessage(target, { id: name }))
      phases.push((await shop.read(id!)).phase)
    }
    expect(phases).toEqual(['holding', 'holding', 'awaiting'])
  })

  it('by limits that responses at once cannot pass', async () => {
    start('auto')
    const { ports } = shop.world.responder()
    const { limits } = shop.world.policy
    const taken = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        takeLimits(ports, 'test', { id: `${i}`, namespace: 'shop', workload: 'web' }, limits),
      ),
    )
    expect(taken.filter((reached) => reached === undefined)).toHaveLength(limits.workload.count)
  })
})
