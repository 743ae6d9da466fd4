import { describe, expect, it } from 'vitest'
import { FakeKube } from '../testing/fake-kube.ts'
import { FaultyKube, type KubeFault } from '../testing/faulty-kube.ts'
import { incidentMessage, isChange, ResponseWorld } from '../testing/response-world.ts'
import type { ResponseState } from './response-state.ts'

const podPath = '/api/v1/namespaces/shop/pods/web'
const ready = { conditions: [{ type: 'Ready', status: 'True' }] }

function setUp(action: string) {
  const kube = new FakeKube()
  const faulty = new FaultyKube(kube)
  kube.put('/api/v1/namespaces/shop', { metadata: { name: 'shop' } })
  for (const name of ['n1', 'n2']) {
    kube.put(`/api/v1/nodes/${name}`, { metadata: { name }, spec: {}, status: ready })
  }
  const metadata = { name: 'web', namespace: 'shop', labels: { app: 'web' } }
  const uid = kube.put(podPath, {
    metadata,
    spec: { nodeName: 'n1', containers: [] },
    status: ready,
  })
  const policy = `
- rule: r
  match: {rules: [Shell]}
  actions: [${action}]
- {mode: auto}
`
  return { kube, faulty, uid, world: new ResponseWorld(faulty, policy) }
}

const actions: Readonly<Record<string, string>> = {
  label: '{action: a, actionner: kubernetes:label, parameters: {labels: {x: "1"}}}',
  quarantine: '{action: a, actionner: "lanner:quarantine"}',
  cordon: '{action: a, actionner: kubernetes:cordon}',
  evict: '{action: a, actionner: kubernetes:evict}',
  terminate:
    '{action: a, actionner: kubernetes:terminate, parameters: {ignore_standalone_pods: false}}',
}
type Fault = KubeFault
const passing: readonly (readonly [string, Fault])[] = [
  ['401 once', { status: 401 }],
  ['429 with a time to wait', { status: 429, retryAfter: 1 }],
  ['500, not done', { status: 500 }],
  ['500, done all the same', { status: 500, after: true }],
  ['a time-out, not done', { timeout: true }],
  ['a time-out, done all the same', { timeout: true, after: true }],
]
async function run(action: string, fault: (n: number) => Fault | undefined) {
  const { kube, faulty, uid, world } = setUp(action)
  let changes = 0
  faulty.fault = (request) => (isChange(request) ? fault(++changes) : undefined)
  const { responder } = world.responder()
  const [id] = await responder.onIncident(incidentMessage({ name: 'web', namespace: 'shop', uid }))
  const acted = (await responder.read(id!)) as ResponseState
  return { kube, world, acted, changes: () => changes, responder, id: id!, faulty }
}

describe.each(Object.entries(actions))('%s', (name, action) => {
  it.each(passing.slice(1))('gets over %s', async (_, fault) => {
    const { acted } = await run(action, (n) => (n === 1 ? fault : undefined))
    const { status, reason } = acted.steps[0]!
    expect(['done', 'gone'], reason).toContain(status)
  })

  it.each([400, 403, 405, 415, 422])('is not tried again after %i', async (status) => {
    const { acted, changes, world } = await run(action, () => ({ status }))
    expect(acted.steps[0]).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining(`${status}`),
    })
    expect(changes()).toBe(1)
    expect(world.story.some((text) => text.startsWith('Response Failed: a: failed'))).toBe(true)
  })

  it.each([404, 409])('does not take for gone what is there, though %i says so', async (status) => {
    const { acted } = await run(action, () => ({ status }))
    expect(acted.steps[0]).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining(`${status}`),
    })
  })

  it('says after a while that nobody knows, and undoes what it can', async () => {
    const { acted, world, kube, responder, id, faulty, changes } = await run(action, () => ({
      timeout: true,
      after: true,
    }))
    const ends = name === 'evict' || name === 'terminate'
    expect(acted.steps[0]!.status).toBe('ambiguous')
    expect(changes()).toBeLessThanOrEqual(4)
    if (ends) return
    expect(acted.phase).toBe('holding')
    faulty.fault = () => undefined
    world.time += 3601
    await responder.sweep()
    expect(await responder.read(id)).toMatchObject({ phase: 'closed', ending: 'expired' })
    expect(kube.objects.get(podPath)!.metadata['labels']).toEqual({ app: 'web' })
    expect([...kube.objects.keys()].join()).not.toContain('networkpolicies')
    expect(kube.objects.get('/api/v1/nodes/n1')!['spec']).not.toMatchObject({ unschedulable: true })
  })

  it('never happens twice for incidents that come twice, at once, or in another order', async () => {
    const { kube, faulty, uid, world } = setUp(action)
    let changes = 0
    faulty.fault = (request) => {
      if (isChange(request)) changes += 1
      return undefined
    }
    const first = incidentMessage({ name: 'web', namespace: 'shop', uid })
    const later = { ...first, id: 'inc-1-2', incident: { ...first.incident, revision: 2 } }
    const closed = {
      id: 'inc-1-3',
      incident: { ...first.incident, state: 'closed' as const },
      reason: 'quiet' as const,
    }
    const responders = Array.from({ length: 4 }, () => world.responder().responder)
    await responders[0]!.onIncident(closed)
    await Promise.all(
      [later, first, later, first].map((message, i) => responders[i]!.onIncident(message)),
    )
    await Promise.all(responders.map((responder) => responder.sweep()))
    await responders[0]!.onIncident(closed)
    expect(changes).toBe(name === 'quarantine' ? 2 : 1)
    expect(kube.requests.length).toBeGreaterThan(0)
  })
})

