import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type FaultPlan,
  type KubernetesFaultProxy,
  type PlannedFault,
  type ProxiedCall,
  startKubernetesFaultProxy,
} from '#testing/kubernetes/fault-proxy.ts'
import { KubeClient } from '../kubernetes/client.ts'
import { actions, policyOf } from '../testing/crash-suite.ts'
import { type Life, liveThrough } from '../testing/live-through.ts'
import { isRealClusterWanted, type RealCluster, startRealCluster } from '../testing/real-cluster.ts'
import { realScene } from '../testing/scenes.ts'
import type { Kubes } from './make-plan.ts'

/** Goes by: what is asked again is done, once. */
const passing: Readonly<Record<string, PlannedFault>> = {
  '401': { fault: { kind: 'status', status: 401 } },
  '429 with a time to wait': { fault: { kind: 'status', status: 429, retryAfter: 0 } },
  '500, not done': { fault: { kind: 'status', status: 500 } },
  '500, done all the same': { fault: { kind: 'status', status: 500 }, isDone: true },
  'no answer, not done': { fault: { kind: 'hang' } },
  'no answer, done all the same': { fault: { kind: 'hang' }, isDone: true },
  'cut before it is done': { fault: { kind: 'refuse' } },
  'cut in mid-answer': { fault: { kind: 'drop', afterBytes: 40 } },
  // somebody writes the same object at the same time
  'a conflict': { fault: { kind: 'status', status: 409 } },
  'half an answer that ends well': { fault: { kind: 'body', body: '{"metadata":' }, isDone: true },
}
/** Says no. */
const refusing = [400, 403, 404, 422] as const
const isLong = process.env['LANNER_LONG'] === '1'
/** Whose reads and dry runs go wrong, too: together they make all calls that there are. */
const allCalls = new Set(['quarantine', 'evict'])
const timeoutMs = 1500

/** Whether a call changes something in earnest. */
const isChange = ({ method, path, body }: ProxiedCall) =>
  method !== 'GET' && !path.includes('dryRun=All') && !body.includes('"dryRun":["All"]')

describe.skipIf(!isRealClusterWanted)('between the client and a real API server', () => {
  let cluster: RealCluster
  let proxy: KubernetesFaultProxy
  beforeAll(async () => {
    cluster = await startRealCluster()
    proxy = await startKubernetesFaultProxy(cluster.server)
  }, 1_200_000)
  afterAll(async () => {
    await proxy?.stop()
    await cluster?.stop()
  })

  const live = async (steps: readonly string[], plan: FaultPlan): Promise<Life> => {
    const server = proxy.lane(plan)
    const kubes: Kubes = async (risk) =>
      new KubeClient({
        cluster: { name: 'test', server, caPem: proxy.caPem },
        token: async () => cluster.server.tokenOf(risk),
        timeoutMs,
      })
    const scene = await realScene(cluster, kubes)
    try {
      return await liveThrough(scene, policyOf(steps))
    } finally {
      await scene.end()
    }
  }
  /** A life in which one call goes wrong, once. */
  const withFault = (steps: readonly string[], at: number, planned: PlannedFault) => {
    let calls = 0
    return live(steps, () => (++calls === at ? planned : undefined))
  }
  // the others take minutes
  const left = isLong ? /lambda|webhook/ : /lambda|webhook|logs|annotate|node|all of them/
  const inCluster = Object.entries(actions).filter(([name]) => !left.test(name))

  it.each(inCluster)(
    '%s: every fault of every call ends in a known state',
    async (name, steps) => {
      const changes: boolean[] = []
      const reads: boolean[] = []
      const whole = await live(steps, (call) => {
        changes.push(isChange(call))
        reads.push(call.method === 'GET')
        return undefined
      })
      expect(whole.state.phase).toBe('closed')
      type Case = readonly [at: number, fault: string, planned: PlannedFault]
      const cases = changes.flatMap((change, i): Case[] => {
        if (!change && !(isLong && allCalls.has(name))) return []
        const no = refusing.map((status): Case => {
          return [i + 1, `${status}`, { fault: { kind: 'status', status } }]
        })
        const goesBy = Object.entries(passing).flatMap(([kind, planned]): Case[] => {
          // nothing that only reads conflicts
          return reads[i]! && kind === 'a conflict' ? [] : [[i + 1, kind, planned]]
        })
        return [...goesBy, ...no]
      })
      const worker = async () => {
        for (let next = cases.shift(); next !== undefined; next = cases.shift()) {
          const [at, fault, planned] = next
          const life = await withFault(steps, at, planned)
          const where = `${name}: ${fault} at call ${at}`
          judge(life, whole, fault in passing, where)
        }
      }
      await Promise.all(Array.from({ length: 8 }, worker))
    },
    900_000,
  )
})

interface Shape {
  readonly pod: { readonly labels: object }
  readonly node: { readonly unschedulable: boolean; readonly labels: object }
  readonly policies: readonly object[]
}

function judge(life: Life, whole: Life, goesBy: boolean, where: string): void {
  const { state, world } = life
  const said = `${where}: ${life.told.join(' / ')}`
  expect(state.phase, said).toBe('closed')
  expect(
    state.steps.filter(({ status }) => status === 'open' || status === 'ambiguous'),
    said,
  ).toEqual([])
  expect(world.outside.length, said).toBeLessThanOrEqual(whole.world.outside.length)
  if (goesBy) {
    expect(state.ending, said).toBe(whole.state.ending)
    expect(life.acted, said).toEqual(whole.acted)
    expect(life.left, said).toEqual(whole.left)
    expect(life.steps, said).toEqual(whole.steps)
    return
  }
  // what is refused is said, and nothing is left that can be taken back
  expect(['expired', 'failed', 'done', 'refused', 'gone'], said).toContain(state.ending)
  const [left, usual] = [life.left, whole.left] as readonly [Shape, Shape]
  expect(left.pod.labels, said).toEqual(usual.pod.labels)
  expect(left.node.labels, said).toEqual(usual.node.labels)
  expect(left.node.unschedulable, said).toBe(false)
  expect(left.policies, said).toEqual([])
}
