import { describe, expect, it } from 'vitest'
import { addObservations, readExpectations } from '../../shared/expectations.ts'
import { verifyEvidence } from '../evidence/manifest.ts'
import { FakeKube } from '../testing/fake-kube.ts'
import { Crash, type Death, incidentMessage, ResponseWorld } from '../testing/response-world.ts'
import type { ResponseState } from './response-state.ts'

const podPath = '/api/v1/namespaces/shop/pods/web'

/** A policy of one action, or of all that can be undone. */
function policyOf(actions: readonly string[]): string {
  return `
- rule: r
  match: {rules: [Shell]}
  expires: 1h
  actions:
${actions.map((action) => `    - ${action}`).join('\n')}
- {mode: auto}
`
}

const actions: Readonly<Record<string, readonly string[]>> = {
  describe: ['{action: a, actionner: kubernetes:describe}'],
  logs: ['{action: a, actionner: kubernetes:log}'],
  label: ['{action: a, actionner: kubernetes:label, parameters: {labels: {x: "1", app: ""}}}'],
  annotate: ['{action: a, actionner: kubernetes:annotation, parameters: {annotations: {x: "1"}}}'],
  'label a node': [
    '{action: a, actionner: kubernetes:label, parameters: {level: node, labels: {x: "1"}}}',
  ],
  quarantine: ['{action: a, actionner: "lanner:quarantine"}'],
  cordon: ['{action: a, actionner: kubernetes:cordon}'],
  evict: ['{action: a, actionner: kubernetes:evict}'],
  terminate: [
    '{action: a, actionner: kubernetes:terminate, parameters: {ignore_standalone_pods: false}}',
  ],
  lambda: ['{action: a, actionner: aws:lambda, parameters: {aws_lambda_name: f}}'],
  webhook: ['{action: a, actionner: "lanner:webhook", parameters: {url: "https://example.org"}}'],
  'all of them': [
    '{action: a, actionner: kubernetes:describe}',
    '{action: b, actionner: kubernetes:label, parameters: {labels: {x: "1"}}}',
    '{action: c, actionner: kubernetes:cordon}',
    '{action: d, actionner: "lanner:quarantine"}',
    '{action: e, actionner: "lanner:webhook", parameters: {url: "https://example.org"}}',
  ],
}

function cluster(): FakeKube {
  const kube = new FakeKube()
  const ready = { conditions: [{ type: 'Ready', status: 'True' }] }
  kube.put('/api/v1/namespaces/shop', { metadata: { name: 'shop' } })
  for (const name of ['n1', 'n2']) {
    kube.put(`/api/v1/nodes/${name}`, { metadata: { name }, spec: {}, status: ready })
  }
  kube.put('/api/v1/namespaces/shop/services/web', {
    metadata: { name: 'web', namespace: 'shop' },
    spec: { selector: { app: 'web' } },
  })
  kube.put(podPath, {
    metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' }, annotations: {} },
    spec: { nodeName: 'n1', containers: [{ name: 'app' }] },
    status: {
      ...ready,
      containerStatuses: [{ name: 'app', containerID: 'containerd://0123456789abcdef' }],
    },
  })
  return kube
}

/** The cluster without what grows with every write. */
function shape(kube: FakeKube) {
  return Object.fromEntries(
    [...kube.objects].map(([path, { metadata, ...rest }]) => {
      const { resourceVersion: _, ...stays } = metadata
      return [path, { metadata: stays, ...rest }]
    }),
  )
}

/** What was said, each once; hashes of evidence hold the time at which it was collected. */
function told(world: ResponseWorld): string[] {
  return [...new Set(world.story)]
    .map((text) => text.replace(/last hash is [0-9a-f]{64}/, ''))
    .sort()
}

