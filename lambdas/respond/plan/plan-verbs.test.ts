import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Action, defaultLimits, defaultProtection } from '#responses'
import type { Budget, Node, Pod } from '../world/objects.ts'
import { type GuardedWorld, guardsOf } from './guards.ts'
import { labelSurgery } from './label-surgery.ts'
import { askBreaker, type LimitState, noLimits, takeTokens } from './limits.ts'
import { canonical, type Plan, planHash } from './plan.ts'
import { podIdentifier, siblingsOf } from './siblings.ts'

const ready = { conditions: [{ type: 'Ready', status: 'True' }] }
const makePod = (
  name: string,
  more: Partial<Pod['metadata']> = {},
  spec: Pod['spec'] = {},
): Pod => ({
  metadata: {
    ...{ name, namespace: 'shop', uid: `uid-${name}` },
    labels: { app: 'api', tier: 'back', 'pod-template-hash': 'h' },
    ...more,
  },
  spec: { nodeName: 'n1', ...spec },
  status: ready,
})
const budget = (name: string, disruptionsAllowed: number): Budget => ({
  metadata: { name, namespace: 'shop' },
  spec: { selector: { matchLabels: { app: 'api' } } },
  status: { disruptionsAllowed },
})

describe('label surgery', () => {
  const around = {
    pod: makePod('api-h-1'),
    ownerSelector: { matchLabels: { app: 'api', 'pod-template-hash': 'h' } },
    services: [
      { metadata: { name: 's', namespace: 'shop' }, spec: { selector: { tier: 'back' } } },
      { metadata: { name: 'none', namespace: 'shop' }, spec: {} },
    ],
    policies: [],
    budgets: [budget('b', 1)],
  }
  it.each([
    ['ReplicaSet', ['app', 'pod-template-hash', 'tier'], 0],
    ['ReplicationController', ['app', 'pod-template-hash', 'tier'], 0],
    [undefined, ['app', 'pod-template-hash', 'tier'], 0],
    ['StatefulSet', ['tier'], 0],
    ['DaemonSet', ['tier'], 1],
    ['Job', ['tier'], 0],
    ['Rollout', ['tier'], 1],
  ])('of a pod of a %s takes %j', (ownerKind, strip, persons) => {
    const surgery = labelSurgery({ ...around, ownerKind })
    expect(surgery.strip).toEqual(strip)
    expect(surgery.person).toHaveLength(persons)
    expect(surgery.effects).toContain('Service s sends it no more traffic')
  })

  it('says of no service that it is cut off where its owner needs the labels', () => {
    const web = { metadata: { name: 'web', namespace: 'shop' }, spec: { selector: { app: 'api' } } }
    const { strip, effects } = labelSurgery({
      ...around,
      ownerKind: 'StatefulSet',
      services: [...around.services, web],
    })
    expect(strip).toEqual(['tier'])
    expect(effects).toContain('Service s sends it no more traffic')
    expect(effects).toContain(
      'Service web still selects it: the policy alone keeps its traffic out',
    )
    expect(effects).not.toContain('Service web sends it no more traffic')
  })

  it('promises no release by an owner whose selector is not known', () => {
    const { effects, person } = labelSurgery({
      ...around,
      ownerKind: 'ReplicationController',
      ownerSelector: undefined,
    })
    expect(effects.join()).not.toContain('lets it go')
    expect(person).toHaveLength(1)
  })

  it('takes what policies select by, and leaves what takes pods without a label', () => {
    const policy = (name: string, podSelector: object) => ({
      metadata: { name, namespace: 'shop' },
      spec: { podSelector },
    })
    const { strip, effects } = labelSurgery({
      ...around,
      ownerKind: 'StatefulSet',
      policies: [
        policy('a', { matchExpressions: [{ key: 'tier', operator: 'In', values: ['back'] }] }),
        policy('b', { matchExpressions: [{ key: 'zone', operator: 'DoesNotExist' }] }),
        policy('c', { matchLabels: { app: 'other' } }),
      ],
    })
    expect(strip).toEqual(['tier'])
    expect(effects.join()).toContain('NetworkPolicy a does not hold')
    expect(effects.join()).not.toContain('NetworkPolicy b')
  })
})

