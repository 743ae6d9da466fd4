import type { StageContract } from '../shared/contract.ts'

/** What the stack must give this stage. */
export const contract = {
  stage: 'falco',
  env: {
    TABLE: { meaning: 'table of state' },
    RULES_BUCKET: { meaning: 'bucket of rule sets and their assignment' },
    LAKE_BUCKET: { meaning: 'bucket of detections, and of messages too long for the bus' },
    BUS: { meaning: 'name of the event bus' },
    DEAD_LETTERS: { meaning: 'URL of the queue for what the bus does not take' },
    CLUSTER: {
      meaning: 'cluster of alerts that do not name theirs in the output field "cluster"',
      default: 'falco',
    },
    QUIET_SECONDS: {
      meaning: 'seconds without a detection after which an incident is over',
      default: '900',
    },
  },
  permissions: [
    { actions: ['dynamodb:BatchGetItem', 'dynamodb:PutItem'], on: 'table' },
    { actions: ['s3:GetObject'], on: 'rules' },
    { actions: ['s3:PutObject'], on: 'lake', below: 'detections/*' },
    { actions: ['s3:PutObject'], on: 'lake', below: 'oversized/*' },
    { actions: ['events:PutEvents'], on: 'bus' },
    { actions: ['sqs:SendMessage'], on: 'bus-dead' },
  ],
} as const satisfies StageContract
