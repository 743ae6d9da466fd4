import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { startFauxqs } from 'fauxqs'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { stubAws } from '#testing/aws/environment.ts'
import { runLanner } from '#testing/run-lanner.ts'
import { EventBus } from '../infra/local/event-bus.ts'

let server: Awaited<ReturnType<typeof startFauxqs>>
let bus: EventBus
let sqs: SQSClient

beforeAll(async () => {
  server = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1' })
  bus = await EventBus.start()
  stubAws({ sqs: `http://127.0.0.1:${server.port}`, eventbridge: bus.endpoint })
  sqs = new SQSClient()
  for (const QueueName of ['alerts', 'alerts-dead', 'bus-dead']) {
    await sqs.send(new CreateQueueCommand({ QueueName }))
  }
})
afterAll(async () => {
  sqs.destroy()
  vi.unstubAllEnvs()
  await bus.stop()
  await server.stop()
})

const lanner = (...args: string[]) => runLanner('redrive', ...args)

const url = (queue: string) => `http://127.0.0.1:${server.port}/000000000000/${queue}`
const send = (queue: string, body: object) =>
  sqs.send(new SendMessageCommand({ QueueUrl: url(queue), MessageBody: JSON.stringify(body) }))
const bodies = async (queue: string) => {
  const receive = { QueueUrl: url(queue), MaxNumberOfMessages: 10, VisibilityTimeout: 0 }
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(receive))
  return Messages.map(({ Body = '' }) => JSON.parse(Body))
}

it('what was given up begins anew in the queue it came from', async () => {
  const envelope = { destination: 'chat', detailType: 'Incident Opened', detail: { id: 'm1' } }
  const used = { since: 5, attempt: 17, notBefore: 9, hasTurn: true, reason: 'it answered 404' }
  await send('alerts-dead', { ...envelope, ...used })
  const listed = await lanner('alerts-dead', '--list')
  expect(listed.out).toMatch(/chat {2}Incident Opened {2}it answered 404\n/)
  expect(await bodies('alerts')).toEqual([])
})

it('goes on its way once', async () => {
  const envelope = { destination: 'chat', detailType: 'Incident Opened', detail: { id: 'm2' } }
  await send('alerts-dead', { ...envelope, since: 5, attempt: 17, notBefore: 9, reason: 'x' })
  const { code, err } = await lanner('alerts-dead')
  expect([code, err]).toEqual([0, 'lanner: 1 message on the way again\n'])
  const [again] = await bodies('alerts')
  expect(again).toEqual({ ...envelope, attempt: 0, since: expect.any(Number) })
  expect(again.since).toBeGreaterThan(5)
})

it('what the bus did not take goes to the bus', async () => {
  const entry = { Source: 'lanner', DetailType: 'Incident Opened', Detail: '{"id":"m3"}' }
  await send('bus-dead', { reason: 'ThrottlingException', entry })
  expect((await lanner('bus-dead')).code).toBe(0)
  expect(bus.counts.taken).toBe(1)
  expect(await bodies('bus-dead')).toEqual([])
})

it('says what is wrong', async () => {
  expect((await lanner()).code).toBe(2)
  expect((await lanner('nothing-dead')).err).toMatch(/there is no queue "nothing-dead" here/)
  expect((await lanner('alerts')).err).toMatch(/--to is needed/)
})
