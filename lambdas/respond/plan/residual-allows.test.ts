import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type {
  ClusterNetworkPolicy,
  ClusterRule,
  LabelSelector,
  NetworkPolicy,
} from '../world/objects.ts'
import { type Reachable, residualAllows } from './residual-allows.ts'

const pod: Reachable = {
  namespace: 'shop',
  namespaceLabels: { team: 'a' },
  labels: { app: 'api', 'lanner.dev/quarantine': 'x' },
  hostNetwork: false,
}
let policies = 0
const policy = (spec: object, namespace = 'shop'): NetworkPolicy => ({
  metadata: { name: `p${policies++}`, namespace },
  spec: spec as NetworkPolicy['spec'],
})
const cluster = (
  priority: number,
  rules: { readonly ingress?: readonly ClusterRule[]; readonly egress?: readonly ClusterRule[] },
  { tier = 'Admin', subject = { namespaces: {} } as ClusterNetworkPolicy['spec']['subject'] } = {},
): ClusterNetworkPolicy => ({
  metadata: { name: `c${priority}` },
  spec: { tier, priority, subject, ...rules },
})
const quarantine = policy({
  podSelector: { matchLabels: { 'lanner.dev/quarantine': 'x' } },
  policyTypes: ['Ingress', 'Egress'],
})
const every = ['0.0.0.0/0', '::/0']
const denyOut: ClusterRule = { action: 'Deny', to: [{ networks: every }] }
const denyIn: ClusterRule = { action: 'Deny', from: [{ namespaces: {} }, { networks: every }] }
const hard = cluster(10, { ingress: [denyIn], egress: [denyOut] })
const allowOut = (to: readonly object[], podSelector: LabelSelector = {}) =>
  policy({ podSelector, policyTypes: ['Egress'], egress: [{ to }] })
const allowIn = (from: readonly object[], podSelector: LabelSelector = {}) =>
  policy({ podSelector, policyTypes: ['Ingress'], ingress: [{ from }] })
const accept = (to: readonly object[], more: object = {}): ClusterRule =>
  ({ action: 'Accept', to, ...more }) as ClusterRule

