import { beforeEach, describe, expect, it } from 'vitest'
import type { Json } from '#correlate'
import { FailingStore, type WriteFailure } from '#testing/failing-store.ts'
import { FakeKube } from '../testing/fake-kube.ts'
import { approver, Crash, incidentMessage, ResponseWorld } from '../testing/response-world.ts'
import { mostLines, mostResponses, noteResponses, readIncidentLines } from './incident-lines.ts'
import type { Line, ResponseState } from './response-state.ts'
import { leaseSeconds } from './response-table.ts'

const incident = 'inc-1'
const policy = (mode: string) => `
- rule: Mark
  match: {rules: [Shell]}
  continue: true
  approve_within: 30m
  actions: [{action: mark, actionner: kubernetes:label, parameters: {labels: {x: "1"}}}]
- rule: Look
  match: {rules: [Shell]}
  actions: [{action: look, actionner: kubernetes:describe}]
- {mode: ${mode}}
`
let kube: FakeKube
let world: ResponseWorld
let uid: string
const message = (id = incident) => incidentMessage({ name: 'web', namespace: 'shop', uid }, { id })
const linesOf = (id = incident) => readIncidentLines(id, world.store, world.time)

beforeEach(() => {
  kube = new FakeKube()
  kube.put('/api/v1/namespaces/shop', { metadata: { name: 'shop' } })
  kube.put('/api/v1/nodes/n1', { metadata: { name: 'n1' }, spec: {} })
  uid = kube.put('/api/v1/namespaces/shop/pods/web', {
    metadata: { name: 'web', namespace: 'shop' },
    spec: { nodeName: 'n1', containers: [{ name: 'app' }] },
  })
  world = new ResponseWorld(kube, policy('approve'))
})

describe('the lines of an incident', () => {
  it('are what its responses say on the bus, each once and in order, whatever comes again', async () => {
    const { responder } = world.responder()
    const ids = await responder.onIncident(message())
    expect(ids).toHaveLength(2)
    world.time += 10
    const { planHash } = (await responder.read(ids[0]!))!
    await responder.approve(ids[0]!, planHash!, approver)
    // the incident comes again, later than what was done about it
    await Promise.all([1, 2, 3].map(() => world.responder().responder.onIncident(message())))
    await world.responder().responder.sweep()
    const { lines, omitted, more } = await linesOf()
    expect([omitted, more]).toEqual([0, 0])
    expect(lines.map(({ response, n }) => `${response}-${n}`).toSorted()).toEqual(
      [...new Set(world.said.map(({ detail }) => detail.id))].toSorted(),
    )
    const own = lines.filter(({ response }) => response === ids[0])
    expect(own.map(({ type, phase }) => `${type} ${phase}`)).toEqual([
      ...['Response Planned awaiting', 'Response Approved approved', 'Response Approved acting'],
      ...['Response Done acting', 'Response Done holding'],
    ])
    expect(lines.map(({ at }) => at)).toEqual(lines.map(({ at }) => at).toSorted())
    expect(lines[0]).toMatchObject({ target: { namespace: 'shop', name: 'web', uid } })
    expect((await linesOf('inc-2')).lines).toEqual([])
  })

  it.each<WriteFailure>(['refused', 'unanswered', 'overtaken'])(
    'are complete after a write that was %s, once the message comes again',
    async (failure) => {
      for (let at = 0; at < 6; at += 1) {
        const store = new FailingStore([...Array.from({ length: at }, () => undefined), failure])
        Object.assign(world, { store })
        world.said.length = 0
        await world
          .responder()
          .responder.onIncident(message())
          .catch(() => {})
        await world.responder().responder.onIncident(message())
        world.time += leaseSeconds + 1
        await world.responder().responder.sweep()
        const { lines } = await linesOf()
        const said = new Set(world.said.map(({ detail }) => detail.id))
        expect(new Set(lines.map(({ response, n }) => `${response}-${n}`)), `${at}`).toEqual(said)
        expect(said.size).toBe(2)
      }
    },
  )

  it('miss no response, wherever its process dies', async () => {
    const { calls, responder } = world.responder()
    await responder.onIncident(message('whole'))
    for (let at = 1; at <= calls.length; at += 1) {
      for (const after of [false, true]) {
        const id = `inc-${at}-${after}`
        const dying = world.responder({ at, after }).responder
        await dying.onIncident(message(id)).catch((error: unknown) => {
          if (!(error instanceof Crash)) throw error
        })
        world.time += leaseSeconds + 1
        await world.responder().responder.sweep(1000)
        await world.responder().responder.onIncident(message(id))
        const { lines } = await linesOf(id)
        expect(new Set(lines.map(({ rule }) => rule)), id).toEqual(new Set(['Mark', 'Look']))
      }
    }
  })

  it('are the first and the last of many', async () => {
    const lines = Array.from(
      { length: 100 },
      (_, at): Line => ({ at, type: 'Response Failed', phase: 'expiring', text: `${at}` }),
    )
    const state = { id: 'r', incident, rule: { name: 'r' }, target: {}, lines }
    await write('response/r', state as unknown as ResponseState)
    await noteResponses(incident, ['r'], world.responder().ports)
    const read = await linesOf()
    expect(read.omitted).toBe(100 - 2 * mostLines)
    const all = [...lines.keys()]
    expect(read.lines.map(({ n }) => n)).toEqual([
      ...all.slice(0, mostLines),
      ...all.slice(-mostLines),
    ])
  })

  it('know a bounded number of responses, and say that there are more', async () => {
    const { ports } = world.responder()
    for (let at = 0; at < mostResponses + 20; at += 1) {
      await noteResponses(incident, [`r${at}`], ports)
    }
    const before = world.store.writes
    await noteResponses(incident, ['r0', 'r1'], ports)
    await noteResponses(incident, ['another'], ports)
    expect(world.store.writes).toBe(before)
    expect((await linesOf()).more).toBeGreaterThan(0)
    expect((await linesOf()).lines).toEqual([])
  })

  it('are none of a response that belongs to another incident', async () => {
    const state = { id: 'r', incident: 'other', rule: { name: 'r' }, target: {}, lines: [{}] }
    await write('response/r', state as unknown as ResponseState)
    await noteResponses(incident, ['r'], world.responder().ports)
    expect((await linesOf()).lines).toEqual([])
  })
})

async function write(key: string, state: ResponseState): Promise<void> {
  const expires = world.time + 1000
  await world.store.write([{ key, value: state as unknown as Json, from: 0, expires }])
}
