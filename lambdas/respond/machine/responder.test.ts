import { beforeEach, describe, expect, it } from 'vitest'
import { quarantineLabel } from '#events'
import { addObservations, type Observation, readExpectations } from '../../shared/expectations.ts'
import { verifyEvidence } from '../evidence/manifest.ts'
import { NoRole } from '../kubernetes/kube.ts'
import { FakeKube, FaultyKube } from '../testing/fake-kube.ts'
import { approver, incidentMessage, policyText, ResponseWorld } from '../testing/response-world.ts'
import { setKillSwitch } from './control.ts'
import type { ResponseState } from './response-state.ts'

const hour = 3600
let kube: FakeKube
let faulty: FaultyKube
let world: ResponseWorld
let uid: string
const podAt = (name = 'web') => `/api/v1/namespaces/shop/pods/${name}`
const pod = (name: string, more: object = {}) => ({
  metadata: { name, namespace: 'shop', labels: { app: 'web' }, ...more },
  spec: {
    nodeName: 'n1',
    serviceAccountName: 'web',
    containers: [{ name: 'app', env: [{ name: 'PASSWORD', value: 'hunter2' }] }],
  },
  status: {
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [{ name: 'app', containerID: 'containerd://0123456789abcdef' }],
  },
})

function start(mode: string, more = ''): void {
  kube = new FakeKube()
  faulty = new FaultyKube(kube)
  kube.put('/api/v1/namespaces/shop', { metadata: { name: 'shop' } })
  for (const name of ['n1', 'n2']) {
    kube.put(`/api/v1/nodes/${name}`, {
      metadata: { name },
      spec: {},
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    })
  }
  kube.put('/api/v1/namespaces/shop/services/web', {
    metadata: { name: 'web', namespace: 'shop' },
    spec: { selector: { app: 'web' } },
  })
  uid = kube.put(podAt(), pod('web'))
  world = new ResponseWorld(
    faulty,
    `${policyText}${mode === '' ? '' : `- {mode: ${mode}}\n`}${more}`,
  )
}
const message = (more: Parameters<typeof incidentMessage>[1] = {}) =>
  incidentMessage({ name: 'web', namespace: 'shop', uid }, more)
const labels = () => kube.objects.get(podAt())?.metadata['labels']
const begin = async (more: Parameters<typeof incidentMessage>[1] = {}) => {
  const { responder } = world.responder()
  const [id] = await responder.onIncident(message(more))
  return id!
}
const read = async (id: string) => (await world.responder().responder.read(id)) as ResponseState
const pass = async (seconds: number) => {
  world.time += seconds
  await world.responder().responder.sweep()
}
const writes = () =>
  kube.requests.filter(
    ({ method, query, body }) =>
      method !== 'GET' &&
      query?.['dryRun'] === undefined &&
      (body as { dryRun?: unknown })?.dryRun === undefined,
  )
/** What the node tells of the pod for all of the window, if anything. */
const observe = async (more: Partial<Observation> = {}) => {
  const [expectation] = await readExpectations(world.shared, 'test', world.time)
  const { id, from, until } = expectation!
  const quiet: Observation = { heard: [[from, until + 1000]], traffic: [], held: [] }
  await addObservations(world.shared, new Map([[id, { ...quiet, ...more }]]), world.time)
  return expectation!
}
const untouched = () => {
  expect(writes()).toEqual([])
  expect(labels()).toEqual({ app: 'web' })
}

