import {
  DescribeRuleCommand,
  EventBridgeClient,
  ListRulesCommand,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
} from '@aws-sdk/client-eventbridge'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { testCredentials } from '#testing/aws/faults.ts'
import type { Clock } from './clock.ts'
import { type BusEvent, type BusTarget, EventBus } from './event-bus.ts'

let bus: EventBus
let client: EventBridgeClient
let got: BusEvent[]
let dead: { event: BusEvent; why: Readonly<Record<string, string>> | undefined }[]
let failures: number
let said: string[]
/** Of the bus: it goes on by what the bus sleeps. */
let clock: Clock
const deadArn = 'arn:aws:sqs:us-east-1:000000000000:dead'
const arn = 'arn:aws:lambda:us-east-1:000000000000:function:notify'

beforeEach(async () => {
  got = []
  dead = []
  said = []
  failures = 0
  let time = Date.UTC(2026, 10, 25, 3, 4, 5, 678)
  clock = {
    now: () => time,
    async sleep(ms) {
      time += ms
    },
  }
  const target = (event: BusEvent) => {
    if (failures > 0) {
      failures -= 1
      throw new Error('the target is down')
    }
    got.push(event)
  }
  bus = await EventBus.start({
    targets: new Map<string, BusTarget>([
      [arn, target],
      [deadArn, (event, why) => void dead.push({ event, why })],
    ]),
    announce: (message) => said.push(message),
    clock,
  })
  client = new EventBridgeClient({
    region: 'us-east-1',
    endpoint: bus.endpoint,
    credentials: testCredentials,
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler(),
  })
})
afterEach(async () => {
  client.destroy()
  await bus.stop()
})

const entry = (detail: unknown, DetailType = 'Detection') => ({
  ...{ Source: 'lanner', DetailType, EventBusName: 'alerts' },
  Detail: typeof detail === 'string' ? detail : JSON.stringify(detail),
})
const put = (...Entries: object[]) => client.send(new PutEventsCommand({ Entries }))
async function rule(Name: string, pattern: unknown, more: object = {}): Promise<void> {
  const EventPattern = JSON.stringify(pattern)
  await client.send(new PutRuleCommand({ Name, EventPattern, EventBusName: 'alerts', ...more }))
  const Targets = [{ Id: '1', Arn: arn }]
  const answer = await client.send(
    new PutTargetsCommand({ Rule: Name, EventBusName: 'alerts', Targets }),
  )
  expect(answer.FailedEntryCount).toBe(0)
}

