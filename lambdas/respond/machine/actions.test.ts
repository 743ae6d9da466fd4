import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Action, defaultProtection } from '#responses'
import type { Plan, PlannedStep } from '../plan/plan.ts'
import { planHash } from '../plan/plan.ts'
import { isRealClusterWanted, type RealCluster, startRealCluster } from '../testing/real-cluster.ts'
import type { KubeObject, Node } from '../world/objects.ts'
import { makePlan } from './make-plan.ts'
import { runKubeCall } from './run-call.ts'
import { takeBack } from './take-back.ts'

const response = '0123456789abcdef01234567'
const short = response.slice(0, 12)

describe.skipIf(!isRealClusterWanted)('actions on a real API server', () => {
  let cluster: RealCluster
  let namespace: string
  let uid: string
  beforeAll(async () => {
    cluster = await startRealCluster({ clusterPolicies: true })
  }, 1_200_000)
  afterAll(() => cluster?.stop())

  const path = (name = 'web') => `/api/v1/namespaces/${namespace}/pods/${name}`
  const start = async (more: Parameters<RealCluster['pod']>[2] = {}) => {
    namespace = await cluster.namespace()
    uid = await cluster.pod(namespace, 'web', { labels: { app: 'web', tier: 'front' }, ...more })
  }
  const plan = async (...actions: Action[]): Promise<Plan> => {
    const steps = actions.map((action, i) => {
      return { name: `s${i}`, action, continue: true, ignoreErrors: false }
    })
    const result = await makePlan(
      {
        ...{
          response,
          incident: 'inc-1',
          cluster: 'test',
          target: { namespace, name: 'web', uid },
        },
        rule: { name: 'r', steps, expiresSeconds: 3600 },
        protect: defaultProtection,
      },
      cluster.kubes,
    )
    if ('gone' in result) throw new Error(result.gone)
    return result.plan
  }
  const act = async ({ risk, calls }: PlannedStep) => {
    const results = []
    for (const call of calls) {
      if (call.via !== 'kubernetes') throw new Error(call.via)
      results.push(await runKubeCall(await cluster.kubes(risk), call, response))
    }
    return results.map((result) => ('reason' in result ? result.reason : result.status))
  }
  const undo = async ({ risk, inverse }: PlannedStep) => {
    const results = []
    for (const each of inverse) {
      results.push(await takeBack(await cluster.kubes(risk), each, response))
    }
    return results.map((result) =>
      'reason' in result ? `${result.status}: ${result.reason}` : result.status,
    )
  }
  const state = async () => {
    const pod = await cluster.get(path())
    const policies = await cluster.get(
      `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`,
    )
    const nodes = await cluster.get('/api/v1/nodes')
    return {
      labels: pod?.['metadata'].labels,
      policies: policies?.['items'].map(({ metadata }: KubeObject) => metadata.name),
      closed: nodes?.['items'].filter(({ spec }: Node) => spec?.unschedulable).length,
    }
  }

  const quarantine: Action = { kind: 'quarantine', allowCidrs: [], allowNamespaces: [], hard: true }
  const label: Action = {
    kind: 'label',
    what: 'labels',
    level: 'pod',
    set: { 'lanner.dev/suspicious': 'true', tier: null },
  }
  const annotate: Action = {
    kind: 'label',
    what: 'annotations',
    level: 'pod',
    set: { note: 'seen' },
  }
  const markNode: Action = { kind: 'label', what: 'labels', level: 'node', set: { watched: 'yes' } }
  const cordon: Action = { kind: 'cordon' }

  it.each<[string, Action]>([
    ['label', label],
    ['annotate', annotate],
    ['label a node', markNode],
    ['quarantine', quarantine],
    ['cordon', cordon],
  ])(
    '%s: a plan changes nothing, acting twice is acting once, undoing leaves nothing',
    async (_, action) => {
      await start()
      const before = await state()
      const made = await plan(action)
      const [step] = made.steps as [PlannedStep]
      expect([step.refused, step.wouldFail]).toEqual([undefined, undefined])
      expect(await state()).toEqual(before)
      expect(planHash(await plan(action))).toBe(planHash(made))
      expect(new Set(await act(step))).toEqual(new Set(['done']))
      const after = await cluster.get(path())
      const node = await cluster.get('/api/v1/nodes/n1')
      expect(new Set(await act(step))).toEqual(new Set(['done']))
      expect((await cluster.get(path()))!['metadata'].labels).toEqual(after!['metadata'].labels)
      expect((await cluster.get('/api/v1/nodes/n1'))!['spec']).toEqual(node!['spec'])
      expect(new Set(await undo(step))).toEqual(new Set(['done']))
      expect(await state()).toEqual(before)
      expect([...new Set(await undo(step))].every((each) => ['done', 'gone'].includes(each))).toBe(
        true,
      )
      expect(await state()).toEqual(before)
    },
  )

  it('quarantine: policies select the pod alone, labels go, and nothing stays allowed', async () => {
    await start()
    await cluster.server.apply({
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace } },
      spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
    })
    const allow = {
      podSelector: { matchLabels: { tier: 'front' } },
      policyTypes: ['Egress'],
      egress: [{}],
    }
    const networkPolicy = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' }
    await cluster.server.apply({
      ...networkPolicy,
      metadata: { name: 'out', namespace },
      spec: allow,
    })
    const made = await plan(quarantine)
    expect(made.blastRadius.services).toEqual(['web'])
    expect(made.residualAllows).toEqual([])
    await act(made.steps[0]!)
    expect((await state()).labels).toEqual({ 'lanner.dev/quarantine': short })
    const hard = `/apis/networking.k8s.aws/v1alpha1/clusternetworkpolicies/lanner-quarantine-${short}`
    expect((await cluster.get(hard))!['spec']).toMatchObject({ tier: 'Admin', priority: 0 })
    await undo(made.steps[0]!)
    expect(await cluster.get(hard)).toBeUndefined()
    expect((await state()).labels).toEqual({ app: 'web', tier: 'front' })
  })

  it('quarantine: a policy of somebody else under our name is left alone', async () => {
    await start()
    const made = await plan(quarantine)
    const theirs = { podSelector: {}, policyTypes: ['Ingress'] }
    const metadata = { name: `lanner-quarantine-${short}`, namespace }
    await cluster.server.apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata,
      spec: theirs,
    })
    expect(
      (await act({ ...made.steps[0]!, calls: made.steps[0]!.calls.slice(0, 1) }))[0],
    ).toContain('belongs to somebody else')
    expect((await undo(made.steps[0]!)).join()).toContain('changed: ')
    expect((await state()).policies).toEqual([metadata.name])
  })

  it('terminate: of that uid alone, with a grace', async () => {
    await start()
    const action: Action = {
      kind: 'terminate',
      graceSeconds: 5,
      ignoreDaemonSets: false,
      ignoreStatefulSets: false,
      ignoreStandalonePods: false,
      minHealthy: undefined,
    }
    const [step] = (await plan(action)).steps as [PlannedStep]
    expect(step.wouldFail).toBeUndefined()
    expect((await cluster.get(path()))!['metadata'].deletionTimestamp).toBeUndefined()
    expect(await act(step)).toEqual(['done'])
    const pod = await cluster.get(path())
    expect(pod!['metadata'].deletionGracePeriodSeconds).toBe(5)
    expect(await act(step)).toEqual(['done'])
    await cluster.server.call('DELETE', `${path()}?gracePeriodSeconds=0`)
    expect(await act(step)).toEqual(['gone'])
    const next = await cluster.pod(namespace, 'web')
    expect(await act(step)).toEqual(['gone'])
    expect((await cluster.get(path()))!['metadata']).toMatchObject({ uid: next })
    expect((await cluster.get(path()))!['metadata'].deletionTimestamp).toBeUndefined()
  })

  it('evict: budgets refuse it, in the plan and in the act', async () => {
    await start()
    const evict: Action = { kind: 'evict', graceSeconds: 3 }
    const free = (await plan(evict)).steps[0]!
    expect(free.wouldFail).toBeUndefined()
    expect((await cluster.get(path()))!['metadata'].deletionTimestamp).toBeUndefined()
    await cluster.server.apply({
      ...{
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'b', namespace },
      },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
    })
    expect((await plan(evict)).steps[0]!.refused).toContain(
      'PodDisruptionBudget b allows no disruption',
    )
    const waits: number[] = []
    const result = await runKubeCall(
      await cluster.kubes('destroy'),
      free.calls[0] as never,
      response,
      async (ms) => {
        waits.push(ms)
      },
    )
    expect(result).toMatchObject({ status: 'failed', reason: expect.stringContaining('429') })
    expect(waits).toHaveLength(3)
    expect((await cluster.get(path()))!['metadata'].deletionTimestamp).toBeUndefined()
    const status = {
      status: {
        observedGeneration: 1,
        disruptionsAllowed: 1,
        currentHealthy: 2,
        desiredHealthy: 1,
        expectedPods: 2,
      },
    }
    await cluster.server.call(
      'PATCH',
      `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets/b/status`,
      status,
      { contentType: 'application/merge-patch+json' },
    )
    expect(await act(free)).toEqual(['done'])
    await cluster.server.call('DELETE', `${path()}?gracePeriodSeconds=0`)
    expect(await act(free)).toEqual(['gone'])
  })

  it('cordon: a node that was closed before, or is held by another response, stays closed', async () => {
    await start()
    const [first] = (await plan(cordon)).steps as [PlannedStep]
    await act(first)
    const other = JSON.parse(JSON.stringify(await plan(cordon)).replaceAll(short, 'ffffffffffff'))
      .steps[0] as PlannedStep
    await act(other)
    await undo(first)
    expect((await state()).closed).toBe(1)
    await undo(other)
    expect((await state()).closed).toBe(0)
    await cluster.server.call(
      'PATCH',
      '/api/v1/nodes/n1',
      { spec: { unschedulable: true } },
      { contentType: 'application/merge-patch+json' },
    )
    const [third] = (await plan(cordon)).steps as [PlannedStep]
    await act(third)
    await undo(third)
    expect((await state()).closed).toBe(1)
    const [open] = (await plan({ kind: 'uncordon' })).steps as [PlannedStep]
    await act(open)
    expect((await state()).closed).toBe(0)
    await undo(open)
    expect((await state()).closed).toBe(1)
    await cluster.server.call(
      'PATCH',
      '/api/v1/nodes/n1',
      { spec: { unschedulable: null } },
      { contentType: 'application/merge-patch+json' },
    )
  })

  it('undo leaves what somebody else made of it', async () => {
    await start()
    await cluster.server.apply({
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace } },
      spec: { selector: { tier: 'front' }, ports: [{ port: 80 }] },
    })
    const made = await plan(quarantine)
    await act(made.steps[0]!)
    const patch = { metadata: { labels: { tier: 'theirs', 'lanner.dev/quarantine': null } } }
    await cluster.server.call('PATCH', path(), patch, {
      contentType: 'application/merge-patch+json',
    })
    const policy = `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/lanner-quarantine-${short}`
    await cluster.server.call(
      'PATCH',
      policy,
      { spec: { egress: [{}] } },
      { contentType: 'application/merge-patch+json' },
    )
    const said = await undo(made.steps[0]!)
    expect(said[0]).toContain('tier')
    expect(said[1]).toContain('something else than we wrote')
    expect((await state()).labels).toMatchObject({ tier: 'theirs' })
    expect((await state()).policies).toHaveLength(1)
  })

  it('evict: a pod that took the name costs its budget nothing, and nobody any time', async () => {
    await start()
    const { calls } = (await plan({ kind: 'evict', graceSeconds: undefined })).steps[0]!
    await cluster.server.call('DELETE', `${path()}?gracePeriodSeconds=0`)
    // not started yet: the API server would try to evict it for ten seconds, and say nothing meanwhile
    await cluster.server.apply({
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace } },
      spec: { containers: [{ name: 'app', image: 'example.org/app:1' }] },
    })
    const from = performance.now()
    const result = await runKubeCall(await cluster.kubes('destroy'), calls[0] as never, response)
    expect(result).toEqual({ status: 'gone' })
    expect(performance.now() - from).toBeLessThan(5000)
    expect((await cluster.get(path()))!['metadata'].deletionTimestamp).toBeUndefined()
  })

  it('nothing happens to a pod that took the name', async () => {
    await start()
    const made = await plan(label, quarantine)
    await cluster.server.call('DELETE', `${path()}?gracePeriodSeconds=0`)
    await cluster.pod(namespace, 'web', { labels: { app: 'new' } })
    expect(await act(made.steps[0]!)).toEqual(['gone'])
    expect((await act(made.steps[1]!)).at(-1)).toBe('gone')
    expect((await state()).labels).toEqual({ app: 'new' })
    expect((await undo(made.steps[1]!))[0]).toBe('gone')
    expect((await state()).policies).toEqual([])
    await expect(plan(label)).rejects.toThrow('another pod has its name now')
  })
})
