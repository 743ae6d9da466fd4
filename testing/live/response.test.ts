import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { quarantineLabel } from '#events'
import { libraryPath } from '../../cli/library-path.ts'
import { isRealClusterWanted } from '../../lambdas/respond/testing/real-cluster.ts'
import { type AttackedPod, until } from '../respond/attacked-cluster.ts'
import { people, ResponseRun } from '../respond/response-run.ts'
import { whyNotLive } from './machine.ts'
import { act, actor } from './watcher.ts'

vi.setConfig({ testTimeout: 400_000 })
const reason = whyNotLive()
const { ann, bob } = people
const rule = 'Isolate a pod that runs what nobody installed'
/** Lanner's own policy, but that it expires after a minute, and waits for approval in these namespaces. */
const policy = `${readFileSync(join(libraryPath, 'responses.yaml'), 'utf8').replace('expires: 4h', 'expires: 60s')}
- {mode: approve, rules: ["Isolate*"], namespaces: ["shop-*"]}
`
/** An address that is nobody's; pods have it in a network of their own. */
const pool = '203.0.113.7'

describe.skipIf(reason !== '' || !isRealClusterWanted)(`live: a whole response ${reason}`, () => {
  let run: ResponseRun
  beforeAll(async () => {
    run = await ResponseRun.start(policy)
  }, 1_200_000)
  afterAll(() => run?.stop())

  /** Attacks a pod as an intruder would; gives the response that waits for approval. */
  async function attack(pod: AttackedPod, show: (part: string, text: string) => void) {
    const played = await run.lanner(ann, 'simulate', 'crypto-miner', '--cgroup', pod.cgroup)
    expect(played).toMatchObject({ code: 0 })
    show('simulation', played.out.trim())
    const waiting = await until('a plan that waits', async () =>
      run.said(pod).find((one) => one.rule === rule && one.type === 'Response Planned'),
    ).catch((error: Error) => {
      throw new Error([error.message, ...run.logs.slice(-40)].join('\n'))
    })
    const opened = run.incidents(pod).find(({ incident }) => incident.id === waiting.incident)
    expect(opened!.incident).toMatchObject({
      ...{ title: 'Crypto miner', cluster: 'test', node: 'n1', sender: 'verified' },
      pod: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
    })
    show(
      'incident',
      `${opened!.incident.title} in ${pod.namespace}/${pod.name}: ${waiting.incident}`,
    )
    return waiting.response
  }

  const labelsOf = async (pod: AttackedPod) => (await run.cluster.pod(pod))?.metadata.labels

  it('that is stopped before it acts changes nothing; after that others go on', async () => {
    const pod = await run.cluster.deploy('shop-stopped')
    const response = await attack(pod, () => {})
    const labels = await labelsOf(pod)
    const reasonGiven = ['--reason', 'we look at it ourselves']
    expect(await run.lanner(bob, 'respond', 'stop', ...reasonGiven)).toMatchObject({ code: 1 })
    expect(await run.lanner(ann, 'respond', 'stop', ...reasonGiven)).toEqual({
      ...{ code: 0, out: 'all responses are stopped\n', err: '' },
    })
    const { planHash } = await run.show(response)
    const because = `all responses are stopped by ${ann.arn}: we look at it ourselves`
    expect(await run.lanner(ann, 'approve', response, '--plan', planHash)).toEqual({
      ...{ code: 1, out: '', err: `lanner approve: approved, but it is stopped now: ${because}\n` },
    })
    const line = await run.line(pod, response, 'Response Failed')
    expect(line.text).toBe(because)
    expect(await run.show(response)).toMatchObject({ phase: 'closed', ending: 'stopped' })
    expect(await labelsOf(pod)).toEqual(labels)
    expect(await run.cluster.policies(pod, response)).toEqual([])
    expect(await run.lanner(ann, 'respond', 'go', '--reason', 'we looked')).toEqual({
      ...{ code: 0, out: 'responses go on\n', err: '' },
    })
  })

  it.concurrent.each([
    ['silent', 'contained', async () => async () => {}],
    ['holding a connection', 'partially_contained', hold],
    ['connecting again', 'unenforced', connectAgain],
  ] as const)('to a pod that is %s ends as %s', async (what, outcome, goOn) => {
    const story: string[] = []
    const show = (part: string, text: string) => void story.push(`${part.padEnd(12)}${text}`)
    const pod = await run.cluster.deploy(`shop-${outcome.replaceAll('_', '-')}`)
    const end = await goOn(pod)
    try {
      const response = await attack(pod, show)

      // plan: nothing is changed yet
      const planned = await run.show(response)
      expect(planned).toMatchObject({
        ...{ phase: 'awaiting', residualAllows: [] },
        blastRadius: { services: ['web'], readyReplicas: 1 },
      })
      expect(await labelsOf(pod)).toEqual({ app: 'web' })
      for (const text of planned.does) show('plan', text)
      show('plan', `hash ${planned.planHash}`)

      // approval: of this plan, by who may, and once
      const approve = (who: typeof ann, hash: string) =>
        run.lanner(who, 'approve', response, '--plan', hash)
      expect(await approve(bob, planned.planHash)).toMatchObject({
        ...{ code: 1, err: `lanner approve: ${bob.arn} may not decide this\n` },
      })
      expect(await approve({ ...ann, secretAccessKey: 'guessed' }, planned.planHash)).toMatchObject(
        { code: 1, err: 'lanner approve: STS does not know the signature (403)\n' },
      )
      expect(await approve(ann, '0'.repeat(64))).toMatchObject({ code: 1 })
      expect(await labelsOf(pod)).toEqual({ app: 'web' })
      await run.recorded()
      expect(await approve(ann, planned.planHash)).toEqual({
        ...{ code: 0, out: 'approved: it is verifying now\n', err: '' },
      })
      show('approval', ann.arn)

      // evidence, verified by the command; nobody changes it, and a changed copy is found out
      const { evidence } = await run.show(response)
      const bucket = run.stack.names.name('evidence')
      const verify = () =>
        run.lanner(
          ...([ann, 'evidence', 'verify', `s3://${bucket}/${evidence!.manifest}`] as const),
          ...(['--head', evidence!.head] as const),
        )
      const verified = await verify()
      expect(verified).toMatchObject({ code: 0 })
      show(
        'evidence',
        `${verified.out.trim().split('\n').at(-1)}, last hash ${evidence!.head.slice(0, 12)}…`,
      )
      const manifest = JSON.parse(await run.evidence(evidence!.manifest)) as {
        entries: { name: string; key: string }[]
        missing: string[]
      }
      const key = (name: string) => manifest.entries.find((entry) => entry.name === name)!.key
      expect(await run.evidence(key('pod.json'))).not.toContain('hunter2')
      expect(await run.evidence(key('detections.ndjson'))).toContain('Crypto miner')
      const log = await run.evidence(key('logs-app.txt'))
      expect(log).toContain('ran /tmp/xmrig')
      expect(log).not.toContain('hunter2')
      expect(manifest.missing).toEqual([expect.stringContaining('logs-app-previous.txt: ')])
      expect(JSON.parse(await run.evidence(key('recorded.json'))).events).toBeGreaterThan(0)
      expect(await run.evidence(key('processes.json'))).toContain('xmrig')
      await expect(run.overwrite(key('processes.json'), '[]')).rejects.toThrow()
      const copy = await run.copyEvidence(evidence!.manifest)
      const verifyCopy = () =>
        run.lanner(
          ann,
          'evidence',
          'verify',
          join(copy, evidence!.manifest),
          '--head',
          evidence!.head,
        )
      expect(await verifyCopy()).toMatchObject({ code: 0 })
      writeFileSync(join(copy, key('processes.json')), '[]')
      expect(await verifyCopy()).toMatchObject({ code: 1 })
      rmSync(copy, { recursive: true })

      // quarantine: by roles of its class alone; the ReplicaSet lets the pod go and makes another one
      const short = response.slice(0, 12)
      expect(await labelsOf(pod)).toMatchObject({ [quarantineLabel]: short })
      expect(await labelsOf(pod)).not.toHaveProperty('app')
      expect(await run.cluster.policies(pod, response)).toHaveLength(2)
      const sessions = run.sts.assumed.filter((line) => line.endsWith(`lanner-${short}`))
      expect(new Set(sessions.map((line) => line.split(/[/ ]/)[1]))).toEqual(
        new Set(['read', 'mark', 'contain'].map((risk) => `lanner-respond-${risk}-test`)),
      )
      await until('a pod in its place', async () => {
        const left = (await run.cluster.pod(pod))?.metadata.ownerReferences === undefined
        return (left && (await run.cluster.pods(pod.namespace)).length === 3) || undefined
      })
      show('quarantine', `${pod.name} is cut off; its ReplicaSet let it go and made another`)

      // proof: what the sensor of the node saw of it since
      const proof = await run.line(pod, response, 'Response Verified')
      expect(proof.outcome, proof.text).toBe(outcome)
      show('proof', proof.text)

      // expiry and undo
      const over = await run.line(pod, response, 'Response Expired')
      show('undo', over.text)
      const shown = await run.lanner(ann, 'incident', over.incident)
      expect(shown).toMatchObject({ code: 0 })
      for (const { text } of run.said(pod)) expect(shown.out).toContain(text)
      expect(await run.show(response)).toMatchObject({ phase: 'closed', ending: 'expired' })
      const back = await labelsOf(pod)
      // one too many now: the controller takes the marked pod first, or has done so already
      if (back !== undefined) expect(back).toMatchObject({ app: 'web' })
      if (back !== undefined) expect(back).not.toHaveProperty(quarantineLabel)
      expect(await run.cluster.policies(pod, response)).toEqual([])
      await until('two pods', async () => {
        return (await run.cluster.pods(pod.namespace)).length === 2 || undefined
      })
    } finally {
      await end()
      // the run that lambdas/respond/README.md walks through
      const text = `\n${what}:\n${story.join('\n')}\n`
      if (process.env['LANNER_SHOW'] === '1') process.stdout.write(text)
    }
  })
})

/** A process of the pod that has a connection from before, and sends on it. */
async function hold({ cgroup }: AttackedPod): Promise<() => Promise<void>> {
  const steps = ['cgroup', cgroup, '--', 'network', pool, '--', 'hold', pool, '3333']
  const holder = spawn(actor, steps, { stdio: ['pipe', 'ignore', 'inherit'] })
  return async () => {
    expect(holder.exitCode).toBeNull()
    const ended = once(holder, 'exit')
    holder.stdin.end()
    await ended
  }
}

/** The pod makes connections again and again, and nothing keeps it from that. */
async function connectAgain({ cgroup }: AttackedPod): Promise<() => Promise<void>> {
  let isOver = false
  const steps = ['cgroup', cgroup, '--', 'network', pool, '--', 'connect', pool, '3333']
  const connecting = (async () => {
    while (!isOver) {
      await act(...steps)
      await new Promise((resolve) => setTimeout(resolve, 1000))
    }
  })()
  return async () => {
    isOver = true
    await connecting
  }
}
