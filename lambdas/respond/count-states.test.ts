import { expect, it } from 'vitest'
import type { BusMessage } from '../shared/bus.ts'
import { type DetailType, detailTypes } from '../shared/bus-messages.ts'
import { responseStates } from '../shared/metric-dimensions.ts'
import { countStates } from './count-states.ts'
import { FakeKube } from './testing/fake-kube.ts'
import { approver, incidentMessage, policyText, ResponseWorld } from './testing/response-world.ts'

it('counts what a response comes to on its way', async () => {
  const kube = new FakeKube()
  const ready = { conditions: [{ type: 'Ready', status: 'True' }] }
  kube.put('/api/v1/namespaces/shop', { metadata: { name: 'shop' } })
  for (const name of ['n1', 'n2']) {
    kube.put(`/api/v1/nodes/${name}`, { metadata: { name }, spec: {}, status: ready })
  }
  const metadata = { name: 'web', namespace: 'shop', labels: { app: 'web' } }
  const path = '/api/v1/namespaces/shop/pods/web'
  const uid = kube.put(path, { metadata, spec: { nodeName: 'n1' }, status: ready })
  const world = new ResponseWorld(kube, `${policyText}- {mode: approve}\n`)
  const { responder } = world.responder()
  const [id] = await responder.onIncident(incidentMessage({ name: 'web', namespace: 'shop', uid }))
  expect(countStates(world.said)).toEqual({ awaiting: 1 })
  await responder.approve(id!, (await responder.read(id!))!.planHash!, approver)
  world.time += 140
  await responder.sweep()
  world.time += 3600
  await responder.sweep()
  const counts = countStates(world.said)
  expect(counts).toMatchObject({ awaiting: 1, approved: 1, acting: 1, unverified: 1, expired: 1 })
  expect(counts.acted).toBe((await responder.read(id!))!.steps.length)
})

it('knows no state that dashboards do not, and reaches each of theirs', () => {
  const phases = ['new', 'awaiting', 'approved', 'acting', 'verifying', 'holding', 'closed']
  const outcomes = ['contained', 'partially_contained', 'unenforced', 'unverified']
  const message = (type: DetailType, phase: string, outcome?: string) =>
    ({ type, detail: { id: 'x', phase, outcome } }) as BusMessage
  const all = Object.values(detailTypes).flatMap((type) =>
    phases.flatMap((phase) => [
      message(type, phase),
      ...outcomes.map((outcome) => message(type, phase, outcome)),
    ]),
  )
  expect(Object.keys(countStates(all)).sort()).toEqual([...responseStates].sort())
})