describe('siblings on the VPC CNI', () => {
  it.each([
    ['api-7c9f-abcde', 'api-7c9f@shop'],
    ['web-0', 'web@shop'],
    ['alone', 'alone@shop'],
    ['a--b', 'a-@shop'],
    ['-x', '@shop'],
  ])('%s is kept under %s', (name, id) => expect(podIdentifier(name, 'shop')).toBe(id))

  it('share it, its namespace and its node', () => {
    const pod = makePod('api-7c9f-abcde')
    const all = [
      pod,
      makePod('api-7c9f-fghij'),
      makePod('api-7c9f-other', {}, { nodeName: 'n2' }),
      makePod('api-7c9f-host', {}, { nodeName: 'n1', hostNetwork: true }),
      makePod('api-8888-abcde'),
      makePod('api-7c9f-far', { namespace: 'else' }),
      { ...makePod('api-7c9f-ended'), status: { phase: 'Succeeded' } },
    ]
    expect(siblingsOf(pod, all).map(({ metadata }) => metadata.name)).toEqual(['api-7c9f-fghij'])
  })
})

describe('guards', () => {
  const node: Node = { metadata: { name: 'n1' }, status: ready }
  const world: GuardedWorld = {
    pod: makePod('api-h-1'),
    namespaceLabels: {},
    ownerKind: 'ReplicaSet',
    desired: 3,
    replicas: [makePod('api-h-1'), makePod('api-h-2'), makePod('api-h-3')],
    budgets: [budget('b', 1)],
    policies: [],
    siblings: [],
    node,
    openNodes: 3,
  }
  const cutOff = { labels: { app: 'api', 'lanner.dev/quarantine': 'x' } }
  const cutting = {
    metadata: {
      ...{ name: 'lanner-quarantine-x', namespace: 'shop' },
      labels: { 'lanner.dev/response': 'x', 'app.kubernetes.io/managed-by': 'lanner' },
    },
    spec: {
      podSelector: { matchLabels: { 'lanner.dev/quarantine': 'x' } },
      policyTypes: ['Ingress', 'Egress'],
    },
  }
  const quarantine: Action = { kind: 'quarantine', allowCidrs: [], allowNamespaces: [], hard: true }
  const label: Action = { kind: 'label', what: 'labels', level: 'pod', set: { a: 'b' } }
  const evict: Action = { kind: 'evict', graceSeconds: undefined }
  const terminate = {
    ...{ kind: 'terminate', graceSeconds: 1, ignoreDaemonSets: false, ignoreStatefulSets: false },
    ...{ ignoreStandalonePods: true, minHealthy: undefined },
  } as const satisfies Action
  const cordon: Action = { kind: 'cordon' }
  const said = (action: Action, change: Partial<GuardedWorld> = {}) =>
    guardsOf(action, { ...world, ...change }, defaultProtection)
      .map(({ level, guard }) => `${level} ${guard}`)
      .join(', ')
  const pod = (more: Partial<Pod['metadata']>, spec: Pod['spec'] = {}) => ({
    pod: makePod('api-h-1', more, spec),
  })

  it.each<[string, Action, Partial<GuardedWorld>, string]>([
    ['nothing against a quarantine', quarantine, {}, ''],
    ['nothing against an end', terminate, {}, ''],
    ['nothing against an eviction', evict, {}, ''],
    ['a protected namespace', quarantine, pod({ namespace: 'kube-system' }), 'never namespace'],
    ['a namespace by pattern', label, pod({ namespace: 'amazon-vpc' }), 'never namespace'],
    [
      'our own agent, where we run',
      terminate,
      pod({ namespace: 'lanner', labels: { 'app.kubernetes.io/part-of': 'lanner' } }),
      'never namespace',
    ],
    [
      'nothing for a pod that says it is ours',
      terminate,
      pod({ labels: { 'app.kubernetes.io/part-of': 'lanner' } }),
      '',
    ],
    [
      'a protected pod',
      label,
      pod({ labels: { 'lanner.dev/protect': 'true' } }),
      'never own-label',
    ],
    [
      'a protected namespace by label',
      label,
      { namespaceLabels: { 'lanner.dev/protect': 'true' } },
      'never label',
    ],
    ['reading is always allowed', { kind: 'describe' }, pod({ namespace: 'kube-system' }), ''],
    [
      'a static pod',
      quarantine,
      pod({ annotations: { 'kubernetes.io/config.mirror': 'x' } }),
      'never mirror',
    ],
    ['the network of the node', quarantine, pod({}, { hostNetwork: true }), 'never host-network'],
    ['a label on such a pod', label, pod({}, { hostNetwork: true }), ''],
    ['siblings', quarantine, { siblings: [makePod('api-h-2')] }, 'person siblings'],
    ['the end of a DaemonSet pod', terminate, { ownerKind: 'DaemonSet' }, 'person daemon-set'],
    [
      'one that the rule leaves alone',
      { ...terminate, ignoreDaemonSets: true },
      { ownerKind: 'DaemonSet' },
      'never ignored',
    ],
    [
      'a StatefulSet left alone',
      { ...terminate, ignoreStatefulSets: true },
      { ownerKind: 'StatefulSet' },
      'never ignored',
    ],
    ['a pod on its own', terminate, { ownerKind: undefined, replicas: [] }, 'never ignored'],
    [
      'the last ready replica',
      terminate,
      { replicas: [makePod('api-h-1')] },
      'person last-replica',
    ],
    [
      'others that are not ready',
      quarantine,
      { replicas: [makePod('api-h-1'), { ...makePod('x'), status: {} }] },
      'person last-replica',
    ],
    [
      'others that we have cut off, and that end',
      quarantine,
      {
        replicas: [
          makePod('api-h-1'),
          makePod('api-h-2', cutOff),
          makePod('api-h-3', { deletionTimestamp: '2027-01-15T08:00:00Z' }),
        ],
        policies: [cutting],
      },
      'person last-replica',
    ],
    [
      'others that only say that they are cut off',
      quarantine,
      { replicas: [makePod('api-h-1'), makePod('api-h-2', cutOff)] },
      '',
    ],
    [
      'nothing for a pod that we let go of its owner',
      terminate,
      { ...pod(cutOff), ownerKind: undefined, replicas: [], policies: [cutting] },
      '',
    ],
    [
      'a pod on its own that says it was cut off',
      terminate,
      { ...pod(cutOff), ownerKind: undefined, replicas: [] },
      'never ignored',
    ],
    ['too few left', { ...terminate, minHealthy: { pods: 3 } }, {}, 'never min-healthy'],
    [
      'too few left of a share',
      { ...terminate, minHealthy: { percent: 67 } },
      {},
      'never min-healthy',
    ],
    ['enough left of a share', { ...terminate, minHealthy: { percent: 66 } }, {}, ''],
    ['a budget against an eviction', evict, { budgets: [budget('b', 0)] }, 'never budget'],
    [
      'a budget that an end would pass over',
      terminate,
      { budgets: [budget('b', 0)] },
      'person budget',
    ],
    ['two budgets', evict, { budgets: [budget('a', 1), budget('b', 1)] }, 'never budgets'],
    ['nothing against a cordon', cordon, pod({ namespace: 'kube-system' }), ''],
    ['the last open node', cordon, { openNodes: 1 }, 'person last-node'],
    [
      'a control plane',
      cordon,
      {
        node: {
          ...node,
          metadata: { name: 'n', labels: { 'node-role.kubernetes.io/control-plane': '' } },
        },
      },
      'person control-plane',
    ],
    ['no node', cordon, { node: undefined }, 'never node'],
  ])('%s', (_, action, change, expected) => expect(said(action, change)).toBe(expected))
})

