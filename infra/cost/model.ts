import { assumed, measured } from './measured.ts'
import { prices } from './prices.ts'

const month = 730 * 3600
const gb = 1e9

/** A fleet. */
export interface Fleet {
  readonly nodes: number
  /** Events a second and node that enter the edge filter. */
  readonly rate: number
  /** Share of them that is shipped. */
  readonly shipped: number
}

export const terms = [
  'kinesis',
  'lambda',
  'dynamodb',
  'lake',
  'network',
  'bus',
  'logs',
  'keys',
] as const
export type Term = (typeof terms)[number]

/** What a fleet uses in a second. */
export interface Usage {
  readonly records: number
  readonly bytes: number
  readonly shards: number
  readonly invocations: number
  readonly cpuSeconds: number
  readonly detections: number
  readonly writeUnits: number
  readonly readUnits: number
}

/**
 * A batch leaves a node in each second in which something is shipped, or after half a minute of silence.
 * Detections come at the measured rate, whatever else is shipped.
 */
export function usageOf({ nodes, rate, shipped }: Fleet): Usage {
  const events = rate * Math.max(shipped, measured.shippedShare)
  const busy = 1 - Math.exp(-events)
  const silent = (1 - busy) / measured.heartbeatSeconds
  const records = nodes * (busy + silent)
  const bytes =
    nodes *
    (busy * measured.batchBytes + events * measured.eventBytes + silent * measured.heartbeatBytes)
  const shards = Math.max(
    1,
    Math.ceil(assumed.headroom * Math.max(bytes / (1 << 20), records / 1000)),
  )
  // one a second for each lane of each shard, as far as there are records
  const invocations = Math.min(records, shards * 4)
  const detections = nodes * rate * measured.matchingShare
  const cpuSeconds =
    (records * measured.batchMicros +
      nodes * events * measured.eventMicros +
      detections * measured.detectionMicros) /
      1e6 +
    (invocations * measured.invocationMs) / 1000
  const tallies = invocations * Math.ceil(((records / invocations) * assumed.tallyBytes) / 1024)
  return {
    ...{ records, bytes, shards, invocations, cpuSeconds, detections },
    writeUnits: detections * measured.writeUnits + tallies + nodes / 60,
    readUnits: detections * measured.readUnits + nodes / 60,
  }
}

/** Dollars a month of the whole fleet, by term. */
export function costOf(fleet: Fleet): Readonly<Record<Term, number>> {
  const usage = usageOf(fleet)
  const { records, bytes, shards, invocations, cpuSeconds, detections } = usage
  const millions = (aSecond: number) => (aSecond * month) / 1e6
  const gigabytes = (aSecond: number) => (aSecond * month) / gb
  const clusters = Math.ceil(fleet.nodes / assumed.nodesACluster)
  const roundedBytes = records * Math.max(5120, Math.ceil(bytes / records / 5120) * 5120)
  const objects = Math.min(invocations, detections)
  return {
    kinesis:
      shards * prices.kinesisShardHour * 730 +
      millions(records * Math.ceil(bytes / records / 25_600)) * prices.kinesisPutUnits,
    lambda:
      cpuSeconds * month * assumed.memoryGb * prices.lambdaGbSecond +
      millions(invocations) * prices.lambdaRequests,
    dynamodb:
      millions(usage.writeUnits) * prices.dynamoWriteUnits +
      millions(usage.readUnits) * prices.dynamoReadUnits,
    lake:
      gigabytes(roundedBytes) * prices.firehoseGb +
      gigabytes(bytes) * prices.s3GbMonth * (assumed.lakeDays / 30) +
      millions(objects) * prices.s3Puts,
    network:
      clusters * assumed.zones * 730 * prices.vpcEndpointHour +
      gigabytes(bytes) * prices.vpcEndpointGb,
    bus: millions(detections * measured.messages) * prices.eventBridgeEvents,
    logs: gigabytes(invocations * assumed.logBytes) * prices.logsGb,
    // bucket keys and cached data keys: an object written is a request at most
    keys: assumed.keys * prices.kmsKey + millions(objects) * 100 * prices.kmsRequests,
  }
}

/** Dollars a node and month, and the term that weighs most. */
export function nodeCost(fleet: Fleet): {
  readonly perNode: number
  readonly largest: Term
  readonly share: number
} {
  const cost = Object.entries(costOf(fleet)) as [Term, number][]
  const sum = cost.reduce((total, [, dollars]) => total + dollars, 0)
  const [largest, most] = cost.sort(([, a], [, b]) => b - a)[0]!
  return { perNode: sum / fleet.nodes, largest, share: most / sum }
}
