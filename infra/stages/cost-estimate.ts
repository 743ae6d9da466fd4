import { Duration } from 'aws-cdk-lib'
import { type IMetric, MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import { prices } from '../cost/prices.ts'
import type { Topology } from '../topology/types.ts'
import { nameOf, type PartContext } from './part-context.ts'

/** Firehose bills a record as so many bytes at least. */
const firehoseBytes = 5120

/**
 * What an installation costs an hour, in dollars, by what is metered: an estimate at the list prices of
 * us-east-1 (`infra/cost/prices.ts`). Not in it: storage, bus, keys, logs, transfer between regions.
 */
export function costEstimate(topology: Topology, context: PartContext): readonly IMetric[] {
  const resources = Object.entries(topology.resources)
  return [
    ...resources.flatMap(([name, resource]) => {
      switch (resource.kind) {
        case 'stream': {
          const shards = Math.max(resource.shards, context.config.shards)
          return [streamCost(nameOf(context, name), shards)]
        }
        case 'table':
          return [tableCost(name, context.made.get(name).metricName!)]
        case 'delivery':
          return [deliveryCost(nameOf(context, name))]
        default:
          return []
      }
    }),
    functionsCost(topology, context),
  ]
}

function streamCost(StreamName: string, shards: number): IMetric {
  const records = hourly('AWS/Kinesis', 'IncomingRecords', { StreamName })
  const units = `FILL(put, 0) / 1000000 * ${prices.kinesisPutUnits}`
  // a record of a node has less than the 25 KB of a unit
  return dollars('stream', `${units} + ${shards * prices.kinesisShardHour}`, { put: records })
}

function tableCost(label: string, TableName: string): IMetric {
  const [writes, reads] = [`${label}_writes`, `${label}_reads`]
  const written = `FILL(${writes}, 0) / 1000000 * ${prices.dynamoWriteUnits}`
  const read = `FILL(${reads}, 0) / 1000000 * ${prices.dynamoReadUnits}`
  return dollars(label, `${written} + ${read}`, {
    [writes]: hourly('AWS/DynamoDB', 'ConsumedWriteCapacityUnits', { TableName }),
    [reads]: hourly('AWS/DynamoDB', 'ConsumedReadCapacityUnits', { TableName }),
  })
}

function deliveryCost(DeliveryStreamName: string): IMetric {
  const name = 'DataReadFromKinesisStream.Records'
  const records = hourly('AWS/Firehose', name, { DeliveryStreamName })
  const gigabytes = `FILL(delivered, 0) * ${firehoseBytes} / 1000000000`
  return dollars('lake', `${gigabytes} * ${prices.firehoseGb}`, { delivered: records })
}

function functionsCost({ functions }: Topology, context: PartContext): IMetric {
  const usingMetrics: Record<string, IMetric> = {}
  const terms = functions.map(({ stage, memoryMiB }, at) => {
    const dimensions = { FunctionName: nameOf(context, stage) }
    usingMetrics[`d${at}`] = hourly('AWS/Lambda', 'Duration', dimensions)
    usingMetrics[`i${at}`] = hourly('AWS/Lambda', 'Invocations', dimensions)
    const gbSecond = (prices.lambdaGbSecond * memoryMiB) / 1024 / 1000
    return `FILL(d${at}, 0) * ${gbSecond.toFixed(15)} + FILL(i${at}, 0) * ${prices.lambdaRequests} / 1000000`
  })
  return dollars('functions', terms.join(' + '), usingMetrics)
}

const hour = Duration.hours(1)

function hourly(namespace: string, metricName: string, dimensionsMap: Record<string, string>) {
  return new Metric({ namespace, metricName, dimensionsMap, statistic: 'Sum', period: hour })
}

function dollars(
  label: string,
  expression: string,
  usingMetrics: Record<string, IMetric>,
): MathExpression {
  return new MathExpression({ label, expression, usingMetrics, period: hour })
}
