import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { MetricUnit } from '@aws-lambda-powertools/metrics'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import middy from '@middy/core'
import { concludeInAws } from '../shared/conclude-in-aws.ts'
import { readEnv } from '../shared/contract.ts'
import { emitDetections } from '../shared/count-detections.ts'
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
const aws = concludeInAws(env)

const takeAlerts = new TakeAlerts({
  ...aws,
  sets: new RuleSets({
    ...{ s3: aws.s3, bucket: env.RULES_BUCKET, prepare: prepareAlertSet },
    now: () => performance.now(),
    onProblem: (problem, error) => logger.error(problem, error as Error),
  }),
  cluster: env.CLUSTER,
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
  emitDetections(figures, env.CLUSTERS)
  metrics.addMetric('ForeignAlerts', MetricUnit.Count, figures.detections)
  metrics.addMetric('RefusedAlerts', MetricUnit.Count, refused.length)
  return { batchItemFailures: refused.map(({ id }) => ({ itemIdentifier: id })) }
})
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
