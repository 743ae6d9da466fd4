import type { StageContract } from '../shared/contract.ts'

/** What the stack must give this stage. */
export const contract = {
  stage: 'departures',
  env: { TABLE: { meaning: 'table of state' } },
  permissions: [{ actions: ['dynamodb:PutItem', 'dynamodb:BatchGetItem'], on: 'table' }],
} as const satisfies StageContract
