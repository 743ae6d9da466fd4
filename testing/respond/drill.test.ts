import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { alertOf, compileRules } from '#engine'
import { fieldMapSource, parseFieldMap, quarantineLabel } from '#events'
import { loadRules, readRuleFiles } from '#load'
import { answerIdentity } from '#testing/aws/sts.ts'
import { makeContainer, makeEvent, makeProcess, makeSocket } from '#testing/events.ts'
import { run as verify } from '../../cli/evidence-verify.ts'
import { WatchExpectations } from '../../lambdas/evaluate/watch-expectations.ts'
import { signApproval } from '../../lambdas/respond/access/approval-token.ts'
import type { ResponseState } from '../../lambdas/respond/machine/response-state.ts'
import { answerPeople } from '../../lambdas/respond/requests.ts'
import {
  isRealClusterWanted,
  type RealCluster,
  startRealCluster,
} from '../../lambdas/respond/testing/real-cluster.ts'
import { incidentMessage, ResponseWorld } from '../../lambdas/respond/testing/response-world.ts'
import type { Detection } from '../../lambdas/shared/detection.ts'

const root = join(import.meta.dirname, '../..')
/** Printed with LANNER_SHOW=1: the run that README.md walks through. */
const show = (text: string) => {
  if (process.env['LANNER_SHOW'] === '1') process.stdout.write(`${text}\n`)
}
const ann = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'a secret of this test',
  arn: 'arn:aws:sts::123456789012:assumed-role/Responders/ann',
}
const attack = {
  ...{ 'evt.type': 'execve', 'evt.dir': '<', 'proc.name': 'xmrig', 'proc.exepath': '/tmp/xmrig' },
  ...{ 'proc.cmdline': 'xmrig -o stratum+tcp://pool.example:3333', 'proc.pname': 'sh' },
  ...{
    'container.id': '0123456789ab',
    'evt.res': 'SUCCESS',
    'proc.args': '-o stratum+tcp://pool.example:3333',
  },
}

