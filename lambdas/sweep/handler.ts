import { createHash } from 'node:crypto'
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
import { contract } from './contract.ts'
import { sweep } from './sweep.ts'
import { sweepers } from './sweepers.ts'

const env = readEnv(contract, process.env)
const { logger, metrics } = observe(contract.stage)
const s3 = new S3Client({ forcePathStyle: process.env['S3_PATH_STYLE'] === 'true' })
const store = new DynamoStateStore({ table: env.TABLE })

const ours = sweepers({
  store,
  bus: new Bus({
    ...{ client: new EventBridgeClient(), bus: env.BUS, s3, bucket: env.LAKE_BUCKET },
    ...{ sqs: new SQSClient(), deadLetters: env.DEAD_LETTERS },
  }),
  toLake: (detections, place) =>
    writeDetections({ s3, bucket: env.LAKE_BUCKET }, detections, place),
  sha256: (text) => createHash('sha256').update(text).digest('hex'),
  ...{ quiet: Number(env.QUIET_SECONDS), now: Date.now, random: Math.random },
  pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  ...(process.env['AWS_REGION'] !== undefined && { region: process.env['AWS_REGION'] }),
})

/** What of Lambda's context is looked at. */
interface Context {
  getRemainingTimeInMillis(): number
}

/** A round of a large fleet takes seconds. */
const roundMs = 20_000

/** Each minute. Rejects when a sweeper failed, after the others have done their part. */
export const handler = middy(async (_: unknown, context: Context) => {
  const { swept, failures, unknown, isCut } = await sweep({
    ...{ store, sweepers: ours, now: () => Math.floor(Date.now() / 1000) },
    hasTime: () => context.getRemainingTimeInMillis() > roundMs,
  })
  for (const [kind, count] of Object.entries(swept)) {
    metrics.addMetric(`Swept_${kind}`, MetricUnit.Count, count)
  }
  metrics.addMetric('SweepsCut', MetricUnit.Count, isCut ? 1 : 0)
  metrics.addMetric('UnknownDue', MetricUnit.Count, unknown.length)
  if (unknown.length > 0) logger.error('nobody sweeps these', { keys: unknown.slice(0, 10) })
  for (const { kinds, error } of failures) {
    logger.error(`a sweep of ${kinds.join(', ')} failed`, error as Error)
  }
  if (failures.length > 0) throw new AggregateError(failures.map(({ error }) => error))
})
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
