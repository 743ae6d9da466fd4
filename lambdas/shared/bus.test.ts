import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge'
import { CreateBucketCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { startFauxqs } from 'fauxqs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { testCredentials } from '#testing/aws/faults.ts'
import { EventBus } from '../../infra/local/event-bus.ts'
import { Bus, type BusMessage } from './bus.ts'

let server: Awaited<ReturnType<typeof startFauxqs>>
let bus: EventBus
let sink: Bus
let queue = ''
let queues = 0
let seen: { type: string; detail: Record<string, unknown>; time: string }[] = []
const clients: { destroy(): void }[] = []

const common = { region: 'us-east-1', credentials: testCredentials, maxAttempts: 1 }

let s3: S3Client
let sqs: SQSClient

beforeAll(async () => {
  server = await startFauxqs({ port: 0, logger: false })
  const endpoint = `http://127.0.0.1:${server.port}`
  s3 = new S3Client({ ...common, endpoint, forcePathStyle: true })
  sqs = new SQSClient({ ...common, endpoint })
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
})
afterAll(async () => {
  s3.destroy()
  sqs.destroy()
  await server.stop()
})
beforeEach(async () => {
  seen = []
  const target = 'arn:aws:sqs:us-east-1:000000000000:all'
  bus = await EventBus.start({
    targets: new Map([
      [
        target,
        (event) =>
          void seen.push({
            ...{ type: event['detail-type'], time: event.time },
            detail: event.detail as Record<string, unknown>,
          }),
      ],
    ]),
  })
  const client = new EventBridgeClient({
    ...{ ...common, endpoint: bus.endpoint },
    requestHandler: new NodeHttpHandler(),
  })
  clients.push(client)
  const EventPattern = JSON.stringify({ source: ['lanner'] })
  const EventBusName = 'lanner'
  await client.send(new PutRuleCommand({ Name: 'all', EventBusName, EventPattern }))
  const Targets = [{ Id: 'x', Arn: target }]
  await client.send(new PutTargetsCommand({ Rule: 'all', EventBusName, Targets }))
  queues += 1
  const made = await sqs.send(new CreateQueueCommand({ QueueName: `dead-${queues}` }))
  queue = made.QueueUrl!
  sink = new Bus({
    ...{ client, bus: 'lanner', s3, bucket: 'lake', sqs, deadLetters: queue },
    ...{ sleep: async () => {}, random: () => 0.5 },
  })
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await bus.stop()
})

const message = (id: string, more: Record<string, unknown> = {}): BusMessage => ({
  ...{ type: 'Detection', detail: { id, ...more } },
})
const dead = async () => {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: queue, MaxNumberOfMessages: 10 }),
  )
  return Messages.map(({ Body }) => JSON.parse(Body!))
}

describe('messages for the bus', () => {
  it('arrive ten a call', async () => {
    await sink.put(Array.from({ length: 25 }, (_, at) => message(`m${at}`)))
    await bus.settle()
    expect(seen.map(({ detail }) => detail['id']).sort()).toEqual(
      Array.from({ length: 25 }, (_, at) => `m${at}`).sort(),
    )
    expect(sink.counts).toMatchObject({ put: 25, retries: 0, dead: 0 })
  })

  it('that fail are put again alone, until they are taken', async () => {
    const failures = new Map([
      ['m3', 2],
      ['m7', 1],
    ])
    bus.faults.entry = (_, detail) => {
      const { id } = JSON.parse(detail)
      const left = failures.get(id) ?? 0
      failures.set(id, left - 1)
      return left > 0 ? 'InternalFailure' : undefined
    }
    await sink.put(Array.from({ length: 10 }, (_, at) => message(`m${at}`)))
    await bus.settle()
    expect(seen).toHaveLength(10)
    expect(sink.counts).toMatchObject({ put: 10, retries: 2, dead: 0 })
  })

  it('that are never taken lie among the dead letters, whole and with the reason', async () => {
    bus.faults.entry = (_, detail) =>
      JSON.parse(detail).id === 'bad' ? 'ThrottlingException' : undefined
    await sink.put([message('good'), message('bad', { text: 'kept' })])
    await bus.settle()
    expect(seen.map(({ detail }) => detail['id'])).toEqual(['good'])
    const [letter] = await dead()
    expect(letter.reason).toBe('ThrottlingException')
    expect(JSON.parse(letter.entry.Detail)).toEqual({ id: 'bad', text: 'kept' })
    expect(sink.counts).toMatchObject({ put: 1, dead: 1 })
  })

  it('reject when nobody takes them', async () => {
    bus.faults.entry = () => 'InternalFailure'
    const lost = new Bus({
      ...{ client: clients[0] as EventBridgeClient, bus: 'lanner', s3, bucket: 'lake', sqs },
      ...{ deadLetters: `${queue}-gone`, sleep: async () => {} },
    })
    await expect(lost.put([message('m')])).rejects.toThrow()
  })

  it('that are too long are cut, marked, and lie in the lake in full', async () => {
    const text = 'x'.repeat(400_000)
    await sink.put([message('long', { text, short: 'y' })])
    await bus.settle()
    const { detail } = seen[0]!
    expect(detail).toMatchObject({ id: 'long', short: 'y', cut: ['text'] })
    expect(detail['full']).toBe('s3://lake/oversized/long.json')
    const { Body } = await s3.send(
      new GetObjectCommand({ Bucket: 'lake', Key: 'oversized/long.json' }),
    )
    expect(JSON.parse(await Body!.transformToString())).toEqual({ id: 'long', text, short: 'y' })
  })
})
