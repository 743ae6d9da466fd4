import type { FunctionSpec, Resource } from './types.ts'

/** From the stream to verdicts, state, lake and bus. */
export const pipelineResources: Readonly<Record<string, Resource>> = {
  stream: { kind: 'stream', retentionHours: 24, shards: 1 },
  table: { kind: 'table' },
  bus: { kind: 'bus', archiveDays: 30, dead: 'bus-dead' },
  /** Rule sets by hash, and which of them judges which cluster. */
  rules: { kind: 'bucket', versioned: true },
  /** Batches as they are, detections, and what was too long for the bus. */
  lake: { kind: 'bucket', expireDays: 90 },
  /** Records that could not be judged, with their bytes. */
  failures: { kind: 'bucket', expireDays: 30 },
  /** Alerts of a Falco that runs already: Falcosidekick's SQS output writes here. */
  'falco-alerts': { kind: 'queue', visibilitySeconds: 180, receives: 4, retentionDays: 4 },
  delivery: { kind: 'delivery', from: 'stream', to: 'lake', by: 'lake' },
  /** Messages that the bus did not take, and what it could not encrypt or decrypt. */
  'bus-dead': { kind: 'queue', visibilitySeconds: 60, retentionDays: 14 },
}

/** What stages that conclude have in common. */
const concluding: FunctionSpec['env'] = {
  ...{ TABLE: { of: 'table' }, RULES_BUCKET: { of: 'rules' }, LAKE_BUCKET: { of: 'lake' } },
  ...{ BUS: { of: 'bus' }, DEAD_LETTERS: { of: 'bus-dead' }, CLUSTERS: { setting: 'clusters' } },
}

export const pipelineFunctions: readonly FunctionSpec[] = [
  {
    ...{ stage: 'evaluate', memoryMiB: 1769, timeoutSeconds: 60 },
    triggers: [
      {
        ...{ kind: 'stream', stream: 'stream', batchSize: 200, windowSeconds: 1 },
        // A node's batches stay in order; what fails for an hour goes to the failures with its bytes.
        ...{ parallelizationFactor: 4, retries: 60, maxAgeSeconds: 21_600, failures: 'failures' },
      },
    ],
    env: { ...concluding, FAILURES_BUCKET: { of: 'failures' } },
  },
  {
    ...{ stage: 'falco', memoryMiB: 512, timeoutSeconds: 30, reservedConcurrency: 5 },
    triggers: [
      {
        ...{ kind: 'queue', queue: 'falco-alerts', batchSize: 50, windowSeconds: 1 },
        maximumConcurrency: 4,
      },
    ],
    env: concluding,
  },
  {
    ...{ stage: 'lake', memoryMiB: 512, timeoutSeconds: 60, reservedConcurrency: 5 },
    triggers: [],
    env: {},
  },
  {
    // What is due: gaps, silence, incidents that are over. Alone, so that nothing is told twice.
    ...{ stage: 'sweep', memoryMiB: 1024, timeoutSeconds: 55, reservedConcurrency: 1 },
    triggers: [{ kind: 'schedule', everyMinutes: 1, retries: 0, dead: 'bus-dead' }],
    env: {
      ...{ TABLE: { of: 'table' }, LAKE_BUCKET: { of: 'lake' } },
      ...{ BUS: { of: 'bus' }, DEAD_LETTERS: { of: 'bus-dead' } },
    },
  },
  {
    ...{ stage: 'departures', memoryMiB: 256, timeoutSeconds: 15 },
    triggers: [
      {
        ...{ kind: 'bus', bus: '', retries: 2, maxAgeSeconds: 3600, dead: 'bus-dead' },
        pattern: {
          source: ['aws.ec2', 'aws.autoscaling'],
          'detail-type': [
            'EC2 Instance State-change Notification',
            'EC2 Spot Instance Interruption Warning',
            'EC2 Instance-terminate Lifecycle Action',
            'EC2 Instance Terminate Successful',
          ],
        },
      },
    ],
    env: { TABLE: { of: 'table' } },
  },
]