type Case = readonly [
  what: string,
  left: string,
  policies: readonly NetworkPolicy[],
  cluster?: readonly ClusterNetworkPolicy[],
  change?: Partial<Reachable>,
]
/** `in` and `out` that stay allowed. */
const cases: readonly Case[] = [
  // no policy, and our own
  ['nothing at all', 'in out', []],
  ['our quarantine alone', '', [quarantine]],
  ['our quarantine in another namespace', 'in out', [policy(quarantine.spec, 'other')]],
  ['our quarantine without the label', 'in out', [quarantine], [], { labels: { app: 'api' } }],
  ['a pod on the network of its node', 'in out', [quarantine], [hard], { hostNetwork: true }],
  // policy types
  [
    'types missing, no egress rules: ingress alone is isolated',
    'out',
    [policy({ podSelector: {} })],
  ],
  ['types missing, empty egress rules', 'out', [policy({ podSelector: {}, egress: [] })]],
  ['types missing, egress rules', 'out', [policy({ podSelector: {}, egress: [{}] })]],
  ['types empty', 'out', [policy({ podSelector: {}, policyTypes: [] })]],
  ['Ingress alone', 'out', [policy({ podSelector: {}, policyTypes: ['Ingress'] })]],
  ['Egress alone', 'in', [policy({ podSelector: {}, policyTypes: ['Egress'] })]],
  [
    'egress rules that are not of the types',
    '',
    [quarantine, policy({ policyTypes: ['Ingress'], egress: [{}] })],
  ],
  // rules beside ours
  ['an allow to anywhere', 'out', [quarantine, allowOut([])]],
  ['an allow from anywhere', 'in', [quarantine, allowIn([])]],
  [
    'a rule of ports alone',
    'out',
    [quarantine, policy({ policyTypes: ['Egress'], egress: [{ ports: [{ port: 53 }] }] })],
  ],
  [
    'name servers for the whole namespace',
    'out',
    [quarantine, allowOut([{ namespaceSelector: {} }])],
  ],
  ['pods of the same namespace', 'in', [quarantine, allowIn([{ podSelector: {} }])]],
  ['an address range', 'out', [quarantine, allowOut([{ ipBlock: { cidr: '10.0.0.0/8' } }])]],
  [
    'an address range that is all excepted',
    '',
    [quarantine, allowOut([{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/8'] } }])],
  ],
  ['no rules at all', '', [quarantine, policy({ policyTypes: ['Ingress', 'Egress'] })]],
  [
    'an allow in another namespace',
    '',
    [quarantine, policy({ policyTypes: ['Egress'], egress: [{}] }, 'other')],
  ],
  // selectors on the labels after the change
  [
    'an allow for a label it lost',
    '',
    [quarantine, allowOut([], { matchLabels: { role: 'web' } })],
  ],
  [
    'an allow for a label it kept',
    'out',
    [quarantine, allowOut([], { matchLabels: { app: 'api' } })],
  ],
  [
    'In',
    'out',
    [
      quarantine,
      allowOut([], { matchExpressions: [{ key: 'app', operator: 'In', values: ['web', 'api'] }] }),
    ],
  ],
  [
    'In, another value',
    '',
    [
      quarantine,
      allowOut([], { matchExpressions: [{ key: 'app', operator: 'In', values: ['web'] }] }),
    ],
  ],
  [
    'NotIn takes a pod that has not the label',
    'out',
    [
      quarantine,
      allowOut([], { matchExpressions: [{ key: 'role', operator: 'NotIn', values: ['web'] }] }),
    ],
  ],
  [
    'NotIn its own value',
    '',
    [
      quarantine,
      allowOut([], { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['api'] }] }),
    ],
  ],
  [
    'Exists',
    'out',
    [quarantine, allowOut([], { matchExpressions: [{ key: 'app', operator: 'Exists' }] })],
  ],
  [
    'Exists of a key it lost',
    '',
    [quarantine, allowOut([], { matchExpressions: [{ key: 'role', operator: 'Exists' }] })],
  ],
  [
    'DoesNotExist begins to take a stripped pod',
    'out',
    [quarantine, allowOut([], { matchExpressions: [{ key: 'role', operator: 'DoesNotExist' }] })],
  ],
  [
    'DoesNotExist of a key it has',
    '',
    [quarantine, allowOut([], { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] })],
  ],
  [
    'an operator nobody knows',
    'out',
    [quarantine, allowOut([], { matchExpressions: [{ key: 'app', operator: 'Near' }] })],
  ],
  [
    'all conditions must hold',
    '',
    [
      quarantine,
      allowOut([], {
        matchLabels: { app: 'api' },
        matchExpressions: [{ key: 'role', operator: 'Exists' }],
      }),
    ],
  ],
  // the Admin tier
  ['a hard deny beats every allow', '', [quarantine, allowOut([]), allowIn([])], [hard]],
  ['a hard deny alone', '', [], [hard]],
  [
    'a deny of IPv4 alone',
    'out',
    [quarantine, allowOut([])],
    [cluster(1, { egress: [{ action: 'Deny', to: [{ networks: ['0.0.0.0/0'] }] }] })],
  ],
  [
    'a deny of IPv4, and an allow of IPv4',
    '',
    [quarantine, allowOut([{ ipBlock: { cidr: '1.2.3.0/24' } }])],
    [cluster(1, { egress: [{ action: 'Deny', to: [{ networks: ['0.0.0.0/0'] }] }] })],
  ],
  [
    'a deny of IPv4, and an allow of IPv6',
    'out',
    [quarantine, allowOut([{ ipBlock: { cidr: 'fd00::/8' } }])],
    [cluster(1, { egress: [{ action: 'Deny', to: [{ networks: ['0.0.0.0/0'] }] }] })],
  ],
  [
    'a deny on some ports',
    'out',
    [quarantine, allowOut([])],
    [cluster(1, { egress: [{ ...denyOut, ports: [{ portNumber: { port: 443 } }] }] })],
  ],
  [
    'a deny of part of the network',
    'out',
    [quarantine, allowOut([])],
    [cluster(1, { egress: [{ action: 'Deny', to: [{ networks: ['10.0.0.0/8'] }] }] })],
  ],
  [
    'a deny from all pods, and addresses let in',
    'in',
    [quarantine, allowIn([{ ipBlock: { cidr: '10.0.0.0/8' } }])],
    [cluster(1, { ingress: [{ action: 'Deny', from: [{ namespaces: {} }] }] })],
  ],
  [
    'a deny from all pods, and pods let in',
    '',
    [quarantine, allowIn([{ podSelector: {} }])],
    [cluster(1, { ingress: [{ action: 'Deny', from: [{ namespaces: {} }] }] })],
  ],
  [
    'a deny from some pods, and pods let in',
    'in',
    [quarantine, allowIn([{ podSelector: {} }])],
    [
      cluster(1, {
        ingress: [{ action: 'Deny', from: [{ namespaces: { matchLabels: { team: 'b' } } }] }],
      }),
    ],
  ],
  [
    'an accept before the deny',
    'out',
    [quarantine],
    [hard, cluster(5, { egress: [accept([{ networks: ['1.1.1.1/32'] }])] })],
  ],
  [
    'an accept of the same priority',
    'out',
    [quarantine],
    [hard, cluster(10, { egress: [accept([{ domainNames: ['x.org'] }])] })],
  ],
  [
    'an accept after the deny',
    '',
    [quarantine],
    [hard, cluster(11, { egress: [accept([{ networks: ['1.1.1.1/32'] }])] })],
  ],
  [
    'an accept of pods after the deny',
    '',
    [quarantine],
    [hard, cluster(11, { ingress: [{ action: 'Accept', from: [{ namespaces: {} }] }] })],
  ],
  [
    'an accept above an own deny',
    'out',
    [],
    [cluster(1, { ingress: [denyIn], egress: [accept([{ pods: {} }]), denyOut] })],
  ],
  [
    'a pass before the deny hands on to policies',
    'out',
    [quarantine, allowOut([{ ipBlock: { cidr: '10.0.0.0/8' } }])],
    [cluster(1, { egress: [{ action: 'Pass', to: [{ networks: ['10.0.0.0/8'] }] }, denyOut] })],
  ],
  [
    'a pass to policies that allow nothing',
    '',
    [quarantine],
    [cluster(1, { egress: [{ action: 'Pass', to: [{ networks: ['10.0.0.0/8'] }] }, denyOut] })],
  ],
  [
    'a deny for another namespace',
    'in out',
    [],
    [
      cluster(
        1,
        { ingress: [denyIn], egress: [denyOut] },
        { subject: { namespaces: { matchLabels: { team: 'b' } } } },
      ),
    ],
  ],
  [
    'a deny for this namespace by its name',
    '',
    [],
    [
      cluster(
        1,
        { ingress: [denyIn], egress: [denyOut] },
        { subject: { namespaces: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } } } },
      ),
    ],
  ],
  [
    'a deny for pods with our label',
    '',
    [],
    [
      cluster(
        1,
        { ingress: [denyIn], egress: [denyOut] },
        { subject: { pods: { podSelector: { matchLabels: { 'lanner.dev/quarantine': 'x' } } } } },
      ),
    ],
  ],
  [
    'a deny for pods with another label',
    'in out',
    [],
    [
      cluster(
        1,
        { ingress: [denyIn], egress: [denyOut] },
        { subject: { pods: { podSelector: { matchLabels: { a: 'b' } } } } },
      ),
    ],
  ],
  [
    'a deny for nobody',
    'in out',
    [],
    [cluster(1, { ingress: [denyIn], egress: [denyOut] }, { subject: {} })],
  ],
  // the Baseline tier
  [
    'a baseline deny where no policy selects the pod',
    '',
    [],
    [cluster(1, { ingress: [denyIn], egress: [denyOut] }, { tier: 'Baseline' })],
  ],
  [
    'a baseline deny does not beat an allow',
    'out',
    [quarantine, allowOut([])],
    [cluster(1, { ingress: [denyIn], egress: [denyOut] }, { tier: 'Baseline' })],
  ],
]

