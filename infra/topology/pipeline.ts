import type { FunctionSpec, Resource } from './types.ts'

/** From the stream to verdicts, state, lake and bus. */
export const pipelineResources: Readonly<Record<string, Resource>> = {
  stream: { kind: 'stream', retentionHours: 24, shards: 1 },
  table: { kind: 'table' },
  bus: { kind: 'bus', archiveDays: 30 },
  /** Rule sets by hash, and which of them judges which cluster. */
  rules: { kind: 'bucket', versioned: true },
  /** Batches as they are, detections, and what was too long for the bus. */
  lake: { kind: 'bucket', expireDays: 90 },
  /** Records that could not be judged, with their bytes. */
  failures: { kind: 'bucket', expireDays: 30 },
  /** Messages that the bus did not take. */
  'bus-dead': { kind: 'queue', visibilitySeconds: 60, receives: 5, retentionDays: 14 },
}

export const pipelineFunctions: readonly FunctionSpec[] = []
