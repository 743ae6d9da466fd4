import { PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { PublishCommand } from '@aws-sdk/client-sns'
import { SendMessageCommand } from '@aws-sdk/client-sqs'
import type { EventPattern, FunctionSpec, Topology, Trigger } from '../topology/types.ts'
import { AsyncInvocations } from './async-invocations.ts'
import type { LocalClients } from './clients.ts'
import type { Clock } from './clock.ts'
import { DeliveryStream } from './delivery.ts'
import type { BusTarget } from './event-bus.ts'
import { EventSourceMapping } from './event-source-mapping.ts'
import type { LocalLambda } from './local-lambda.ts'
import type { LocalNames } from './local-names.ts'
import { QueuePoller } from './queue-poller.ts'

/** What the wiring of a topology needs, and fills. */
export interface Wiring {
  readonly topology: Topology
  readonly names: LocalNames
  readonly clients: LocalClients
  readonly lambdas: ReadonlyMap<string, LocalLambda>
  /** Targets of the bus by ARN. */
  readonly targets: Map<string, BusTarget>
  readonly clock: Clock
  readonly announce: (message: string) => void
  /** Milliseconds between two looks at an idle shard. */
  readonly pollMs: number
  readonly deliverySeconds: number
}

/** What moves events, once it is started. */
export interface Wires {
  readonly mappings: ReadonlyMap<string, EventSourceMapping>
  readonly pollers: readonly { readonly queue: string; readonly poller: QueuePoller }[]
  readonly deliveries: ReadonlyMap<string, DeliveryStream>
  readonly asyncs: ReadonlyMap<string, AsyncInvocations>
}

/** Puts the triggers, routes and deliveries of a topology into place, as far as their functions are here. */
export async function wireTriggers(wiring: Wiring): Promise<Wires> {
  const { topology, names, lambdas, clients, targets, announce, clock } = wiring
  for (const [name, resource] of Object.entries(topology.resources)) {
    if (resource.kind === 'queue') targets.set(names.arn(name), queueTarget(wiring, name))
    if (resource.kind === 'topic') targets.set(names.arn(name), topicTarget(wiring, name))
  }
  const mappings = new Map<string, EventSourceMapping>()
  const pollers: { queue: string; poller: QueuePoller }[] = []
  const asyncs = new Map<string, AsyncInvocations>()
  for (const spec of topology.functions) {
    const lambda = lambdas.get(spec.stage)
    if (lambda === undefined) continue
    const async = asyncOf(wiring, spec, lambda)
    if (async !== undefined) asyncs.set(spec.stage, async)
    for (const [at, trigger] of spec.triggers.entries()) {
      if (trigger.kind === 'stream') mappings.set(spec.stage, mappingOf(wiring, trigger, lambda))
      if (trigger.kind === 'queue') {
        const { batchSize, windowSeconds, maximumConcurrency } = trigger
        const queueUrl = names.queueUrl(trigger.queue)
        const options = { batchSize, windowSeconds, maximumConcurrency, clock, announce }
        const poller = new QueuePoller({ client: clients.sqs, queueUrl, lambda, ...options })
        pollers.push({ queue: trigger.queue, poller })
      }
      if (trigger.kind === 'bus') {
        const arn = `${names.functionName(spec.stage)}#${at}`
        targets.set(arn, (event) => async!.accept(event))
        await putRule(wiring, `${spec.stage}-${at}`, { ...trigger, arn })
      }
    }
  }
  const deliveries = new Map<string, DeliveryStream>()
  for (const [name, resource] of Object.entries(topology.resources)) {
    if (resource.kind === 'route') {
      await putRule(wiring, name, { ...resource, arn: names.arn(resource.to) })
    }
    const lambda = resource.kind === 'delivery' ? lambdas.get(resource.by) : undefined
    if (resource.kind !== 'delivery' || lambda === undefined) continue
    const delivery = new DeliveryStream({
      ...{ name: names.name(name), kinesis: clients.kinesis, s3: clients.s3, lambda, clock },
      ...{ stream: names.name(resource.from), bucket: names.name(resource.to), announce },
      bufferSeconds: wiring.deliverySeconds,
    })
    deliveries.set(name, delivery)
  }
  for (const mapping of mappings.values()) await mapping.start()
  for (const delivery of deliveries.values()) await delivery.start()
  for (const { poller } of pollers) poller.start()
  return { mappings, pollers, deliveries, asyncs }
}

function mappingOf(
  { names, clients, clock, announce, pollMs }: Wiring,
  trigger: Trigger & { readonly kind: 'stream' },
  lambda: LocalLambda,
): EventSourceMapping {
  const Bucket = names.name(trigger.failures)
  return new EventSourceMapping({
    ...{ client: clients.kinesis, stream: names.name(trigger.stream), function: lambda.target },
    ...{ batchSize: trigger.batchSize, maximumBatchingWindowSeconds: trigger.windowSeconds },
    ...{ parallelizationFactor: trigger.parallelizationFactor, pollMs, clock, announce },
    ...{ reportBatchItemFailures: true, bisectBatchOnFunctionError: true },
    ...{ maximumRetryAttempts: trigger.retries, maximumRecordAgeSeconds: trigger.maxAgeSeconds },
    onFailure: async ({ key, body }) => {
      const Body = JSON.stringify(body)
      await clients.s3.send(new PutObjectCommand({ Bucket, Key: key, Body }))
    },
  })
}

/** A function has one way of being invoked asynchronously, whoever does it. */
function asyncOf(
  { topology, names, clients, clock, announce }: Wiring,
  { stage, triggers }: FunctionSpec,
  lambda: LocalLambda,
): AsyncInvocations | undefined {
  const bus = triggers.find((trigger) => trigger.kind === 'bus')
  const schedule = triggers.find((trigger) => trigger.kind === 'schedule')
  const once = Object.values(topology.resources).find(
    (resource) => resource.kind === 'schedules' && resource.to === stage,
  )
  const dead = bus?.dead ?? schedule?.dead ?? (once as { dead?: string } | undefined)?.dead
  if (dead === undefined) return undefined
  return new AsyncInvocations({
    ...{ lambda, clock, announce, retries: bus?.retries ?? schedule?.retries ?? 2 },
    maxAgeSeconds: Math.min(21_600, bus?.maxAgeSeconds ?? 21_600),
    onFailure: async (record) => {
      const MessageBody = JSON.stringify(record)
      await clients.sqs.send(
        new SendMessageCommand({ QueueUrl: names.queueUrl(dead), MessageBody }),
      )
    },
  })
}

async function putRule(
  { names, clients }: Wiring,
  name: string,
  rule: {
    readonly bus: string
    readonly pattern: EventPattern
    readonly arn: string
    readonly retries: number
    readonly maxAgeSeconds: number
    readonly dead: string
  },
): Promise<void> {
  const EventBusName = rule.bus === '' ? 'default' : names.name(rule.bus)
  const EventPattern = JSON.stringify(rule.pattern)
  await clients.eventbridge.send(new PutRuleCommand({ Name: name, EventBusName, EventPattern }))
  const Targets = [
    {
      ...{ Id: name, Arn: rule.arn, DeadLetterConfig: { Arn: names.arn(rule.dead) } },
      RetryPolicy: {
        MaximumRetryAttempts: rule.retries,
        MaximumEventAgeInSeconds: rule.maxAgeSeconds,
      },
    },
  ]
  const { FailedEntries = [] } = await clients.eventbridge.send(
    new PutTargetsCommand({ Rule: name, EventBusName, Targets }),
  )
  if (FailedEntries.length > 0) throw new Error(`${name}: ${FailedEntries[0]!.ErrorMessage}`)
}

function queueTarget({ names, clients }: Wiring, queue: string): BusTarget {
  const QueueUrl = names.queueUrl(queue)
  return async (event, attributes = {}) => {
    const MessageAttributes = Object.fromEntries(
      Object.entries(attributes).map(([key, StringValue]) => [
        key,
        { DataType: 'String', StringValue },
      ]),
    )
    const MessageBody = JSON.stringify(event)
    await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageAttributes }))
  }
}

function topicTarget({ names, clients }: Wiring, topic: string): BusTarget {
  const TopicArn = names.arn(topic)
  return async (event) => {
    await clients.sns.send(new PublishCommand({ TopicArn, Message: JSON.stringify(event) }))
  }
}
