import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { PutRecordsCommand } from '@aws-sdk/client-kinesis'
import { type InvocationType, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { CreateScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler'
import { SubscribeCommand } from '@aws-sdk/client-sns'
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startDynamo } from '#testing/dynamodb/start-dynamo.ts'
import { localCredentials } from './clients.ts'
import { functionArn } from './local-lambda.ts'
import { queueArn } from './queue-poller.ts'
import { type LocalOptions, type LocalStack, startLocal } from './start-local.ts'
import { smallHandlers, smallTopology } from './testing/topology.ts'

let stack: LocalStack
let said: string[]
let logged: string[]

async function start(options: LocalOptions = {}): Promise<void> {
  said = []
  logged = []
  stack = await startLocal(smallTopology, {
    ...{ schedules: false, pollMs: 20, deliverySeconds: 0 },
    announce: (message) => said.push(message),
    log: (stage, line) => logged.push(`${stage}: ${line}`),
    ...options,
    overrides: { handlers: smallHandlers, secrets: { secret: 'xyzzy' }, ...options.overrides },
  })
}
beforeEach(() => start())
afterEach(() => stack.stop())

/** Puts texts under one key, so that they stay in order. */
const put = (...texts: string[]) =>
  stack.clients.kinesis.send(
    new PutRecordsCommand({
      StreamName: stack.names.name('stream'),
      Records: texts.map((text) => ({ PartitionKey: 'node-1', Data: Buffer.from(text) })),
    }),
  )
const times = async (what: string) => {
  const TableName = stack.names.name('table')
  const Key = { pk: { S: what }, sk: { S: '.' } }
  const { Item } = await stack.clients.dynamodb.send(new GetItemCommand({ TableName, Key }))
  return Number(Item?.['times']?.N ?? 0)
}
const objects = async (bucket: string) => {
  const Bucket = stack.names.name(bucket)
  const { Contents = [] } = await stack.clients.s3.send(new ListObjectsV2Command({ Bucket }))
  const texts = Contents.map(async ({ Key = '' }) => {
    const { Body } = await stack.clients.s3.send(new GetObjectCommand({ Bucket, Key }))
    return { key: Key, text: await Body!.transformToString() }
  })
  return Promise.all(texts)
}
const messages = async (QueueUrl: string) => {
  const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 })
  const { Messages = [] } = await stack.clients.sqs.send(command)
  return Messages.map(({ Body }) => JSON.parse(Body!))
}

