import { describe, expect, it } from 'vitest'
import { shortId } from '../actions/marks.ts'
import type { KubeRequest } from '../kubernetes/kube.ts'
import { approver } from '../testing/response-world.ts'
import { podAt, Shop } from '../testing/shop.ts'
import type { Manifest } from './manifest.ts'

/** What is missing of the evidence, and how the response is, once it is approved. */
async function approved(shop: Shop) {
  const id = await shop.begin()
  const { planHash } = await shop.read(id)
  await shop.world.responder().responder.approve(id, planHash!, approver)
  const state = await shop.read(id)
  const bytes = shop.world.evidence.get(state.evidence?.manifest ?? '')
  const manifest =
    bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString()) as Manifest)
  return { id, state, manifest }
}

/** A way to the cluster on which some calls never end. */
function hangOn(shop: Shop, isMeant: (request: KubeRequest) => boolean): KubeRequest[] {
  const hung: KubeRequest[] = []
  shop.world.kubesOf = async () => ({
    send(request) {
      if (!isMeant(request)) return shop.faulty.send(request)
      hung.push(request)
      return new Promise(() => {})
    },
  })
  return hung
}

const contained = (shop: Shop, id: string) =>
  expect(shop.labels()).toMatchObject({ 'lanner.dev/quarantine': shortId(id) })

describe('evidence that does not come', () => {
  it('of a kubelet that hangs holds up no containment, and is said to be missing', async () => {
    const shop = new Shop('approve')
    shop.world.evidenceMs = 200
    const hung = hangOn(shop, ({ path }) => path.endsWith('/log'))
    const began = performance.now()
    const { id, state, manifest } = await approved(shop)
    expect(performance.now() - began).toBeLessThan(2000)
    expect(state.phase).toBe('verifying')
    contained(shop, id)
    expect(hung.length).toBeLessThanOrEqual(2)
    expect(manifest!.missing).toEqual(
      expect.arrayContaining(['logs-app.txt: no time', 'logs-app-previous.txt: no time']),
    )
    expect(manifest!.entries.map(({ name }) => name)).toContain('events.json')
    expect(shop.world.story.join()).toContain('logs-app.txt: no time')
  })

  it('of a lake that hangs holds up no containment; what is at hand is kept', async () => {
    const shop = new Shop('approve')
    shop.world.evidenceMs = 200
    Object.defineProperty(shop.world, 'detections', { get: () => new Promise(() => {}) })
    hangOn(shop, ({ path }) => path.endsWith('/networkpolicies') && shop.world.evidence.size > 0)
    const { id, state, manifest } = await approved(shop)
    expect(state.phase).toBe('verifying')
    contained(shop, id)
    const names = manifest!.entries.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['pod.json', 'plan.json', 'images.json']))
    expect(manifest!.missing).toEqual(
      expect.arrayContaining(['policies.json: no time', 'detections.ndjson: no time']),
    )
  })

  it('asks for each log once, whatever the answer', async () => {
    const shop = new Shop('approve')
    let asked = 0
    shop.faulty.fault = ({ path }) => {
      if (!path.endsWith('/log')) return undefined
      asked += 1
      return { timeout: true }
    }
    expect((await approved(shop)).state.phase).toBe('verifying')
    expect(asked).toBe(2)
  })

  it('of events without number that somebody wrote holds up no containment', async () => {
    const shop = new Shop('approve')
    for (let i = 0; i <= 10_000; i++) {
      const path = `/api/v1/namespaces/shop/events/e${i}`
      const metadata = { name: `e${i}`, namespace: 'shop' }
      shop.kube.put(path, { metadata, involvedObject: { uid: shop.uid } })
    }
    const { id, state, manifest } = await approved(shop)
    expect(state.phase).toBe('verifying')
    contained(shop, id)
    expect(manifest!.missing.join()).toContain('events.json: ')
    expect(manifest!.entries.map(({ name }) => name)).not.toContain('events.json')
  })

  it('of the pod itself is waited for: nothing is done without', async () => {
    const shop = new Shop('approve')
    shop.world.evidenceMs = 100
    const id = await shop.begin()
    const { planHash } = await shop.read(id)
    let reads = 0
    // the first is the plan's
    hangOn(shop, ({ method, path }) => method === 'GET' && path === podAt() && ++reads > 1)
    await shop.world.responder().responder.approve(id, planHash!, approver)
    expect(await shop.read(id)).toMatchObject({ phase: 'approved', errors: 1, problem: 'no time' })
    shop.untouched()
  })
})
