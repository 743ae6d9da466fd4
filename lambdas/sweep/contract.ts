import { concludeEnv, concludePermissions } from '../shared/conclude-contract.ts'
import type { StageContract } from '../shared/contract.ts'

/** What the stack must give this stage. */
export const contract = {
  stage: 'sweep',
  env: concludeEnv,
  permissions: [
    {
      actions: [
        ...['dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:Query'],
        'dynamodb:DeleteItem',
      ],
      on: 'table',
    },
    ...concludePermissions,
  ],
} as const satisfies StageContract
