import type { StageContract } from '../shared/contract.ts'

/** What the stack must give this stage. */
export const contract = {
  stage: 'sweep',
  env: {
    TABLE: { meaning: 'table of state' },
    LAKE_BUCKET: { meaning: 'bucket of detections, and of messages too long for the bus' },
    BUS: { meaning: 'name of the event bus' },
    DEAD_LETTERS: { meaning: 'URL of the queue for what the bus does not take' },
    QUIET_SECONDS: {
      meaning: 'seconds without a detection after which an incident is over',
      default: '900',
    },
  },
  permissions: [
    {
      actions: [
        ...['dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:Query'],
        'dynamodb:DeleteItem',
      ],
      on: 'table',
    },
    { actions: ['s3:PutObject'], on: 'lake', below: 'detections/*' },
    { actions: ['s3:PutObject'], on: 'lake', below: 'oversized/*' },
    { actions: ['events:PutEvents'], on: 'bus' },
    { actions: ['sqs:SendMessage'], on: 'bus-dead' },
  ],
} as const satisfies StageContract
