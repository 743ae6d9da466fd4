import type { Permission, StageContract } from '../shared/contract.ts'

/** Variables that every kind of destination has. */
const env = {
  TABLE: { meaning: 'table of state: what each destination was told' },
  RULES_BUCKET: { meaning: 'bucket of rules: routes.yaml and the runbooks of the rule sets' },
  QUEUE: { meaning: 'URL of its own queue, for what is to come again' },
  DEAD: { meaning: 'URL of the dead-letter queue of its queue, for what is given up' },
  BUS: { meaning: 'name of the event bus, to tell of destinations that fail' },
  LAKE_BUCKET: { meaning: 'bucket for messages too long for the bus' },
  DEAD_LETTERS: { meaning: 'URL of the queue for what the bus does not take' },
} as const

/** What the stack must give the function of a kind of destinations. */
export function notifyContract(
  kind: string,
  more: {
    readonly env?: StageContract['env']
    readonly permissions?: readonly Permission[]
    /** Kind whose secrets it reads; without, its destinations have none. */
    readonly secretsOf?: string
  },
): StageContract<keyof typeof env> {
  const stage = `notify-${kind}`
  return {
    stage,
    env: { ...env, ...more.env },
    permissions: [
      { actions: ['dynamodb:BatchGetItem', 'dynamodb:PutItem'], on: 'table' },
      { actions: ['s3:GetObject'], on: 'rules' },
      { actions: ['sqs:SendMessage'], on: stage },
      { actions: ['sqs:SendMessage'], on: `${stage}-dead` },
      { actions: ['events:PutEvents'], on: 'bus' },
      { actions: ['s3:PutObject'], on: 'lake', below: 'oversized/*' },
      { actions: ['sqs:SendMessage'], on: 'bus-dead' },
      ...(more.secretsOf === undefined
        ? []
        : [{ actions: ['secretsmanager:GetSecretValue'], on: `secrets-of-${more.secretsOf}` }]),
      ...(more.permissions ?? []),
    ],
  }
}
