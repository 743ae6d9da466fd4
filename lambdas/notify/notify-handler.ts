import { randomUUID } from 'node:crypto'
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { MetricUnit } from '@aws-lambda-powertools/metrics'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { S3Client } from '@aws-sdk/client-s3'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import middy from '@middy/core'
import { createTextRedactor } from '#redact'
import { Bus } from '../shared/bus.ts'
import { detailTypes } from '../shared/bus-messages.ts'
import { readEnv, type StageContract } from '../shared/contract.ts'
import type { DeliveryEnvelope } from '../shared/delivery-envelope.ts'
import { DynamoStateStore } from '../shared/dynamo-store.ts'
import { observe } from '../shared/observe.ts'
import type { Told } from '../shared/route-subject.ts'
import { RoutesInForce } from '../shared/routes-in-force.ts'
import { RuleSets } from '../shared/rule-sets/rule-sets.ts'
import { makeNotice, type Notice, type NoticeContext } from './content/index.ts'
import { Deliver } from './delivery/deliver.ts'
import { OpenDestinations } from './delivery/open-destinations.ts'
import { Secrets } from './delivery/secrets.ts'
import type { MakeSender } from './delivery/sender.ts'

/** Messages of a queue, as Lambda hands them over. */
interface QueueEvent {
  readonly Records: readonly { readonly messageId: string; readonly body: string }[]
}

type Runbooks = Pick<NoticeContext, 'runbooks' | 'runbookOf'>

/** What SQS keeps a message back for at most. */
const longestDelay = 900

/** The handler of a kind of destinations, from its queue; all kinds share the way of delivery. */
export function notifyHandler(contract: StageContract, make: MakeSender) {
  const env: Readonly<Record<string, string>> = readEnv(contract, process.env)
  const { logger, metrics } = observe(contract.stage)
  const sqs = new SQSClient()
  const s3 = new S3Client()
  const count = (name: string) => metrics.addMetric(name, MetricUnit.Count, 1)
  const onProblem = (problem: string, error: unknown) => {
    count('ConfigurationProblems')
    logger.error(problem, error as Error)
  }
  const sources = { s3, bucket: env['RULES_BUCKET']!, now: () => performance.now(), onProblem }
  const routes = new RoutesInForce(sources)
  const runbooks = new RuleSets({
    ...sources,
    prepare: ({ runbooks, runbookOf }) => ({ runbooks, runbookOf }),
  })
  const secrets = new Secrets({ client: new SecretsManagerClient(), now: Date.now })
  const senders = new OpenDestinations(make, secrets, Date.now)
  const bus = new Bus({
    ...{ client: new EventBridgeClient(), bus: env['BUS']!, s3, bucket: env['LAKE_BUCKET']! },
    ...{ sqs, deadLetters: env['DEAD_LETTERS']! },
  })

  /** An alert without its runbook is better than none. */
  async function runbooksOf(cluster: string): Promise<Runbooks> {
    try {
      return await runbooks.of(cluster)
    } catch (error) {
      onProblem(`there are no runbooks for the cluster "${cluster}"`, error)
      return { runbooks: {} }
    }
  }

  async function noticeOf(told: Told): Promise<Notice> {
    const { redact, links } = await routes.current()
    const cluster = told.about === 'incident' ? told.message.incident.cluster : undefined
    return makeNotice(told, {
      ...{ redactor: createTextRedactor(redact), links },
      ...(cluster === undefined ? { runbooks: {} } : await runbooksOf(cluster)),
    })
  }

  const deliver = new Deliver({
    store: new DynamoStateStore({ table: env['TABLE']! }),
    destinationOf: async (name) => {
      const { destinations } = await routes.current()
      const found = destinations.find((destination) => destination.name === name)
      return found && senders.open(found)
    },
    noticeOf,
    later: async (envelope, afterMs) => {
      await sqs.send(
        new SendMessageCommand({
          ...{ QueueUrl: env['QUEUE'], MessageBody: JSON.stringify(envelope) },
          DelaySeconds: Math.min(longestDelay, Math.max(0, Math.ceil(afterMs / 1000))),
        }),
      )
    },
    bury: async (envelope, reason) => {
      logger.error('a message is given up', { destination: envelope.destination, reason })
      const body = JSON.stringify({ ...envelope, reason })
      await sqs.send(new SendMessageCommand({ QueueUrl: env['DEAD'], MessageBody: body }))
    },
    announce: async (detail) => {
      logger.warn('a destination changed', { detail })
      await bus.put([{ type: detailTypes.delivery, detail, time: detail.time }])
    },
    count,
    now: Date.now,
    random: Math.random,
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    token: randomUUID,
  })

  async function take(body: string): Promise<void> {
    const { reason: _, ...envelope } = JSON.parse(body) as DeliveryEnvelope & { reason?: string }
    await deliver.deliver(envelope)
    const { incident } = (envelope.detail ?? {}) as { incident?: { last?: string } }
    const age = Date.now() - Date.parse(incident?.last ?? '')
    if (envelope.attempt === 0 && age >= 0) {
      metrics.addMetric('EventToDelivery', MetricUnit.Milliseconds, age)
    }
  }

  return middy(async ({ Records }: QueueEvent) => {
    const results = await Promise.allSettled(Records.map(({ body }) => take(body)))
    const batchItemFailures: { itemIdentifier: string }[] = []
    for (const [at, result] of results.entries()) {
      if (result.status === 'fulfilled') continue
      count('Unhandled')
      logger.error('a message could not be dealt with', result.reason as Error)
      batchItemFailures.push({ itemIdentifier: Records[at]!.messageId })
    }
    return { batchItemFailures }
  })
    .use(injectLambdaContext(logger))
    .use(logMetrics(metrics))
}
