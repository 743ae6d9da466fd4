import type { StageContract } from '../shared/contract.ts'

/** Kinds of destinations, each with a queue called `notify-KIND`. */
export const queueKinds = [
  ...(['sns', 'slack', 'alertmanager', 'pagerduty', 'jira', 'github'] as const),
  ...(['security-hub', 'webhook', 'webhook-vpc', 'falcosidekick'] as const),
]
export type QueueKind = (typeof queueKinds)[number]

/** Variable with the URL of a kind's queue. */
export function queueVariable(kind: QueueKind): string {
  return `QUEUE_${kind.toUpperCase().replaceAll('-', '_')}`
}

/** What the stack must give this stage. */
export const contract = {
  stage: 'router',
  env: {
    TABLE: { meaning: 'table of state: who was told of which incident' },
    RULES_BUCKET: { meaning: 'bucket of rules, in which routes.yaml lies' },
    ...Object.fromEntries(
      queueKinds.map((kind) => [
        queueVariable(kind),
        { meaning: `URL of the queue of destinations of the kind ${kind}` },
      ]),
    ),
  },
  permissions: [
    { actions: ['dynamodb:BatchGetItem', 'dynamodb:PutItem'], on: 'table' },
    { actions: ['s3:GetObject'], on: 'rules', below: 'routes.yaml' },
    ...queueKinds.map((kind) => ({ actions: ['sqs:SendMessage'], on: `notify-${kind}` })),
  ],
} as const satisfies StageContract
