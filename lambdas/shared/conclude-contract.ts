import type { Permission, Variable } from './contract.ts'

/** The variables of every stage that concludes: that writes detections down and tells of incidents. */
export const concludeEnv = {
  TABLE: { meaning: 'table of state' },
  LAKE_BUCKET: { meaning: 'bucket of detections, and of messages too long for the bus' },
  BUS: { meaning: 'name of the event bus' },
  DEAD_LETTERS: { meaning: 'URL of the queue for what the bus does not take' },
  QUIET_SECONDS: {
    meaning: 'seconds without a detection after which an incident is over',
    default: '900',
  },
} as const satisfies Readonly<Record<string, Variable>>

/** What each of them may do beside its own reads and writes of state. */
export const concludePermissions = [
  { actions: ['s3:PutObject'], on: 'lake', below: 'detections/*' },
  { actions: ['s3:PutObject'], on: 'lake', below: 'oversized/*' },
  { actions: ['events:PutEvents'], on: 'bus' },
  { actions: ['sqs:SendMessage'], on: 'bus-dead' },
] as const satisfies readonly Permission[]
