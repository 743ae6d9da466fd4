import type { Topology } from '../../topology/types.ts'

/** One of each kind of resource and trigger, with the two functions beside it. */
export const smallTopology: Topology = {
  resources: {
    stream: { kind: 'stream', retentionHours: 24, shards: 2 },
    table: { kind: 'table' },
    bus: { kind: 'bus', archiveDays: 1, dead: 'dead' },
    lake: { kind: 'bucket' },
    failures: { kind: 'bucket' },
    dead: { kind: 'queue', visibilitySeconds: 60, retentionDays: 1 },
    work: { kind: 'queue', visibilitySeconds: 5, receives: 2, retentionDays: 1 },
    topic: { kind: 'topic' },
    secret: { kind: 'secret', meaning: 'a token' },
    later: { kind: 'schedules', to: 'keeper', dead: 'dead' },
    delivery: { kind: 'delivery', from: 'stream', to: 'lake', by: 'keeper' },
    toQueue: {
      ...{ kind: 'route', bus: 'bus', pattern: { 'detail-type': ['queue'] }, to: 'work' },
      ...{ retries: 3, maxAgeSeconds: 600, dead: 'dead' },
    },
    toTopic: {
      ...{ kind: 'route', bus: 'bus', pattern: { source: ['lanner'] }, to: 'topic' },
      ...{ retries: 3, maxAgeSeconds: 600, dead: 'dead' },
    },
  },
  functions: [
    {
      ...{ stage: 'relay', memoryMiB: 256, timeoutSeconds: 5 },
      env: { TABLE: { of: 'table' }, BUS: { of: 'bus' } },
      triggers: [
        {
          ...{ kind: 'stream', stream: 'stream', batchSize: 100, windowSeconds: 0, retries: 1 },
          ...{ parallelizationFactor: 2, maxAgeSeconds: 3600, failures: 'failures' },
        },
      ],
    },
    {
      ...{ stage: 'keeper', memoryMiB: 256, timeoutSeconds: 10, reservedConcurrency: 2 },
      env: { TABLE: { of: 'table' }, SECRET: { of: 'secret' } },
      triggers: [
        {
          ...{ kind: 'queue', queue: 'work', batchSize: 10, windowSeconds: 0 },
          maximumConcurrency: 2,
        },
        {
          ...{ kind: 'bus', bus: 'bus', pattern: { 'detail-type': ['async'] } },
          ...{ retries: 2, maxAgeSeconds: 600, dead: 'dead' },
        },
        {
          ...{ kind: 'bus', bus: '', pattern: { source: ['aws.ec2'] } },
          ...{ retries: 2, maxAgeSeconds: 600, dead: 'dead' },
        },
        { kind: 'schedule', everyMinutes: 1, retries: 0, dead: 'dead' },
      ],
    },
  ],
}

/** URLs of the modules of its functions. */
export const smallHandlers = {
  relay: new URL('./relay.ts', import.meta.url).href,
  keeper: new URL('./keeper.ts', import.meta.url).href,
}
