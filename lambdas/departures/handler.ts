import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { MetricUnit } from '@aws-lambda-powertools/metrics'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import middy from '@middy/core'
import { readEnv } from '../shared/contract.ts'
import { DynamoStateStore } from '../shared/dynamo-store.ts'
import { noteDeparture } from '../shared/nodes/index.ts'
import { observe } from '../shared/observe.ts'
import { contract } from './contract.ts'
import { type AwsEvent, readDeparture } from './read-departure.ts'

const env = readEnv(contract, process.env)
const { logger, metrics } = observe(contract.stage)
const store = new DynamoStateStore({ table: env.TABLE })

/** From the account's own bus: machines that go. */
export const handler = middy(async (event: AwsEvent) => {
  const departure = readDeparture(event)
  if (departure === undefined) return
  await noteDeparture(store, departure, Math.floor(Date.now() / 1000))
  metrics.addMetric('Departures', MetricUnit.Count, 1)
})
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
