import { concludeEnv, concludePermissions } from '../shared/conclude-contract.ts'
import type { StageContract } from '../shared/contract.ts'

/** What the stack must give this stage. `infra` reads these names, and so does the handler. */
export const contract = {
  stage: 'evaluate',
  env: {
    ...concludeEnv,
    RULES_BUCKET: {
      meaning: 'bucket of rule sets, their assignment and the senders that are trusted',
    },
    FAILURES_BUCKET: { meaning: 'bucket for records that cannot be read' },
    CLUSTERS: {
      meaning: 'clusters that metrics name, separated by commas; all others are one',
      default: '',
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
    { actions: ['s3:GetObject'], on: 'rules' },
    // without the right to list, S3 answers 403 for what is not there
    { actions: ['s3:ListBucket'], on: 'rules' },
    { actions: ['s3:PutObject'], on: 'failures' },
    ...concludePermissions,
  ],
} as const satisfies StageContract
