import type { StageContract } from '../shared/contract.ts'

/** What the stack must give this stage: nothing, Firehose brings the records and takes the answer. */
export const contract = {
  stage: 'lake',
  env: {},
  permissions: [],
} as const satisfies StageContract
