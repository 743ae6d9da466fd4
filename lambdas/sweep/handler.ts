import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { MetricUnit } from '@aws-lambda-powertools/metrics'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import middy from '@middy/core'
import { concludeInAws } from '../shared/conclude-in-aws.ts'
import { readEnv } from '../shared/contract.ts'
import { observe } from '../shared/observe.ts'
import { sha256 } from '../shared/sha256.ts'
import { contract } from './contract.ts'
import { sweep } from './sweep.ts'
import { sweepers } from './sweepers.ts'

const env = readEnv(contract, process.env)
const { logger, metrics } = observe(contract.stage)
const aws = concludeInAws(env)
const ours = sweepers({ ...aws, sha256 })

/** What of Lambda's context is looked at. */
interface Context {
  getRemainingTimeInMillis(): number
}

/** A round of a large fleet takes seconds. */
const roundMs = 20_000

/** Each minute. Rejects when a sweeper failed, after the others have done their part. */
export const handler = middy(async (_: unknown, context: Context) => {
  const { swept, failures, unknown, isCut } = await sweep({
    ...{ store: aws.store, sweepers: ours, now: () => Math.floor(Date.now() / 1000) },
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