describe('a topology on this machine', () => {
  it('brings a record to the table, the bus, a queue, a topic and the lake', async () => {
    const seen: unknown[] = []
    await stack.listen('bus', { source: ['lanner'] }, ({ detail }) => seen.push(detail))
    const QueueName = 'people'
    const { QueueUrl } = await stack.clients.sqs.send(new CreateQueueCommand({ QueueName }))
    const Subscribe = {
      ...{ TopicArn: stack.names.arn('topic'), Protocol: 'sqs', Endpoint: queueArn(QueueName) },
      Attributes: { RawMessageDelivery: 'true' },
    }
    await stack.clients.sns.send(new SubscribeCommand(Subscribe))

    await put('queue 1', 'async 2', 'other 3', 'bad 4')
    await stack.settle()

    for (const text of ['queue 1', 'async 2', 'other 3']) expect(await times(text)).toBe(1)
    expect(await times('queue queue 1')).toBe(1)
    expect(await times('async async 2')).toBe(1)
    expect(await times('async other 3')).toBe(0)
    expect(seen).toHaveLength(4)
    expect(await messages(QueueUrl!)).toHaveLength(4)
    const lake = await objects('lake')
    const batches = lake.filter(({ key }) => key.startsWith('batches/'))
    expect(batches.map(({ text }) => text).join('')).toBe('queue 1\nasync 2\nother 3\n')
    const now = new Date().toISOString()
    const [year, month, day] = now.split(/[-T]/)
    expect(batches[0]!.key).toContain(`batches/year=${year}/month=${month}/day=${day}/hour=`)
    const failed = lake.find(({ key }) => key.startsWith('failed/'))
    const kept = JSON.parse(failed!.text) as { rawData: string }
    expect(Buffer.from(kept.rawData, 'base64').toString()).toBe('bad 4')
    expect(logged[0]).toMatch(/^relay: {"records":\d}$/)
  })

  it('keeps what a stream could not deliver, with its bytes, and goes on', async () => {
    await put('other 1', 'poison', 'other 2')
    await stack.settle()
    expect([await times('other 1'), await times('other 2')]).toEqual([1, 1])
    const [failure, ...more] = await objects('failures')
    expect(more).toEqual([])
    const { payload, requestContext } = JSON.parse(failure!.text)
    expect(requestContext.condition).toBe('RetryAttemptsExhausted')
    const { Records } = JSON.parse(payload)
    expect(Buffer.from(Records[0].kinesis.data, 'base64').toString()).toBe('poison')
  })

  it('starts a function anew that ended itself or was out of time', async () => {
    await put('other 1', 'exit', 'other 2', 'hang', 'other 3')
    await stack.settle()
    expect(await Promise.all(['other 2', 'other 3'].map(times))).toEqual([1, 1])
    expect(await times('other 1')).toBeGreaterThanOrEqual(1)
    const { counts } = stack.lambdas.get('relay')!
    expect(counts.ended).toBeGreaterThanOrEqual(4)
    expect(counts.coldStarts).toBeGreaterThan(counts.ended)
    expect(said.join('\n')).toContain('Runtime exited with error: exit status 3')
    expect(said.join('\n')).toContain('Task timed out after 5.00 seconds')
    expect(await objects('failures')).toHaveLength(2)
  })

  it('brings messages again that a function refused, and then to the dead-letter queue', async () => {
    await put('queue refused', 'queue fine')
    await stack.settle()
    expect(await times('queue queue refused')).toBe(2)
    expect(await times('queue queue fine')).toBe(1)
    expect(await stack.depth('work-dead')).toBe(1)
  })

  it('retries asynchronous invocations twice, then keeps them with the reason', async () => {
    await put('async refused', 'async fine')
    await stack.settle()
    expect(await times('async async refused')).toBe(3)
    expect(await times('async async fine')).toBe(1)
    const [dead] = await messages(stack.names.queueUrl('dead'))
    expect(dead).toMatchObject({
      requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 3 },
      requestPayload: { detail: { text: 'async refused' } },
      responsePayload: { errorType: 'Error', errorMessage: 'it is refused' },
    })
  })

  it('invokes functions for who asks for it, as Lambda answers', async () => {
    const lambda = new LambdaClient({
      ...{ region: 'us-east-1', endpoint: stack.endpoints.lambda },
      credentials: localCredentials,
    })
    const invoke = async (FunctionName: string, event: object, InvocationType?: InvocationType) => {
      const Payload = Buffer.from(JSON.stringify(event))
      const asked = new InvokeCommand({
        FunctionName,
        Payload,
        ...(InvocationType && { InvocationType }),
      })
      const { StatusCode, FunctionError, Payload: answer } = await lambda.send(asked)
      return [StatusCode, FunctionError, Buffer.from(answer ?? []).toString()]
    }
    const name = stack.names.functionName('keeper')
    expect(await invoke(name, { once: 'secret' })).toEqual([200, undefined, '"xyzzy"'])
    const [status, error, body] = await invoke(functionArn(name), { detail: { text: 'refused' } })
    expect([status, error]).toEqual([200, 'Unhandled'])
    expect(JSON.parse(body as string)).toMatchObject({ errorMessage: 'it is refused' })
    expect(await invoke(name, { once: 'later' }, 'Event')).toEqual([202, undefined, ''])
    await stack.settle()
    expect(await times('async later')).toBe(1)
    expect(await invoke(name, { once: 'never' }, 'DryRun')).toEqual([204, undefined, ''])
    expect(await times('async never')).toBe(0)
    await expect(invoke('lanner-nobody', {})).rejects.toThrow('Function not found: lanner-nobody')
    lambda.destroy()
  })

  it('runs schedules, once and again, and events of AWS', async () => {
    stack.bus.emit('aws.ec2', 'EC2 Spot Instance Interruption Warning', {})
    await stack.runSchedule('keeper', Date.UTC(2026, 0, 1))
    const scheduler = new SchedulerClient({
      ...{ region: 'us-east-1', endpoint: stack.endpoints.scheduler },
      credentials: localCredentials,
    })
    await scheduler.send(
      new CreateScheduleCommand({
        ...{ Name: 'expire-1', GroupName: stack.names.value({ of: 'later' }) },
        ScheduleExpression: 'at(2100-01-01T00:00:00)',
        FlexibleTimeWindow: { Mode: 'OFF' },
        ActionAfterCompletion: 'DELETE',
        Target: {
          Arn: stack.names.value({ of: 'later', what: 'target' }),
          RoleArn: stack.names.value({ of: 'later', what: 'role' }),
          Input: JSON.stringify({ once: 'expire' }),
        },
      }),
    )
    await stack.services.schedules.runUntil(Date.UTC(2099, 11, 31, 23, 59, 59))
    expect(stack.services.schedules.list()).toHaveLength(1)
    await stack.services.schedules.runUntil(Date.UTC(2100, 0, 1))
    await stack.settle()
    expect(stack.services.schedules.list()).toEqual([])
    expect(await times('async expire')).toBe(1)
    expect(await times('async Scheduled Event')).toBe(1)
    expect(await times('async EC2 Spot Instance Interruption Warning')).toBe(1)
    expect(await stack.invoke('keeper', { once: 'secret' })).toBe('xyzzy')
    scheduler.destroy()
  })
})

describe('a part of a topology', () => {
  it('runs with some of the functions, and services that were there before', async () => {
    await stack.stop()
    const dynamo = await startDynamo()
    await start({ stages: ['relay'], endpoints: { dynamodb: dynamo.endpoint } })
    await put('queue 1')
    await vi.waitFor(async () => expect(await stack.depth('work')).toBe(1), 60_000)
    expect(dynamo.counts.requests).toBeGreaterThan(0)
    await expect(stack.invoke('keeper', {})).rejects.toThrow('no function keeper runs here')
    await dynamo.stop()
  })

  it('is up in a second', async () => {
    await stack.stop()
    const begin = performance.now()
    await start()
    const took = performance.now() - begin
    console.log(`up in ${took.toFixed(0)} ms`)
    expect(took).toBeLessThan(3000)
  })
})
