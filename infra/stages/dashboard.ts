import { Duration } from 'aws-cdk-lib'
import {
  Dashboard,
  GraphWidget,
  type IMetric,
  Metric,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch'
import type { Construct } from 'constructs'
import { other, responseStates, tactics } from '../../lambdas/shared/metric-dimensions.ts'
import type { Topology } from '../topology/types.ts'
import { costEstimate } from './cost-estimate.ts'
import { nameOf, type PartContext } from './part-context.ts'

/** A graph: lines, or areas that add up. */
interface Graph {
  readonly title: string
  readonly metrics: readonly IMetric[]
  readonly isSum?: boolean
}

/** What operators look at first, from the nodes to people. */
export function makeDashboard(scope: Construct, topology: Topology, context: PartContext): void {
  const dashboard = new Dashboard(scope, 'dashboard', {
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
        ({ title, metrics, isSum = false }) =>
          new GraphWidget({ title, left: [...metrics], stacked: isSum, width: 8, height: 6 }),
      ),
    )
  }
}

function graphsOf(topology: Topology, context: PartContext): readonly Graph[] {
  return [
    ...pipelineGraphs(topology, context),
    ...findingGraphs(topology, context),
    ...functionGraphs(topology, context),
    { title: 'Estimated cost an hour, $', metrics: costEstimate(topology, context), isSum: true },
  ]
}

function pipelineGraphs({ resources, functions }: Topology, context: PartContext): Graph[] {
  const named = (kind: 'stream' | 'queue') =>
    Object.entries(resources).filter(([, resource]) => resource.kind === kind)
  const streams = named('stream').map(([name]) => ({ StreamName: nameOf(context, name) }))
  const ends = named('queue').map(([name, resource]) => {
    const isEnd = resource.kind === 'queue' && resource.receives === undefined
    const QueueName = nameOf(context, isEnd ? name : `${name}-dead`)
    const depth = 'ApproximateNumberOfMessagesVisible'
    return metric('AWS/SQS', depth, { QueueName }, 'Maximum', QueueName)
  })
  const hops = ['batch', 'stream', 'evaluate'].flatMap((hop) =>
    percentiles.map((statistic) => own(`HopTo_${hop}`, statistic, `${hop} ${statistic}`)),
  )
  const told = functions
    .filter(({ stage }) => stage.startsWith('notify-'))
    .flatMap(({ stage }) =>
      percentiles.map((statistic) =>
        own('EventToDelivery', statistic, `${stage} ${statistic}`, stage),
      ),
    )
  const lags = functions
    .filter(({ triggers }) => triggers.some(({ kind }) => kind === 'stream'))
    .map(({ stage }) => ofFunction(stage, 'IteratorAge', 'Maximum', context))
  const givenUp = functions
    .filter(({ triggers }) => triggers.some(({ kind }) => kind === 'stream'))
    .flatMap(({ stage }) => {
      const dimensions = { EventSourceMappingUUID: context.made.mappingOf(stage) }
      return Object.entries(ofMappings).map(([name, label]) =>
        metric('AWS/Lambda', name, dimensions, 'Sum', `${stage}: ${label}`),
      )
    })
  return [
    { title: 'Batches and events', metrics: [own('Batches'), own('Events')] },
    {
      title: 'Bytes into the stream',
      metrics: streams.map((one) => metric('AWS/Kinesis', 'IncomingBytes', one)),
    },
    { title: 'Lag of the stream, ms', metrics: lags },
    { title: 'From the kernel, hop by hop, ms', metrics: hops },
    { title: 'From the kernel to people, ms', metrics: told },
    {
      title: 'Losses and what could not be read',
      metrics: [...losses.map((name) => own(name)), ...givenUp],
    },
    { title: 'Dead letters', metrics: ends },
  ]
}

function findingGraphs({ functions }: Topology, { config }: PartContext): Graph[] {
  const by = (name: string, dimension: string, values: readonly string[]) =>
    values.map((value) => metric('Lanner', name, { [dimension]: value }, 'Sum', value))
  const clusters = [...config.clusters.map(({ name }) => name), other]
  const isResponding = functions.some(({ stage }) => stage === 'respond')
  return [
    {
      title: 'Detections and incidents',
      metrics: ['Detections', 'Incidents', 'Correlations', 'Suppressed'].map((name) => own(name)),
    },
    {
      title: 'Detections by tactic',
      metrics: by('Detections', 'tactic', [...tactics, other]),
      isSum: true,
    },
    {
      title: 'Detections by cluster',
      metrics: by('Detections', 'cluster', clusters),
      isSum: true,
    },
    ...(isResponding
      ? [{ title: 'Responses', metrics: by('Responses', 'state', responseStates), isSum: true }]
      : []),
  ]
}

function functionGraphs({ functions }: Topology, context: PartContext): Graph[] {
  const ofAll = (name: string, statistic: string) =>
    functions.map(({ stage }) => ofFunction(stage, name, statistic, context))
  return [
    { title: 'Invocations', metrics: ofAll('Invocations', 'Sum') },
    { title: 'Errors', metrics: ofAll('Errors', 'Sum') },
    { title: 'Duration p99, ms', metrics: ofAll('Duration', 'p99') },
    { title: 'What costs: writes of state', metrics: [own('StateWrites')] },
    {
      title: 'What costs: bytes into the lake',
      metrics: [own('LakeBytes', 'Sum', 'LakeBytes', 'lake')],
    },
  ]
}

const percentiles = ['p50', 'p99']
/** What is given up of a stream, as its mapping counts it. */
const ofMappings = {
  OnFailureDestinationDeliveredEventCount: 'records into the failures',
  DroppedEventCount: 'records dropped',
}
const losses = ['SensorFindings', 'UnreadableRecords', 'LateDetections', 'RuleSetProblems']

function own(name: string, statistic = 'Sum', label = name, service = 'evaluate'): Metric {
  return metric('Lanner', name, { service }, statistic, label)
}

function ofFunction(stage: string, name: string, statistic: string, context: PartContext): Metric {
  return metric('AWS/Lambda', name, { FunctionName: nameOf(context, stage) }, statistic, stage)
}

function metric(
  namespace: string,
  metricName: string,
  dimensionsMap: Record<string, string>,
  statistic = 'Sum',
  label = metricName,
): Metric {
  const period = Duration.minutes(1)
  return new Metric({ namespace, metricName, dimensionsMap, statistic, label, period })
}
