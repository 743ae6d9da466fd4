import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { MetricUnit } from '@aws-lambda-powertools/metrics'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { S3Client } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'
import middy from '@middy/core'
import { Bus } from '../shared/bus.ts'
import { readEnv } from '../shared/contract.ts'
import { DynamoStateStore } from '../shared/dynamo-store.ts'
import { writeDetections } from '../shared/lake.ts'
import { observe } from '../shared/observe.ts'
import { RuleSets } from '../shared/rule-sets/rule-sets.ts'
import { contract } from './contract.ts'
import { prepareAlertSet, TakeAlerts } from './take-alerts.ts'

/** Messages of a queue, as Lambda hands them over. */
interface QueueEvent {
  readonly Records: readonly { readonly messageId: string; readonly body: string }[]
}

const env = readEnv(contract, process.env)
const { logger, metrics } = observe(contract.stage)
const s3 = new S3Client()

const takeAlerts = new TakeAlerts({
  store: new DynamoStateStore({ table: env.TABLE }),
  sets: new RuleSets({
    ...{ s3, bucket: env.RULES_BUCKET, prepare: prepareAlertSet, now: () => performance.now() },
    onProblem: (problem, error) => logger.error(problem, error as Error),
  }),
  bus: new Bus({
    ...{ client: new EventBridgeClient(), bus: env.BUS, s3, bucket: env.LAKE_BUCKET },
    ...{ sqs: new SQSClient(), deadLetters: env.DEAD_LETTERS },
  }),
  toLake: (detections, place) =>
    writeDetections({ s3, bucket: env.LAKE_BUCKET }, detections, place),
  ...{ cluster: env.CLUSTER, quiet: Number(env.QUIET_SECONDS), now: Date.now },
  ...{ random: Math.random, pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) },
})

/**
 * From the queue that Falcosidekick's SQS output fills. What is no alert is named as failed: the queue
 * keeps it among its dead letters.
 */
export const handler = middy(async ({ Records }: QueueEvent) => {
  const { refused, figures } = await takeAlerts.run(
    Records.map(({ messageId, body }) => ({ id: messageId, text: body })),
  )
  for (const { id, reason } of refused) logger.warn('a message is no alert', { id, reason })
  metrics.addMetric('ForeignAlerts', MetricUnit.Count, figures.detections)
  metrics.addMetric('RefusedAlerts', MetricUnit.Count, refused.length)
  return { batchItemFailures: refused.map(({ id }) => ({ itemIdentifier: id })) }
})
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