describe('the event bus', () => {
  it('hands an event to the targets of the rules that match', async () => {
    await rule('critical', { source: ['lanner'], detail: { priority: ['Critical'] } })
    const answer = await put(
      entry({ priority: 'Critical', n: 1 }),
      entry({ priority: 'Notice', n: 2 }),
      {
        ...entry({ priority: 'Critical', n: 3 }),
        Time: new Date('2026-01-02T03:04:05Z'),
        Resources: ['r'],
      },
    )
    await bus.settle()
    expect(answer.FailedEntryCount).toBe(0)
    expect(got).toEqual([
      {
        version: '0',
        id: answer.Entries![0]!.EventId,
        'detail-type': 'Detection',
        source: 'lanner',
        account: '000000000000',
        time: '2026-11-25T03:04:05Z',
        region: 'us-east-1',
        resources: [],
        detail: { priority: 'Critical', n: 1 },
      },
      expect.objectContaining({
        id: answer.Entries![2]!.EventId,
        time: '2026-01-02T03:04:05Z',
        resources: ['r'],
      }),
    ])
    expect(bus.counts).toMatchObject({ taken: 3, refused: 0, delivered: 2 })
  })

  it('keeps rules and targets as told', async () => {
    const pattern = { source: ['lanner'] }
    await rule('all', pattern)
    expect(
      await client.send(new DescribeRuleCommand({ Name: 'all', EventBusName: 'alerts' })),
    ).toMatchObject({
      Arn: 'arn:aws:events:us-east-1:000000000000:rule/alerts/all',
      EventPattern: JSON.stringify(pattern),
      State: 'ENABLED',
    })
    await rule('all', pattern, { State: 'DISABLED' })
    await put(entry({}))
    await rule('all', pattern)
    await put(entry({}))
    await client.send(new RemoveTargetsCommand({ Rule: 'all', EventBusName: 'alerts', Ids: ['1'] }))
    await put(entry({}))
    await bus.settle()
    expect(got).toHaveLength(1)
    const absent = client.send(new DescribeRuleCommand({ Name: 'absent' }))
    await expect(absent).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    const Targets = [{ Id: '2', Arn: 'arn:aws:sqs:us-east-1:000000000000:absent' }]
    const { FailedEntries } = await client.send(
      new PutTargetsCommand({ Rule: 'all', EventBusName: 'alerts', Targets }),
    )
    expect(FailedEntries).toMatchObject([{ TargetId: '2', ErrorCode: 'ResourceNotFoundException' }])
  })

  it('refuses a pattern that is not valid, and what it does not serve', async () => {
    const bad = new PutRuleCommand({ Name: 'bad', EventPattern: '{"source":"lanner"}' })
    await expect(client.send(bad)).rejects.toMatchObject({ name: 'InvalidEventPatternException' })
    const long = JSON.stringify({ source: ['x'.repeat(2048)] })
    const tooLong = client.send(new PutRuleCommand({ Name: 'long', EventPattern: long }))
    await expect(tooLong).rejects.toMatchObject({ name: 'LimitExceededException' })
    await expect(client.send(new ListRulesCommand())).rejects.toThrow(
      'ListRules is not served here',
    )
  })

  it('takes 10 entries in a call', async () => {
    const entries = Array.from({ length: 10 }, () => entry({}))
    expect((await put(...entries)).Entries).toHaveLength(10)
    await expect(put(...entries, entry({}))).rejects.toMatchObject({ name: 'ValidationException' })
    expect(bus.counts.taken).toBe(10)
  })

  it('refuses entries one by one: too large, malformed, without what they need, by a fault', async () => {
    const fits = { x: 'x'.repeat((1 << 20) - 'lannerDetection{"x":""}'.length) }
    bus.faults.entry = (type) => (type === 'Unlucky' ? 'ThrottlingException' : undefined)
    const { FailedEntryCount, Entries } = await put(
      entry(fits),
      entry({ x: `${fits.x}y` }),
      entry('{'),
      entry('[]'),
      { ...entry({}), Source: 'aws.ec2' },
      { ...entry({}), Source: undefined },
      entry({}, 'Unlucky'),
    )
    expect(FailedEntryCount).toBe(6)
    expect(Entries!.map(({ ErrorCode }) => ErrorCode)).toEqual([
      ...[undefined, 'InvalidArgument', 'MalformedDetail', 'MalformedDetail'],
      ...['NotAuthorizedForSourceException', 'InvalidArgument', 'ThrottlingException'],
    ])
    expect(Entries![0]!.EventId).toBeDefined()
    expect(bus.counts).toMatchObject({ taken: 1, refused: 6 })
  })

  it('tries a target three times, then counts the event as not delivered', async () => {
    await rule('all', { source: ['lanner'] })
    failures = 2
    await put(entry({ n: 1 }))
    await bus.settle()
    failures = 3
    await put(entry({ n: 2 }))
    await bus.settle()
    expect(got.map(({ detail }) => detail)).toEqual([{ n: 1 }])
    expect(bus.counts).toMatchObject({ delivered: 1, undelivered: 1 })
    expect(said).toHaveLength(5)
  })

  it('retries as the policy of the target says, then puts the event into its dead-letter queue', async () => {
    await rule('all', { source: ['lanner'] })
    const Targets = [
      {
        ...{ Id: '1', Arn: arn, DeadLetterConfig: { Arn: deadArn } },
        RetryPolicy: { MaximumRetryAttempts: 4, MaximumEventAgeInSeconds: 60 },
      },
    ]
    await client.send(new PutTargetsCommand({ Rule: 'all', EventBusName: 'alerts', Targets }))
    failures = 4
    await put(entry({ n: 1 }))
    await bus.settle()
    failures = 5
    await put(entry({ n: 2 }))
    await bus.settle()
    expect(got.map(({ detail }) => detail)).toEqual([{ n: 1 }])
    expect(dead).toMatchObject([
      {
        event: { detail: { n: 2 } },
        why: {
          RULE_ARN: 'arn:aws:events:us-east-1:000000000000:rule/alerts/all',
          TARGET_ARN: arn,
          EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts',
          RETRY_ATTEMPTS: '4',
        },
      },
    ])
    expect(bus.counts).toMatchObject({ delivered: 1, undelivered: 1, dead: 1 })
  })

  it('tries as long as it may by its own clock, and gives up what is too old', async () => {
    await rule('all', { source: ['lanner'] })
    const RetryPolicy = { MaximumRetryAttempts: 185, MaximumEventAgeInSeconds: 600 }
    const Targets = [{ Id: '1', Arn: arn, DeadLetterConfig: { Arn: deadArn }, RetryPolicy }]
    await client.send(new PutTargetsCommand({ Rule: 'all', EventBusName: 'alerts', Targets }))
    failures = Number.POSITIVE_INFINITY
    const [begin, since] = [clock.now(), performance.now()]
    await put(entry({ n: 1 }))
    await bus.settle()
    expect(dead[0]!.why).toMatchObject({ EXHAUSTED_RETRY_CONDITION: 'MaximumEventAgeInSeconds' })
    expect(clock.now() - begin).toBeGreaterThan(580_000)
    expect(clock.now() - begin).toBeLessThanOrEqual(600_000)
    expect(performance.now() - since).toBeLessThan(10_000)
  })

  it('keeps buses apart, and puts what AWS says on the default one', async () => {
    await rule('all', { source: ['lanner', 'aws.ec2'] })
    const ours = { source: ['aws.ec2'], 'detail-type': ['EC2 Instance State-change Notification'] }
    await client.send(new PutRuleCommand({ Name: 'ends', EventPattern: JSON.stringify(ours) }))
    const Targets = [{ Id: '1', Arn: arn }]
    await client.send(new PutTargetsCommand({ Rule: 'ends', Targets }))
    await put({ ...entry({ n: 1 }), EventBusName: 'other' })
    await put({ ...entry({ n: 2 }), EventBusName: undefined })
    const name = 'arn:aws:events:us-east-1:000000000000:event-bus/alerts'
    await put({ ...entry({ n: 3 }), EventBusName: name })
    bus.emit('aws.ec2', 'EC2 Instance State-change Notification', { 'instance-id': 'i-1' })
    bus.emit('aws.ec2', 'EBS Volume Notification', {})
    await bus.settle()
    expect(got.map(({ detail }) => detail)).toEqual([{ n: 3 }, { 'instance-id': 'i-1' }])
  })
})