describe('what stays allowed', () => {
  const rows = cases.map(([what, left, policies, over = [], change = {}]) => {
    return { what, left, policies, over, change }
  })
  it.each(rows)('$what: $left', ({ left, policies, over, change }) => {
    const found = residualAllows({ ...pod, ...change }, policies, over)
    const words = new Set(found.map(({ direction }) => (direction === 'ingress' ? 'in' : 'out')))
    expect([...words].join(' ')).toBe(left)
    expect(found.every(({ by, what }) => by !== '' && what !== '')).toBe(true)
  })

  it('has a truth table of more than 40 rows', () => expect(cases.length).toBeGreaterThan(40))

  it('is said in words', () => {
    const named = {
      ...allowOut([{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }]),
      metadata: { name: 'db', namespace: 'shop' },
    }
    expect(residualAllows(pod, [quarantine, named])).toEqual([
      { direction: 'egress', by: 'NetworkPolicy/db', what: 'to 10.0.0.0/8 except 10.1.0.0/16' },
    ])
  })

  it('never shrinks by a policy that only allows', () => {
    const selector = fc.constantFrom<LabelSelector>(
      ...[{}, { matchLabels: { app: 'api' } }, { matchLabels: { app: 'web' } }],
      { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['api'] }] },
    )
    const allow = fc
      .record({
        selector,
        isOut: fc.boolean(),
        peers: fc.subarray([
          { podSelector: {} },
          { namespaceSelector: {} },
          { ipBlock: { cidr: '10.0.0.0/8' } },
          { ipBlock: { cidr: 'fd00::/8' } },
        ]),
      })
      .map(({ selector, isOut, peers }) => (isOut ? allowOut : allowIn)(peers, selector))
    fc.assert(
      fc.property(fc.array(allow, { maxLength: 5 }), allow, fc.boolean(), (some, one, isHard) => {
        const over = isHard ? [hard] : []
        const before = residualAllows(pod, [quarantine, ...some], over)
        const after = residualAllows(pod, [quarantine, ...some, one], over)
        expect(after).toEqual(expect.arrayContaining(before))
        if (isHard) expect(after).toEqual([])
      }),
    )
  })
})