describe('limits', () => {
  const limits = defaultLimits
  const take = (state: LimitState, id: string, now: number, workload = 'w', namespace = 'n') =>
    takeTokens(state, { id, workload, namespace }, limits, now)

  it('are of a workload, a namespace and a cluster, and fill again', () => {
    let state = noLimits
    const tell = (id: string, now: number, workload?: string, namespace?: string) => {
      const taken = take(state, id, now, workload, namespace)
      state = taken.state
      return taken.ok ? 'ok' : taken.limit.split(':')[0]
    }
    expect([tell('1', 0), tell('2', 0), tell('3', 0), tell('2', 0)]).toEqual([
      'ok',
      'ok',
      'workload',
      'ok',
    ])
    expect([tell('4', 0, 'a'), tell('5', 0, 'b'), tell('6', 0, 'c'), tell('7', 0, 'd')]).toEqual([
      'ok',
      'ok',
      'ok',
      'namespace',
    ])
    expect(tell('8', 1799)).toBe('workload')
    expect(tell('8', 1800)).toBe('ok')
  })

  it('take nothing from any bucket when one is empty', () => {
    let state = noLimits
    for (let i = 0; i < 5; i++) state = take(state, `${i}`, 0, `w${i}`).state
    for (let i = 0; i < 5; i++) state = take(state, `late ${i}`, 0, 'w9').state
    expect(take(state, 'elsewhere', 0, 'w9', 'm')).toMatchObject({ ok: true })
    const { buckets } = take(state, 'again', 0, 'w9').state
    expect(Object.keys(buckets)).not.toContain('workload n/w9')
  })

  it('are never passed in any hour but by what was left in the bucket', () => {
    const call = fc.record({
      gap: fc.nat({ max: 900 }),
      workload: fc.constantFrom('a', 'b', 'c'),
      namespace: fc.constantFrom('n', 'm'),
    })
    fc.assert(
      fc.property(fc.array(call, { maxLength: 120 }), (calls) => {
        let state = noLimits
        let now = 0
        const done: { at: number; key: string }[] = []
        for (const [i, { gap, workload, namespace }] of calls.entries()) {
          now += gap
          const taken = take(state, `${i}`, now, workload, namespace)
          state = JSON.parse(JSON.stringify(taken.state))
          if (taken.ok) done.push({ at: now, key: `${namespace}/${workload}` })
        }
        for (const { at, key } of done) {
          const hour = done.filter((each) => each.at > at - 3600 && each.at <= at)
          expect(hour.filter((each) => each.key === key).length).toBeLessThanOrEqual(4)
          expect(hour.length).toBeLessThanOrEqual(40)
        }
        expect(Object.keys(state.buckets).length).toBeLessThanOrEqual(9)
      }),
    )
  })

  it('open the breaker when responses flood, once, and for a while', () => {
    let state = noLimits
    const opened: number[] = []
    for (let i = 0; i < 1000; i++) {
      const asked = askBreaker(state, `r${i % 500}`, limits, i / 20)
      state = asked.state
      if (asked.opened) opened.push(i)
      expect(asked.isOpen).toBe(i >= 10)
    }
    expect(opened).toEqual([10])
    expect(Object.keys(state.asked).length).toBeLessThanOrEqual(11)
    expect(askBreaker(state, 'later', limits, 50 + 3600 + 301).isOpen).toBe(false)
  })
})

describe('a plan', () => {
  it('has one hash whatever the order of its keys, and another for any other word', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonical(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
    const parts = { target: { uid: 'u', containers: ['a'] }, blastRadius: { readyReplicas: 1 } }
    const plan = { version: 1, response: 'r', steps: [{ name: 'a' }], ...parts } as unknown as Plan
    const turned = {
      ...{ steps: [{ name: 'a' }], ...parts, response: 'r', version: 1 },
    } as unknown as Plan
    expect(planHash(turned)).toBe(planHash(plan))
    expect(planHash({ ...plan, steps: [{ name: 'b' }] } as unknown as Plan)).not.toBe(
      planHash(plan),
    )
  })
})
