import type { FunctionSpec, Resource } from './types.ts'

/** From the bus to the Kubernetes API of the clusters. */
export const respondResources = {
  /** Responses alone: no other stage can write an approval. */
  responses: { kind: 'table' },
  /** 20 hours of trying: a file with a mistake, or a flood that throttles, uses up no incident. */
  responding: { kind: 'queue', visibilitySeconds: 720, receives: 100, retentionDays: 4 },
  /** A queue of its own: a flood of incidents waits there, and meets limits and breaker in order. */
  'to-responding': {
    ...{ kind: 'route', bus: 'bus', to: 'responding', dead: 'bus-dead' },
    pattern: { source: ['lanner'], 'detail-type': ['Incident Opened', 'Incident Updated'] },
    ...{ retries: 185, maxAgeSeconds: 86_400 },
  },
  evidence: { kind: 'bucket', lockDays: 90, versioned: true },
  'respond-roles': {
    kind: 'external',
    arn: 'arn:PARTITION:iam::*:role/INSTALLATION-respond-*',
    meaning:
      'roles lanner-respond-CLASS-CLUSTER in the accounts of the clusters, made with them, which the function assumes; each is an access entry in the group lanner:respond:CLASS',
  },
  'respond-functions': {
    kind: 'external',
    arn: 'arn:PARTITION:lambda:REGION:ACCOUNT:function:INSTALLATION-response-*',
    meaning: 'functions of the operator that a response may invoke',
  },
  'respond-secrets': {
    kind: 'external',
    arn: 'arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:INSTALLATION/respond/*',
    meaning: 'secrets that webhooks of responses are signed with',
  },
} as const satisfies Readonly<Record<string, Resource>>

export const respondFunctions: readonly FunctionSpec[] = [
  {
    ...{ stage: 'respond', memoryMiB: 1024, timeoutSeconds: 120, reservedConcurrency: 4 },
    triggers: [
      {
        ...{ kind: 'queue', queue: 'responding', batchSize: 1, windowSeconds: 0 },
        maximumConcurrency: 2,
      },
      { kind: 'schedule', everyMinutes: 1, retries: 1, dead: 'bus-dead' },
    ],
    env: {
      ...{ RESPONSES_TABLE: { of: 'responses' }, TABLE: { of: 'table' } },
      ...{ RULES_BUCKET: { of: 'rules' }, EVIDENCE_BUCKET: { of: 'evidence' } },
      ...{ LAKE_BUCKET: { of: 'lake' }, BUS: { of: 'bus' }, DEAD_LETTERS: { of: 'bus-dead' } },
      ...{ APPROVERS: { setting: 'approvers' }, WEBHOOK_SECRETS: { setting: 'respond-secrets' } },
    },
    reach: 'vpc',
  },
]