describe('a response', () => {
  beforeEach(() => start('approve'))

  it('changes nothing by default, and says what it would do', async () => {
    start('')
    const id = await begin()
    expect(await read(id)).toMatchObject({ phase: 'closed', ending: 'observed', mode: 'observe' })
    untouched()
    expect(world.story).toEqual([
      expect.stringContaining(
        'Response Planned: planned, nothing is changed: describe | logs | mark | close',
      ),
    ])
    expect(world.evidence.size).toBe(0)
    start('off')
    expect(await begin()).toBeUndefined()
  })

  it('goes from plan to approval, evidence, act, proof, expiry and undo', async () => {
    const id = await begin()
    untouched()
    const { planHash, phase } = await read(id)
    expect(phase).toBe('awaiting')
    expect(world.messages[0]!.approve).toMatchObject({
      planHash,
      until: new Date((world.time + 1800) * 1000).toISOString(),
    })
    expect(await world.responder().responder.approve(id, planHash!, approver)).toBeUndefined()
    expect(labels()).toEqual({
      [quarantineLabel]: id.slice(0, 12),
      'lanner.dev/suspicious': 'true',
    })
    expect(kube.objects.get('/api/v1/nodes/n1')!['spec']).toEqual({ unschedulable: true })
    expect(world.outside).toHaveLength(1)
    const acted = await read(id)
    expect(acted.phase).toBe('verifying')
    const manifest = Buffer.from(world.evidence.get(acted.evidence!.manifest)!).toString()
    const verified = await verifyEvidence(
      manifest,
      async (key) => world.evidence.get(key),
      acted.evidence!.head,
    )
    expect(verified.problems).toEqual([])
    const all = [...world.evidence.values()].map((bytes) => Buffer.from(bytes).toString()).join()
    expect(all).not.toMatch(/hunter2|abc123/)
    expect(all).toContain('PASSWORD')
    await observe()
    await pass(140)
    expect(await read(id)).toMatchObject({ phase: 'holding', outcome: 'contained' })
    await pass(hour)
    expect(await read(id)).toMatchObject({ phase: 'closed', ending: 'expired' })
    expect(labels()).toEqual({ app: 'web' })
    expect(kube.objects.get('/api/v1/nodes/n1')!['spec']).toEqual({ unschedulable: false })
    expect([...kube.objects.keys()].filter((key) => key.includes('networkpolicies'))).toEqual([])
    expect(world.said.map(({ type }) => type)).toEqual([
      ...[
        'Response Planned',
        'Response Approved',
        'Response Approved',
        'Response Done',
        'Response Done',
      ],
      ...[
        'Response Done',
        'Response Done',
        'Response Done',
        'Response Done',
        'Response Verified',
        'Response Expired',
      ],
    ])
    const last = await read(id)
    expect(last.lines).toHaveLength(world.said.length)
    expect(new Set(world.said.map(({ detail }) => detail.id)).size).toBe(world.said.length)
  })

  it('keeps evidence before it changes anything, and changes nothing without', async () => {
    const id = await begin()
    const order: string[] = []
    const put = world.evidence.set.bind(world.evidence)
    world.evidence.set = (key, bytes) => {
      order.push('evidence')
      return put(key, bytes)
    }
    faulty.fault = ({ method }) => {
      if (method !== 'GET') order.push('change')
      return undefined
    }
    const { planHash } = await read(id)
    order.length = 0
    await world.responder().responder.approve(id, planHash!, approver)
    const real = order.slice(order.indexOf('evidence'))
    expect(real.lastIndexOf('evidence')).toBeLessThan(real.indexOf('change'))
    start('auto')
    world.evidence.set = () => {
      throw new Error('the bucket is gone')
    }
    const second = await begin()
    for (let i = 0; i < 12; i++) await pass(400)
    expect(await read(second)).toMatchObject({ phase: 'closed', ending: 'failed' })
    expect(world.story.at(-1)).toContain('the bucket is gone')
    untouched()
  })

  it('is void when the world is another one than was approved', async () => {
    const id = await begin()
    const { planHash } = await read(id)
    kube.put('/api/v1/namespaces/shop/services/new', {
      metadata: { name: 'new', namespace: 'shop' },
      spec: { selector: { app: 'web' } },
    })
    await world.responder().responder.approve(id, planHash!, approver)
    const state = await read(id)
    expect(state.phase).toBe('awaiting')
    expect(state.planHash).not.toBe(planHash)
    untouched()
    expect(world.story.join()).toContain('that plan is void')
    expect(await world.responder().responder.approve(id, state.planHash!, approver)).toBeUndefined()
    expect((await read(id)).phase).toBe('verifying')
  })

  it('by itself goes where the policy says so, and asks where a guard does', async () => {
    start('auto')
    expect(await read(await begin())).toMatchObject({
      phase: 'verifying',
      approval: { by: 'the policy' },
    })
    start('auto')
    kube.put('/api/v1/namespaces/shop/pods/web2', pod('web2'))
    kube.put(podAt('api-x-1'), pod('api-x-1'))
    kube.put(podAt('api-x-2'), pod('api-x-2'))
    const target = {
      name: 'api-x-1',
      namespace: 'shop',
      uid: kube.objects.get(podAt('api-x-1'))!.metadata.uid,
    }
    const [id] = await world.responder().responder.onIncident(incidentMessage(target))
    expect(await read(id!)).toMatchObject({
      phase: 'awaiting',
      lowered: expect.stringContaining('api-x-2'),
    })
  })

  it('never touches what is protected', async () => {
    start('auto', '- protect: {namespaces: [shop]}\n')
    const { steps, phase } = await read(await begin())
    expect(phase).toBe('closed')
    expect(steps.map(({ status }) => status)).toEqual([
      ...['done', 'done', 'refused', 'skipped', 'skipped', 'skipped'],
    ])
    expect(writes()).toEqual([])
    expect(labels()).toEqual({ app: 'web' })
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
    expect(await read(await begin(more))).toMatchObject({
      phase: 'closed',
      ending: 'observed',
      lowered: expect.stringContaining(why),
    })
    untouched()
  })

  it.each(['', 'auto'])('plans where only reading is set up, and says so (%j)', async (mode) => {
    start(mode)
    world.kubesOf = async (risk) => {
      if (risk !== 'read') throw new NoRole(`test has no role for ${risk}`)
      return faulty
    }
    const state = await read(await begin())
    expect(state.phase).toBe('closed')
    expect(world.story.join()).toContain('would fail: test has no role for mark')
    untouched()
  })

  it('does not know clusters that it was not given', async () => {
    start('auto')
    expect(await read(await begin({ cluster: 'other' }))).toMatchObject({
      phase: 'closed',
      ending: 'refused',
    })
  })
})