describe.skipIf(!isRealClusterWanted)('a drill on a real API server with its controllers', () => {
  let cluster: RealCluster
  beforeAll(async () => {
    cluster = await startRealCluster({
      clusterPolicies: true,
      controllers: ['replicaset-controller', 'disruption-controller'],
    })
  }, 1_200_000)
  afterAll(() => cluster?.stop())

  /** A ReplicaSet of two whose pods run, one of them attacked. */
  async function deploy(namespace: string) {
    const labels = { app: 'web' }
    const container = {
      name: 'app',
      image: 'example.org/app:1',
      env: [{ name: 'PASSWORD', value: 'hunter2' }],
    }
    const { server } = cluster
    await server.apply({
      ...{
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        metadata: { name: 'web', namespace, labels },
      },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    })
    await server.apply({
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace } },
      spec: { selector: labels, ports: [{ port: 80 }] },
    })
    const pods = await waitFor(async () => {
      const all = await podsOf(namespace)
      return all.length === 2 ? all : undefined
    })
    for (const [i, { metadata }] of pods.entries()) {
      const path = `/api/v1/namespaces/${namespace}/pods/${metadata.name}`
      await server.call('POST', `${path}/binding`, {
        ...{ apiVersion: 'v1', kind: 'Binding', metadata: { name: metadata.name, namespace } },
        target: { apiVersion: 'v1', kind: 'Node', name: `n${i + 1}` },
      })
      const status = {
        ...{ phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
        containerStatuses: [
          {
            name: 'app',
            image: 'a',
            ready: true,
            restartCount: 0,
            imageID: 'example.org/app@sha256:aa',
            containerID: `containerd://0123456789ab${i}`,
          },
        ],
      }
      await server.call(
        'PATCH',
        `${path}/status`,
        { status },
        { contentType: 'application/merge-patch+json' },
      )
    }
    return pods
  }
  const podsOf = async (namespace: string) =>
    (await cluster.get(`/api/v1/namespaces/${namespace}/pods`))!['items'] as {
      readonly metadata: {
        readonly name: string
        readonly uid: string
        readonly labels: Readonly<Record<string, string>>
        readonly ownerReferences?: unknown
      }
    }[]

  async function waitFor<T>(look: () => Promise<T | undefined>): Promise<T> {
    for (let tries = 0; tries < 100; tries++) {
      const found = await look()
      if (found !== undefined) return found
      await delay(50)
    }
    throw new Error('it did not come about within five seconds')
  }

  it.each([
    ['silent afterwards', 'contained'],
    ['a live process that keeps its connection', 'partially_contained'],
    ['a live process that still gets commands', 'unenforced'],
  ])(
    'from simulation to undo: %s is %s',
    async (what, outcome) => {
      const namespace = await cluster.namespace()
      const [victim] = await deploy(namespace)
      const { name, uid } = victim!.metadata

      // simulation: an event that the library's own rules judge
      const { ruleSet } = loadRules(readRuleFiles([join(root, 'rules/library')]).files)
      const enabled = ruleSet.rules.filter((rule) => rule.enabled)
      const parsed = parseFieldMap(attack)
      if ('errors' in parsed) throw new Error(JSON.stringify(parsed.errors))
      const program = compileRules(enabled, fieldMapSource, { matching: 'all' })
      const rule = program.evaluate(parsed.map).find((each) => each.name === 'Crypto miner')
      expect(rule?.name).toBe('Crypto miner')
      const alert = alertOf(rule!, parsed.map, fieldMapSource, { hostname: 'n1', isoTime: true })
      show(`simulation  ${alert.rule}: ${attack['proc.cmdline']}`)

      // incident
      const policy = `${readFileSync(join(root, 'rules/library/responses.yaml'), 'utf8')}\n- {mode: approve, namespaces: [${namespace}]}\n`
      const world = new ResponseWorld(await kubeByClass(), policy)
      world.kubesOf = cluster.kubes
      const message = incidentMessage(
        { name, namespace, uid },
        { rule: alert.rule, id: `inc-${namespace}` },
      )
      const detection = {
        ...message.detection!,
        ...alert,
        lanner: {
          lineage: [
            { pid: 7, name: 'xmrig', exe: '/tmp/xmrig' },
            { pid: 1, name: 'sh', exe: '/bin/sh' },
          ],
        },
      } as unknown as Detection
      world.detections = [detection]
      const { responder, ports } = world.responder()
      const ids = await responder.onIncident({ ...message, detection })
      const id = ids[0]!
      const read = async () => (await responder.read(id)) as ResponseState

      // plan: nothing is changed yet
      const planned = await read()
      expect(planned).toMatchObject({
        phase: 'awaiting',
        plan: { residualAllows: [], blastRadius: { services: ['web'], readyReplicas: 1 } },
      })
      expect(
        (await podsOf(namespace)).every(({ metadata }) => metadata.labels['app'] === 'web'),
      ).toBe(true)
      for (const text of world.messages[0]!.approve!.does) show(`plan        ${text}`)
      show(`plan        hash ${planned.planHash}`)

      // approval: signed by who gives it, checked by STS
      const askSts = async (url: string, headers: Readonly<Record<string, string>>) =>
        answerIdentity([ann], url, headers, new Date())
      const approval = { response: id, planHash: planned.planHash! }
      const signed = await signApproval(approval, {
        region: 'eu-west-1',
        credentials: ann,
        date: new Date(),
      })
      const tampered = { ask: 'approve', ...approval, planHash: '0'.repeat(64), signed } as const
      expect(await answerPeople(tampered, responder, ports, askSts)).toMatchObject({ ok: false })
      expect(
        await answerPeople({ ask: 'approve', ...approval, signed }, responder, ports, askSts),
      ).toEqual({ ok: true })
      show(`approval    ${(await read()).approval!.by}`)

      // evidence, verified by the command
      const { evidence, problem } = await read()
      expect(problem).toBeUndefined()
      const folder = mkdtempSync(join(tmpdir(), 'lanner-evidence-'))
      for (const [key, bytes] of world.evidence) {
        mkdirSync(join(folder, dirname(key)), { recursive: true })
        writeFileSync(join(folder, key), bytes)
      }
      const said: string[] = []
      const io = {
        out: (text: string) => void said.push(text),
        err: (text: string) => void said.push(text),
        color: false,
      }
      expect(
        await verify([join(folder, evidence!.manifest), '--head', evidence!.head], io),
        said.join(''),
      ).toBe(0)
      show(`evidence    ${said.at(-1)!.trim()}, last hash ${evidence!.head.slice(0, 12)}…`)
      const pod = [...world.evidence.keys()].find((key) => key.endsWith('pod.json'))!
      const kept = readFileSync(join(folder, pod), 'utf8')
      expect(kept).not.toContain('hunter2')
      writeFileSync(join(folder, pod), kept.replace('Running', 'Runnin9'))
      expect(await verify([join(folder, evidence!.manifest), '--head', evidence!.head], io)).toBe(1)
      rmSync(folder, { recursive: true })

      // quarantine: the controllers let the pod go and make another one
      const cut = (await podsOf(namespace)).find(({ metadata }) => metadata.uid === uid)!
      expect(cut.metadata.labels[quarantineLabel]).toBe(id.slice(0, 12))
      expect(cut.metadata.labels['app']).toBeUndefined()
      await waitFor(async () => {
        const all = await podsOf(namespace)
        const isFree =
          all.find(({ metadata }) => metadata.uid === uid)?.metadata.ownerReferences === undefined
        return isFree && all.length === 3 ? true : undefined
      })
      show(`quarantine  ${name} is cut off; its ReplicaSet let it go and made another`)

      // proof: what the node tells, held against what must not be
      const watch = new WatchExpectations({ store: world.shared, now: () => world.time * 1000 })
      const until = world.time + 65
      while (world.time < until) {
        world.time += 5
        const time = BigInt(world.time) * 1_000_000_000n
        const process = makeProcess({
          comm: 'xmrig',
          container: makeContainer({ fullId: `0123456789ab0${'0'.repeat(51)}`, podUid: uid }),
        })
        const fd = makeSocket({ remoteIp: '203.0.113.7', remotePort: 3333 })
        const events = what.includes('keeps')
          ? ['write']
          : what.includes('commands')
            ? ['write', 'read']
            : []
        const batch = {
          header: { cluster: 'test', node: 'n1', firstTime: 0n, lastTime: 0n, sealedAt: time },
          events: events.map((event) => makeEvent(event, { process, fd, time, result: 12 })),
        } as unknown as Parameters<WatchExpectations['take']>[0][number]['batch']
        await watch.take(
          [{ batch }],
          () => 'verified',
          () => false,
        )
      }
      world.time += 80
      await responder.sweep()
      expect(await read()).toMatchObject({ phase: 'holding', outcome })
      show(`proof       ${world.story.at(-1)}`)

      // expiry and undo
      world.time += 4 * 3600
      await responder.sweep()
      expect(await read()).toMatchObject({ phase: 'closed', ending: 'expired' })
      const back = (await podsOf(namespace)).find(({ metadata }) => metadata.uid === uid)
      // one too many now: the controller takes the marked pod first, or has done so already
      if (back !== undefined) expect(back.metadata.labels).toMatchObject({ app: 'web' })
      const policies = await cluster.get(
        `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`,
      )
      expect(policies!['items']).toEqual([])
      const hard = await cluster.get(
        `/apis/networking.k8s.aws/v1alpha1/clusternetworkpolicies/lanner-quarantine-${id.slice(0, 12)}`,
      )
      expect(hard).toBeUndefined()
      await waitFor(async () => ((await podsOf(namespace)).length === 2 ? true : undefined))
      show(`undo        ${world.story.at(-1)}`)
    },
    60_000,
  )

  const kubeByClass = () => cluster.kubes('read')
})
