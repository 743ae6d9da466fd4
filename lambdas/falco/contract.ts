import { concludeEnv, concludePermissions } from '../shared/conclude-contract.ts'
import type { StageContract } from '../shared/contract.ts'

/** What the stack must give this stage. */
export const contract = {
  stage: 'falco',
  env: {
    ...concludeEnv,
    RULES_BUCKET: { meaning: 'bucket of rule sets and their assignment' },
    CLUSTER: {
      meaning: 'cluster of alerts that do not name theirs in the output field "cluster"',
      default: 'falco',
    },
    CLUSTERS: {
      meaning: 'clusters that metrics name, separated by commas; all others are one',
      default: '',
    },
  },
  permissions: [
    { actions: ['dynamodb:BatchGetItem', 'dynamodb:PutItem'], on: 'table' },
    { actions: ['s3:GetObject'], on: 'rules' },
    ...concludePermissions,
  ],
} as const satisfies StageContract
