import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { MetricUnit } from '@aws-lambda-powertools/metrics'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import { S3Client } from '@aws-sdk/client-s3'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import middy from '@middy/core'
import type { Destination } from '#routes'
import { readEnv } from '../shared/contract.ts'
import type { DeliveryEnvelope } from '../shared/delivery-envelope.ts'
import { DynamoStateStore } from '../shared/dynamo-store.ts'
import { observe } from '../shared/observe.ts'
import { RoutesInForce } from '../shared/routes-in-force.ts'
import { contract, type QueueKind, queueVariable } from './contract.ts'
import { type RoutedEvent, routeMessage } from './route-message.ts'

/** Messages of a queue, as Lambda hands them over. */
interface QueueEvent {
  readonly Records: readonly { readonly messageId: string; readonly body: string }[]
}

const env: Readonly<Record<string, string>> = readEnv(contract, process.env)
const { logger, metrics } = observe(contract.stage)
const sqs = new SQSClient()
const store = new DynamoStateStore({ table: env['TABLE']! })
const routes = new RoutesInForce({
  ...{ s3: new S3Client(), bucket: env['RULES_BUCKET']!, now: () => performance.now() },
  onProblem: (problem, error) => {
    metrics.addMetric('RoutesProblems', MetricUnit.Count, 1)
    logger.error(problem, error as Error)
  },
})

async function send({ kind, reach }: Destination, envelope: DeliveryEnvelope): Promise<void> {
  const queue: QueueKind = kind === 'webhook' && reach === 'vpc' ? 'webhook-vpc' : kind
  const QueueUrl = env[queueVariable(queue)]
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(envelope) }))
}

/** From the queue that the bus fills. What fails comes again, and then lies among its dead letters. */
export const handler = middy(async ({ Records }: QueueEvent) => {
  const results = await Promise.allSettled(
    Records.map(async ({ body }) => {
      const event = JSON.parse(body) as RoutedEvent
      const current = () => routes.current()
      return routeMessage(event, { store, routes: current, send, now: Date.now })
    }),
  )
  const batchItemFailures: { itemIdentifier: string }[] = []
  for (const [at, result] of results.entries()) {
    if (result.status === 'fulfilled') {
      const { to, isSuppressed } = result.value
      metrics.addMetric('Routed', MetricUnit.Count, to.length)
      if (isSuppressed) metrics.addMetric('SuppressedIncidents', MetricUnit.Count, 1)
      continue
    }
    metrics.addMetric('RoutingFailures', MetricUnit.Count, 1)
    logger.error('an event cannot be routed', result.reason as Error)
    batchItemFailures.push({ itemIdentifier: Records[at]!.messageId })
  }
  return { batchItemFailures }
})
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
