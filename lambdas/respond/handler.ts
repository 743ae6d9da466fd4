import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { MetricUnit } from '@aws-lambda-powertools/metrics'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import middy from '@middy/core'
import type { IncidentMessage } from '../shared/bus-messages.ts'
import { readEnv } from '../shared/contract.ts'
import { emitCounts } from '../shared/emit-counts.ts'
import { observe } from '../shared/observe.ts'
import { askSts } from './access/ask-sts.ts'
import { connect } from './connect.ts'
import { contract } from './contract.ts'
import { countStates } from './count-states.ts'
import { Responder } from './machine/responder.ts'
import { answerPeople, type PeopleRequest } from './requests.ts'

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

/** Events of the bus from the queue, a tick of the schedule, or what `lanner approve` and its like ask. */
type Event =
  | { readonly Records: readonly { readonly messageId: string; readonly body: string }[] }
  | { readonly source: 'aws.events' }
  | PeopleRequest

const stsEndpoint = process.env['AWS_ENDPOINT_URL_STS']
const ask = (address: string, headers: Readonly<Record<string, string>>) =>
  askSts(address, headers, stsEndpoint)

export const handler = middy(async (event: Event) => {
  await ports.refresh()
  if ('ask' in event) return answerPeople(event, responder, ports, ask)
  if (!('Records' in event)) {
    metrics.addMetric('ResponsesSwept', MetricUnit.Count, await responder.sweep())
    return undefined
  }
  const batchItemFailures: { readonly itemIdentifier: string }[] = []
  for (const { messageId, body } of event.Records) {
    try {
      const { detail } = JSON.parse(body) as { detail: IncidentMessage }
      const ids = await responder.onIncident(detail)
      metrics.addMetric('ResponsesAsked', MetricUnit.Count, ids.length)
    } catch (error) {
      logger.error('an incident is not answered yet', error as Error)
      batchItemFailures.push({ itemIdentifier: messageId })
    }
  }
  return { batchItemFailures }
})
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