/** Leads a response to its end; whoever leads it first dies as told, and others go on. */
async function live(policy: string, death?: Death) {
  const kube = cluster()
  const world = new ResponseWorld(kube, policy)
  const uid = kube.objects.get(podPath)!.metadata.uid
  const message = incidentMessage({ name: 'web', namespace: 'shop', uid })
  const first = world.responder(death)
  let crashed = 0
  let ids: readonly string[] = []
  const guarded = async (run: () => Promise<unknown>) => {
    try {
      await run()
    } catch (error) {
      if (!(error instanceof Crash)) throw error
      crashed += 1
    }
  }
  await guarded(async () => {
    ids = await first.responder.onIncident(message)
  })
  // the bus brings what was not taken again
  const next = () => (crashed > 0 ? world.responder() : first).responder
  await guarded(async () => {
    ids = await next().onIncident(message)
  })
  let acted: unknown
  for (let round = 0; round < 20; round++) {
    world.time += 61
    const [expectation] = await readExpectations(world.shared, 'test', world.time)
    if (expectation !== undefined) {
      acted ??= shape(kube)
      const { id, from, until } = expectation
      const quiet = { heard: [[from, until] as const], traffic: [], held: [] }
      await addObservations(world.shared, new Map([[id, quiet]]), world.time)
    }
    await guarded(() => next().sweep())
    const { value } = [...(await world.store.read([`response/${ids[0]}`], 0)).values()][0] ?? {}
    const state = value as unknown as ResponseState | undefined
    if (state?.phase === 'holding') {
      acted ??= shape(kube)
      world.time += 3600
    }
    if (state?.phase === 'closed' && state.said === state.lines.length) break
  }
  const { value } = [...(await world.store.read([`response/${ids[0]}`], 0)).values()][0]!
  return {
    kube,
    world,
    state: value as unknown as ResponseState,
    calls: first.calls(),
    crashed,
    acted,
  }
}

describe.each(Object.entries(actions))('a crash in %s', (name, steps) => {
  it('after any call, before and after its effect, changes nothing about how it ends', async () => {
    const policy = policyOf(steps)
    const whole = await live(policy)
    expect(whole.state.phase).toBe('closed')
    expect(whole.calls).toBeGreaterThan(10)
    const isOutside = steps.some((step) => /webhook|lambda/.test(step))
    let ambiguous = 0
    for (let at = 1; at <= whole.calls; at++) {
      for (const after of [false, true]) {
        const { kube, world, state, crashed, acted } = await live(policy, { at, after })
        const where = `${name} ${after ? 'after' : 'before'} call ${at}`
        expect(crashed, where).toBe(1)
        expect(shape(kube), where).toEqual(shape(whole.kube))
        expect(acted === undefined, where).toBe(whole.acted === undefined)
        expect(world.outside.length, where).toBeLessThanOrEqual(isOutside ? 1 : 0)
        if (
          state.ending === 'ambiguous' ||
          state.steps.some(({ status }) => status === 'ambiguous')
        ) {
          ambiguous += 1
          expect(isOutside, where).toBe(true)
        } else {
          expect(state.ending, where).toBe(whole.state.ending)
          // whoever comes after the pod's end finds it gone, and cannot tell by whom
          const isEnd = /evict|terminate/.test(name) && state.steps[0]!.status === 'gone'
          if (!isEnd) {
            expect(state.steps, where).toEqual(whole.state.steps)
            expect(told(world), where).toEqual(told(whole.world))
          }
          expect(world.outside.length, where).toBe(whole.world.outside.length)
        }
        if (state.evidence !== undefined) {
          const text = Buffer.from(world.evidence.get(state.evidence.manifest)!).toString()
          const get = async (key: string) => world.evidence.get(key)
          expect((await verifyEvidence(text, get, state.evidence.head)).problems, where).toEqual([])
          expect(world.evidence.size, where).toBe(whole.world.evidence.size)
        }
        // every id is of one text
        const texts = new Map<string, string>()
        for (const { detail } of world.said) {
          const { id, text } = detail as { id: string; text: string }
          expect(texts.get(id) ?? text, where).toBe(text)
          texts.set(id, text)
        }
      }
    }
    if (isOutside) expect(ambiguous).toBeGreaterThan(0)
  }, 120_000)
})
