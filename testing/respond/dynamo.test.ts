import { afterAll, beforeAll, expect, it } from 'vitest'
import { Responder } from '../../lambdas/respond/machine/responder.ts'
import { FakeKube } from '../../lambdas/respond/testing/fake-kube.ts'
import {
  approver,
  incidentMessage,
  policyText,
  ResponseWorld,
} from '../../lambdas/respond/testing/response-world.ts'
import { DynamoStateStore } from '../../lambdas/shared/dynamo-store.ts'
import { testCredentials } from '../aws/faults.ts'
import { startDynamo, type TestDynamo } from '../dynamodb/start-dynamo.ts'

let dynamo: TestDynamo
const stores: DynamoStateStore[] = []
beforeAll(async () => {
  dynamo = await startDynamo()
})
afterAll(async () => {
  for (const store of stores) store.close()
  await dynamo?.stop()
})

async function table(name: string): Promise<DynamoStateStore> {
  await dynamo.createTable(name)
  const { endpoint } = dynamo
  const store = new DynamoStateStore({
    ...{ table: name, endpoint, region: 'us-east-1', credentials: testCredentials },
  })
  stores.push(store)
  return store
}

it('a response goes from incident to undo in DynamoDB, found by its deadlines alone', async () => {
  const kube = new FakeKube()
  const ready = { conditions: [{ type: 'Ready', status: 'True' }] }
  kube.put('/api/v1/namespaces/shop', { metadata: { name: 'shop' } })
  for (const name of ['n1', 'n2']) {
    kube.put(`/api/v1/nodes/${name}`, { metadata: { name }, spec: {}, status: ready })
  }
  const path = '/api/v1/namespaces/shop/pods/web'
  const metadata = { name: 'web', namespace: 'shop', labels: { app: 'web' } }
  const uid = kube.put(path, { metadata, spec: { nodeName: 'n1' }, status: ready })
  const world = new ResponseWorld(kube, `${policyText}- {mode: approve}\n`)
  world.time = Math.floor(Date.now() / 1000)
  const { ports } = world.responder()
  const responder = new Responder({
    ...ports,
    ...{ store: await table('responses'), shared: await table('state') },
  })
  const [id] = await responder.onIncident(incidentMessage({ name: 'web', namespace: 'shop', uid }))
  const { planHash } = (await responder.read(id!))!
  expect(await responder.approve(id!, planHash!, approver)).toBeUndefined()
  expect(await responder.read(id!)).toMatchObject({ phase: 'verifying' })
  world.time += 140
  expect(await responder.sweep()).toBe(1)
  expect(await responder.read(id!)).toMatchObject({ phase: 'holding', outcome: 'unverified' })
  expect(await responder.sweep()).toBe(0)
  world.time += 3600
  await responder.sweep()
  expect(await responder.read(id!)).toMatchObject({ phase: 'closed', ending: 'expired' })
  expect(kube.objects.get(path)!.metadata['labels']).toEqual({ app: 'web' })
  world.time += 86_400
  expect(await responder.sweep()).toBe(0)
})
