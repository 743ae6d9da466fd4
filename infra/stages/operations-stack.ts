import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib'
import {
  Dashboard,
  GraphWidget,
  type IMetric,
  Metric,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch'
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Topic } from 'aws-cdk-lib/aws-sns'
import type { Construct } from 'constructs'
import type { Topology } from '../topology/types.ts'
import { alarmsOf, makeAlarm } from './alarms.ts'
import { nameOf, type PartContext } from './part-context.ts'

export interface OperationsProps extends StackProps {
  readonly context: PartContext
  /** Of the parts that are deployed. */
  readonly topology: Topology
}

/** What operators look at: a dashboard, alarms with their runbooks, and a topic that they subscribe to. */
export class OperationsStack extends Stack {
  constructor(scope: Construct, id: string, props: OperationsProps) {
    super(scope, id, props)
    const { context, topology } = props
    const topic = new Topic(this, 'operators', {
      topicName: nameOf(context, 'operators'),
      displayName: 'Lanner: alarms of the pipeline itself',
      masterKey: context.keys.of(this, 'alerts'),
      enforceSSL: true,
    })
    topic.addToResourcePolicy(
      new PolicyStatement({
        ...{ sid: 'Alarms', effect: Effect.ALLOW, actions: ['sns:Publish'] },
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
    )
    for (const spec of alarmsOf(topology, context)) makeAlarm(this, spec, topic, context)
    const dashboard = new Dashboard(this, 'dashboard', {
      dashboardName: nameOf(context, 'pipeline'),
      defaultInterval: Duration.hours(6),
    })
    dashboard.addWidgets(
      new TextWidget({
        markdown: `# Lanner\nWhat to do about an alarm: ${context.config.runbook}`,
        width: 24,
        height: 2,
      }),
    )
    const graphs = graphsOf(topology, context)
    for (let at = 0; at < graphs.length; at += 3) {
      const row = graphs.slice(at, at + 3)
      dashboard.addWidgets(
        ...row.map(
          ([title, left]) => new GraphWidget({ title, left: [...left], width: 8, height: 6 }),
        ),
      )
    }
    new CfnOutput(this, 'OperatorsTopic', { value: topic.topicArn })
  }
}

/** What the dashboard shows, from the nodes to people. */
function graphsOf(
  topology: Topology,
  context: PartContext,
): readonly (readonly [title: string, metrics: readonly IMetric[]])[] {
  const metric = (
    namespace: string,
    metricName: string,
    dimensionsMap: Record<string, string>,
    statistic = 'Sum',
    label = metricName,
  ) =>
    new Metric({
      namespace,
      metricName,
      dimensionsMap,
      statistic,
      label,
      period: Duration.minutes(1),
    })
  const own = (name: string, statistic = 'Sum', label = name) =>
    metric('Lanner', name, { service: 'evaluate' }, statistic, label)
  const ofStages = (metricName: string, statistic: string) =>
    topology.functions.map(({ stage }) =>
      metric('AWS/Lambda', metricName, { FunctionName: nameOf(context, stage) }, statistic, stage),
    )
  const named = (kind: 'stream' | 'queue') =>
    Object.entries(topology.resources).filter(([, resource]) => resource.kind === kind)
  const streams = named('stream').map(([name]) => ({ StreamName: nameOf(context, name) }))
  const hops = ['stream', 'evaluate', 'bus'].flatMap((hop) =>
    ['p50', 'p99'].map((statistic) => own(`HopTo_${hop}`, statistic, `${hop} ${statistic}`)),
  )
  const ends = named('queue').map(([name, resource]) => {
    const isEnd = resource.kind === 'queue' && resource.receives === undefined
    const QueueName = nameOf(context, isEnd ? name : `${name}-dead`)
    return metric(
      'AWS/SQS',
      'ApproximateNumberOfMessagesVisible',
      { QueueName },
      'Maximum',
      QueueName,
    )
  })
  return [
    ['Batches and events', [own('Batches'), own('Events')]],
    ['Bytes into the stream', streams.map((one) => metric('AWS/Kinesis', 'IncomingBytes', one))],
    ['Lag of the stream, ms', ofStages('IteratorAge', 'Maximum')],
    ['From the kernel to a hop, ms', hops],
    [
      'Detections and incidents',
      ['Detections', 'Incidents', 'Correlations', 'Suppressed'].map((name) => own(name)),
    ],
    [
      'Losses and what could not be read',
      ['SensorFindings', 'UnreadableRecords', 'LateDetections', 'RuleSetProblems'].map((name) =>
        own(name),
      ),
    ],
    ['Dead letters', ends],
    ['Invocations', ofStages('Invocations', 'Sum')],
    ['Errors', ofStages('Errors', 'Sum')],
    ['Duration p99, ms', ofStages('Duration', 'p99')],
    ['What costs: writes of state', [own('StateWrites')]],
    ['What costs: bytes into the lake', [metric('Lanner', 'LakeBytes', { service: 'lake' })]],
  ]
}