describe('an approval', () => {
  beforeEach(() => start('approve'))
  const approve = async (id: string, hash: string, by = approver) =>
    world.responder().responder.approve(id, hash, by)

  it('of a stranger, of another plan, late or again counts for nothing', async () => {
    const id = await begin()
    const { planHash } = (await read(id)) as { planHash: string }
    expect(
      await approve(id, planHash, 'arn:aws:sts::123456789012:assumed-role/Others/eve'),
    ).toContain('may not decide')
    expect(
      await approve(id, planHash, 'arn:aws:sts::999999999999:assumed-role/Responders/eve'),
    ).toContain('may not decide')
    expect(await approve(id, `${planHash.slice(0, -1)}0x`)).toContain('not the one that waits')
    expect(await approve('none', planHash)).toContain('there is no response')
    world.time += 1801
    expect(await approve(id, planHash)).toContain('is over')
    untouched()
    await pass(1)
    expect(await read(id)).toMatchObject({ phase: 'closed', ending: 'lapsed' })
    expect(await approve(id, planHash)).toContain('it is closed')
    untouched()
  })

  it('replayed does nothing more', async () => {
    const id = await begin()
    const { planHash } = (await read(id)) as { planHash: string }
    await approve(id, planHash)
    const before = writes().length
    expect(await approve(id, planHash)).toBeUndefined()
    expect(await approve(id, planHash, `${approver}2`)).toContain('does not wait')
    expect(writes()).toHaveLength(before)
    await observe()
    await pass(140)
    await pass(hour)
    expect(await approve(id, planHash)).toBeUndefined()
    expect((await read(id)).phase).toBe('closed')
    expect(labels()).toEqual({ app: 'web' })
  })

  it('of nobody when no approvers are set', async () => {
    world.approvers = []
    const id = await begin()
    expect(await approve(id, (await read(id)).planHash!)).toContain('may not decide')
  })
})

