import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { MetricUnit } from '@aws-lambda-powertools/metrics'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import middy from '@middy/core'
import { splitRecord } from '#events'
import { concludeInAws } from '../shared/conclude-in-aws.ts'
import { readEnv } from '../shared/contract.ts'
import { emitDetections } from '../shared/count-detections.ts'
import { followSenders } from '../shared/follow-senders.ts'
import { Nodes } from '../shared/nodes/index.ts'
import { observe } from '../shared/observe.ts'
import { RuleSets } from '../shared/rule-sets/rule-sets.ts'
import { Senders } from '../shared/senders/index.ts'
import { sha256 } from '../shared/sha256.ts'
import { readTrustedSenders } from '../shared/trusted-senders.ts'
import { contract } from './contract.ts'
import { Evaluate, type EvaluateFigures } from './evaluate.ts'
import { prepareSet } from './prepare-set.ts'
import type { KinesisEvent, PoisonRecord } from './read-record.ts'

const env = readEnv(contract, process.env)
const { logger, metrics } = observe(contract.stage)
const aws = concludeInAws(env)
const { s3, store } = aws
const seconds = () => Math.floor(Date.now() / 1000)

const evaluate = new Evaluate({
  ...aws,
  sets: new RuleSets({
    ...{ s3, bucket: env.RULES_BUCKET, prepare: prepareSet, now: () => performance.now() },
    onProblem: (problem, error) => {
      metrics.addMetric('RuleSetProblems', MetricUnit.Count, 1)
      logger.error(problem, error as Error)
    },
  }),
  senders: followSenders({
    read: () => readTrustedSenders(s3, env.RULES_BUCKET),
    make: (trusted) => new Senders({ ...trusted, store, now: seconds }),
    now: () => performance.now(),
    onProblem: (error) => {
      metrics.addMetric('TrustedSendersProblems', MetricUnit.Count, 1)
      logger.error('the list of trusted senders cannot be used', error as Error)
    },
  }),
  nodes: new Nodes({ store, sha256, now: Date.now }),
  isolate: keep,
})

/** Keeps the bytes of a record beside the reason why it cannot be read, without a token behind them. */
async function keep({ record, reason }: PoisonRecord): Promise<void> {
  const { eventID, kinesis } = record
  const { batch } = splitRecord(Buffer.from(kinesis.data, 'base64'))
  const data = Buffer.from(batch).toString('base64')
  logger.error('a record cannot be read', { eventID, reason, partitionKey: kinesis.partitionKey })
  await s3.send(
    new PutObjectCommand({
      Bucket: env.FAILURES_BUCKET,
      Key: `unreadable/${encodeURIComponent(eventID)}.json`,
      Body: JSON.stringify({ reason, record: { ...record, kinesis: { ...kinesis, data } } }),
      ContentType: 'application/json',
    }),
  )
}

function measure(figures: EvaluateFigures): void {
  const counts = {
    ...{ Batches: figures.batches, Events: figures.events, Detections: figures.detections },
    ...{ Incidents: figures.incidents, Correlations: figures.firings },
    ...{ SensorFindings: figures.findings, LateDetections: figures.late },
    ...{ UnreadableRecords: figures.poison, StateWrites: figures.stateWrites },
    ...{ Suppressed: figures.suppressed, BatchesOfOtherRules: figures.otherRules },
  }
  for (const [name, count] of Object.entries(counts)) {
    metrics.addMetric(name, MetricUnit.Count, count)
  }
  for (const [hop, milliseconds] of Object.entries(figures.hops ?? {})) {
    metrics.addMetric(`HopTo_${hop}`, MetricUnit.Milliseconds, milliseconds)
  }
}

/** Each value by itself, so that CloudWatch can say its percentiles. */
function measureCanaries(canaries: EvaluateFigures['canaries']): void {
  for (const hops of canaries) {
    for (const [hop, milliseconds] of Object.entries(hops)) {
      metrics.addMetric(`CanaryTo_${hop}`, MetricUnit.Milliseconds, milliseconds)
    }
  }
}

/** From an event source mapping of the stream, with `ReportBatchItemFailures`. */
export const handler = middy(async (event: KinesisEvent) => {
  const { batchItemFailures, figures } = await evaluate.run(event)
  measure(figures)
  measureCanaries(figures.canaries)
  emitDetections(figures, env.CLUSTERS)
  return { batchItemFailures }
})
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