describe('undoing', () => {
  it.each([403, 500])(
    'that is refused with %i is tried again, then said, and given up',
    async (status) => {
      const { world, responder, id, faulty, acted } = await run(actions['cordon']!, () => undefined)
      expect(acted.phase).toBe('holding')
      faulty.fault = (request) => (isChange(request) ? { status } : undefined)
      world.time += 3601
      for (let i = 0; i < 20; i++) {
        await responder.sweep()
        world.time += 301
      }
      expect(await responder.read(id)).toMatchObject({ phase: 'closed', ending: 'failed' })
      expect(world.story.at(-1)).toContain(`${status}`)
      expect(await world.store.due(world.time + 1e6, 10)).toEqual([])
    },
  )

  it('goes on when it is possible again', async () => {
    const { world, responder, id, faulty, kube } = await run(
      actions['quarantine']!,
      () => undefined,
    )
    faulty.fault = (request) => (isChange(request) ? { status: 503 } : undefined)
    world.time += 3601
    await responder.sweep()
    await responder.sweep()
    faulty.fault = () => undefined
    world.time += 301
    for (let i = 0; i < 3; i++) await responder.sweep()
    expect(await responder.read(id)).toMatchObject({ phase: 'closed' })
    expect(kube.objects.get(podPath)!.metadata['labels']).toEqual({ app: 'web' })
  })

  it('comes at once when the time is over before all is done', async () => {
    const { kube, faulty, uid, world } = setUp(
      `${actions['label']}, ${actions['cordon']!.replace('action: a', 'action: b')}`,
    )
    faulty.fault = (request) => {
      if (isChange(request)) world.time += 3700
      return undefined
    }
    const { responder } = world.responder()
    const [id] = await responder.onIncident(
      incidentMessage({ name: 'web', namespace: 'shop', uid }),
    )
    const state = (await responder.read(id!)) as ResponseState
    expect(state.steps.map(({ status }) => status)).toEqual(['done', 'skipped'])
    expect(state.phase).toBe('closed')
    expect(kube.objects.get(podPath)!.metadata['labels']).toEqual({ app: 'web' })
    expect(kube.objects.get('/api/v1/nodes/n1')!['spec']).toEqual({})
  })
})

describe('hostile names', () => {
  const hostile = [
    '../../secrets/x',
    'a?b=c&dryRun=',
    'x/../../kube-system',
    '$(reboot)`id`',
    '\u202e\u0000\n"}',
    '__proto__',
    'é'.repeat(400),
  ]
  it.each(hostile)('%j stays a name, wherever it stands', async (name) => {
    const { kube, world, faulty } = setUp(actions['quarantine']!)
    const paths: string[] = []
    faulty.fault = ({ path }) => {
      paths.push(path)
      return undefined
    }
    for (const field of ['name', 'namespace', 'uid', 'id', 'rule', 'cluster', 'node'] as const) {
      const target = { name: 'web', namespace: 'shop', uid: 'u' }
      const more: Record<string, string> = {}
      if (field in target) target[field as 'name'] = name
      else more[field] = name
      const { responder } = world.responder()
      await responder.onIncident(incidentMessage(target, more))
      await responder.sweep()
    }
    expect(paths.every((path) => !path.includes('..') || path.includes('..%2F'))).toBe(true)
    expect(paths.every((path) => /^\/[\w./%~!*'()-]*$/.test(path))).toBe(true)
    expect([...kube.objects.keys()].filter((key) => key.includes('networkpolicies'))).toEqual([])
    expect([...world.evidence.keys()].every((key) => !key.includes('..'))).toBe(true)
  })
})
