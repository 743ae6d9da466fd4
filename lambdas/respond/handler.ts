import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { MetricUnit } from '@aws-lambda-powertools/metrics'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import middy from '@middy/core'
import { readEnv } from '../shared/contract.ts'
import { emitCounts } from '../shared/emit-counts.ts'
import { observe } from '../shared/observe.ts'
import { askSts } from './access/ask-sts.ts'
import { connect } from './connect.ts'
import { contract } from './contract.ts'
import { countStates } from './count-states.ts'
import { handle, type RespondEvent } from './handle.ts'
import { Responder } from './machine/responder.ts'

const env = readEnv(contract, process.env)
const { logger, metrics } = observe(contract.stage)
const ports = connect(env, (problem) => {
  metrics.addMetric('PolicyProblems', MetricUnit.Count, 1)
  logger.error(problem)
})
const responder = new Responder({
  ...ports,
  async say(messages) {
    await ports.say(messages)
    emitCounts('Responses', 'state', countStates(messages))
  },
})

const stsEndpoint = process.env['AWS_ENDPOINT_URL_STS']
const ask = (address: string, headers: Readonly<Record<string, string>>) =>
  askSts(address, headers, stsEndpoint)

const around = {
  ...{ ports, responder, askSts: ask },
  refresh: () => ports.refresh(),
  count: (name: 'ResponsesSwept' | 'ResponsesAsked', value: number) =>
    metrics.addMetric(name, MetricUnit.Count, value),
  onError: (text: string, error: unknown) => logger.error(text, error as Error),
}

export const handler = middy((event: RespondEvent) => handle(event, around))
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