describe('a containment', () => {
  beforeEach(() => start('auto'))
  const outcome = async (more: Partial<Observation> | undefined) => {
    const id = await begin()
    if (more !== undefined) await observe(more)
    await pass(140)
    const { outcome, next } = await read(id)
    expect(next === undefined).toBe(outcome === 'contained')
    return outcome
  }
  const seen = (event: string, after: number) => {
    return [
      {
        event,
        time: world.time * 1000 + after,
        container: '0123456789ab',
        process: 'sh',
        remote: '1.2.3.4:443',
      },
    ]
  }

  it('is proven by silence that was listened to', async () =>
    expect(await outcome({})).toBe('contained'))
  it('is unverified when nobody listened', async () =>
    expect(await outcome(undefined)).toBe('unverified'))
  it('is unverified when the node was heard of for a part of the time', async () => {
    const from = world.time * 1000
    expect(await outcome({ heard: [[from, from + 30_000]] })).toBe('unverified')
  })
  it('is unenforced when bytes still come in', async () => {
    expect(await outcome({ traffic: seen('read', 30_000) })).toBe('unenforced')
  })
  it('takes a moment to come into force', async () => {
    expect(await outcome({ traffic: seen('connect', 5000) })).toBe('contained')
  })
  it('never reads contained while a process holds its connection', async () => {
    expect(await outcome({ held: seen('write', 30_000) })).toBe('partially_contained')
  })
  it('is partial where something is left open', async () => {
    const spec = { podSelector: {}, policyTypes: ['Egress'], egress: [{}] }
    kube.put('/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/out', {
      metadata: { name: 'out', namespace: 'shop' },
      spec,
    })
    expect(await outcome({})).toBe('partially_contained')
    expect(world.story.join()).toContain('NetworkPolicy/out')
  })
  it('is unenforced when somebody took it back', async () => {
    const id = await begin()
    await observe()
    kube.objects.delete(
      `/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/lanner-quarantine-${id.slice(0, 12)}`,
    )
    await pass(140)
    expect((await read(id)).outcome).toBe('unenforced')
  })
})

describe('everything may stop', () => {
  const kill = (on: boolean) =>
    setKillSwitch({ store: world.store, now: () => world.time }, { on, by: 'ann', reason: 'drill' })

  it('by one switch, read before each act', async () => {
    start('auto')
    await kill(true)
    expect(await read(await begin())).toMatchObject({ phase: 'closed', ending: 'stopped' })
    untouched()
    await kill(false)
    expect(await read(await begin({ id: 'inc-2' }))).toMatchObject({ phase: 'verifying' })
  })

  it('in the middle: what is done is undone at its time', async () => {
    start('auto')
    let changes = 0
    faulty.fault = ({ method, query }) => {
      if (method !== 'GET' && query?.['dryRun'] === undefined && ++changes === 2) void kill(true)
      return undefined
    }
    const id = await begin()
    expect(await read(id)).toMatchObject({
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
    await pass(hour + 1)
    expect(labels()).toEqual({ app: 'web' })
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
      return { name, namespace, path, uid: kube.put(path, { ...object, metadata }) }
    })
    const { responder } = world.responder()
    // without reads of a namespace of a thousand pods for each
    world.policy = {
      ...world.policy,
      rules: world.policy.rules.map((rule) => ({ ...rule, steps: rule.steps.slice(2, 3) })),
    }
    for (const [i, target] of targets.entries()) {
      if (i % 17 === 0) world.time += 1
      await responder.onIncident(incidentMessage(target, { id: `inc-${i}` }))
    }
    const marked = targets.filter(
      ({ path }) =>
        (kube.objects.get(path)!.metadata['labels'] as Record<string, string>)[
          'lanner.dev/suspicious'
        ] === 'true',
    )
    expect(marked).toHaveLength(10)
    expect(world.story.filter((text) => text.includes('people decide')).length).toBe(990)
  }, 60_000)

  it('by limits of workload, namespace and cluster', async () => {
    start('auto', '- limits: {namespace: 2/h}\n')
    world.policy = {
      ...world.policy,
      rules: world.policy.rules.map((rule) => ({ ...rule, steps: rule.steps.slice(2, 3) })),
    }
    const phases: string[] = []
    for (const name of ['s1', 's2', 's3']) {
      const target = { name, namespace: 'shop', uid: kube.put(podAt(name), pod(name)) }
      const [id] = await world
        .responder()
        .responder.onIncident(incidentMessage(target, { id: name }))
      phases.push((await read(id!)).phase)
    }
    expect(phases).toEqual(['holding', 'holding', 'awaiting'])
  })
})
