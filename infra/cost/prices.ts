/**
 * List prices in us-east-1, US dollars, without free tiers and discounts. Sources: the price pages of the
 * services at aws.amazon.com, as known in November 2026; look again before you quote them.
 */
export const prices = {
  kinesisShardHour: 0.015,
  /** A million units of up to 25 KB. */
  kinesisPutUnits: 0.014,
  lambdaRequests: 0.2,
  /** arm64, a GB and second. */
  lambdaGbSecond: 0.0000133334,
  dynamoWriteUnits: 0.625,
  dynamoReadUnits: 0.125,
  eventBridgeEvents: 1,
  firehoseGb: 0.029,
  s3GbMonth: 0.023,
  s3Puts: 5,
  vpcEndpointHour: 0.01,
  vpcEndpointGb: 0.01,
  logsGb: 0.5,
  /** Ten thousand requests, and a key a month. */
  kmsRequests: 0.03,
  kmsKey: 1,
  /** A vCPU of an m7g, a month. */
  vcpuMonth: (0.3264 * 730) / 8,
} as const

/** GuardDuty EKS Runtime Monitoring, a vCPU and month: the first 500, the next 4,500, all above. */
const guardDutySteps = [
  [500, 1.5],
  [4500, 0.75],
  [Number.POSITIVE_INFINITY, 0.25],
] as const

/** GuardDuty's price of a node a month, for so many nodes of so many vCPUs. */
export function guardDuty(nodes: number, vcpus = 8): number {
  let left = nodes * vcpus
  let sum = 0
  for (const [size, price] of guardDutySteps) {
    const some = Math.min(left, size)
    sum += some * price
    left -= some
  }
  return sum / nodes
}
