import { Duration } from 'aws-cdk-lib'
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import type { Construct } from 'constructs'
import type { Topology } from '../topology/types.ts'
import { nameOf, type PartContext } from './part-context.ts'

/** A state that somebody must look at; its section in infra/RUNBOOK.md has the same name. */
export interface AlarmSpec {
  /** Of the section, and with a thing's name behind it of the alarm. */
  readonly runbook: string
  readonly about: string
  readonly metric: IMetric
  readonly threshold: number
  /** Periods in a row. */
  readonly periods: number
  readonly isMissingBad?: boolean
}

/** All alarms of the functions, streams and queues of a topology. */
export function alarmsOf(topology: Topology, context: PartContext): readonly AlarmSpec[] {
  const specs: AlarmSpec[] = []
  for (const { stage, triggers, timeoutSeconds } of topology.functions) {
    const dimensionsMap = { FunctionName: nameOf(context, stage) }
    const lambda = (metricName: string, statistic: string) =>
      metricOf('AWS/Lambda', metricName, statistic, dimensionsMap)
    specs.push(
      {
        runbook: 'function-errors',
        about: stage,
        metric: lambda('Errors', 'Sum'),
        threshold: 1,
        periods: 3,
      },
      {
        runbook: 'function-throttled',
        about: stage,
        metric: lambda('Throttles', 'Sum'),
        threshold: 1,
        periods: 3,
      },
      {
        ...{ runbook: 'function-slow', about: stage, metric: lambda('Duration', 'Maximum') },
        ...{ threshold: timeoutSeconds * 800, periods: 3 },
      },
    )
    if (triggers.some(({ kind }) => kind === 'stream')) {
      const metric = lambda('IteratorAge', 'Maximum')
      specs.push(
        { runbook: 'stream-lag', about: stage, metric, threshold: 120_000, periods: 3 },
        givenUp(stage, context),
      )
    }
    // of what is invoked asynchronously, and of mappings of streams
    if (triggers.some(({ kind }) => kind !== 'queue')) {
      const metric = lambda('DestinationDeliveryFailures', 'Sum')
      specs.push({
        runbook: 'dead-letters',
        about: `${stage}-lost`,
        metric,
        threshold: 1,
        periods: 1,
      })
    }
  }
  for (const [name, resource] of Object.entries(topology.resources)) {
    if (resource.kind === 'queue') specs.push(...queueAlarms(name, resource, context))
    if (resource.kind === 'delivery') {
      const dimensions = { DeliveryStreamName: nameOf(context, name) }
      const metric = metricOf('AWS/Firehose', 'DeliveryToS3.DataFreshness', 'Maximum', dimensions)
      specs.push({ runbook: 'lake-behind', about: name, metric, threshold: 900, periods: 3 })
    }
    if (resource.kind === 'stream') {
      const dimensions = { StreamName: nameOf(context, name) }
      const throttled = metricOf(
        'AWS/Kinesis',
        'WriteProvisionedThroughputExceeded',
        'Sum',
        dimensions,
      )
      specs.push({
        runbook: 'stream-full',
        about: name,
        metric: throttled,
        threshold: 1,
        periods: 5,
      })
      const silent = metricOf('AWS/Kinesis', 'IncomingRecords', 'Sum', dimensions)
      specs.push({
        ...{ runbook: 'stream-silent', about: name, threshold: 0, periods: 3, isMissingBad: true },
        metric: new MathExpression({
          expression: 'IF(records < 1, 1, 0)',
          usingMetrics: { records: silent },
          period: minute,
        }),
      })
    }
  }
  const own = (metricName: string, service: string) =>
    metricOf('Lanner', metricName, 'Sum', { service })
  specs.push(
    {
      runbook: 'rule-set-problem',
      about: 'evaluate',
      metric: own('RuleSetProblems', 'evaluate'),
      threshold: 1,
      periods: 1,
    },
    {
      runbook: 'unreadable-records',
      about: 'evaluate',
      metric: own('UnreadableRecords', 'evaluate'),
      threshold: 1,
      periods: 1,
    },
  )
  return specs
}

/** What a mapping gave up: sent to the bucket of failures, or not even that. */
function givenUp(stage: string, { made }: PartContext): AlarmSpec {
  const dimensions = { EventSourceMappingUUID: made.mappingOf(stage) }
  const count = (name: string) => metricOf('AWS/Lambda', name, 'Sum', dimensions)
  return {
    ...{ runbook: 'records-given-up', about: stage, threshold: 1, periods: 1 },
    metric: new MathExpression({
      expression: 'FILL(kept, 0) + FILL(dropped, 0)',
      usingMetrics: {
        kept: count('OnFailureDestinationDeliveredEventCount'),
        dropped: count('DroppedEventCount'),
      },
      label: 'records given up',
      period: minute,
    }),
  }
}

function queueAlarms(
  name: string,
  resource: Topology['resources'][string] & { readonly kind: 'queue' },
  context: PartContext,
): AlarmSpec[] {
  const metric = (queue: string, metricName: string) =>
    metricOf('AWS/SQS', metricName, 'Maximum', { QueueName: nameOf(context, queue) })
  const end = resource.receives === undefined ? name : `${name}-dead`
  const depth = metric(end, 'ApproximateNumberOfMessagesVisible')
  const dead: AlarmSpec = {
    runbook: 'dead-letters',
    about: end,
    metric: depth,
    threshold: 1,
    periods: 1,
  }
  if (resource.receives === undefined) return [dead]
  const age = metric(name, 'ApproximateAgeOfOldestMessage')
  return [dead, { runbook: 'queue-lag', about: name, metric: age, threshold: 900, periods: 3 }]
}

const minute = Duration.minutes(1)

function metricOf(
  namespace: string,
  metricName: string,
  statistic: string,
  dimensionsMap: Record<string, string>,
): Metric {
  return new Metric({ namespace, metricName, statistic, dimensionsMap, period: minute })
}

/** An alarm that tells the topic, with the way to its section of the runbook. */
export function makeAlarm(
  scope: Construct,
  spec: AlarmSpec,
  topic: ITopic,
  context: PartContext,
): Alarm {
  const { runbook, about, metric, threshold, periods } = spec
  const action = new SnsAction(topic)
  const alarm = new Alarm(scope, `${runbook}-${about}`, {
    alarmName: nameOf(context, `${runbook}-${about}`),
    alarmDescription: `${about}: ${context.config.runbook}#${runbook}`,
    ...{ metric, threshold, evaluationPeriods: periods },
    comparisonOperator:
      threshold === 0
        ? ComparisonOperator.GREATER_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData:
      spec.isMissingBad === true ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
  })
  alarm.addAlarmAction(action)
  alarm.addOkAction(action)
  return alarm
}
