import type { FunctionSpec, Resource } from './types.ts'

/** Kinds of destinations, and where they are. */
const kinds: Readonly<Record<string, FunctionSpec['reach']>> = {
  ...{ sns: undefined, 'security-hub': undefined },
  ...{ slack: 'internet', pagerduty: 'internet', jira: 'internet', github: 'internet' },
  ...{ webhook: 'internet', 'webhook-vpc': 'vpc' },
  ...{ alertmanager: 'vpc', falcosidekick: 'vpc' },
}

/** Kinds whose destinations have secrets; a function reads those of its own kind. */
const secretKinds = Object.keys(kinds).filter(
  (kind) => !['sns', 'security-hub', 'webhook-vpc'].includes(kind),
)

/** Received so often for faults of ours alone: what a destination does not take is put back anew. */
const queue = { kind: 'queue', visibilitySeconds: 360, receives: 5, retentionDays: 14 } as const

/** From the bus to people. */
export const routingResources: Readonly<Record<string, Resource>> = {
  routing: { ...queue, visibilitySeconds: 180 },
  /** All that people may be told of, unless an approved exception covers it. */
  'to-routing': {
    ...{ kind: 'route', bus: 'bus', to: 'routing', dead: 'bus-dead' },
    pattern: {
      source: ['lanner'],
      'detail-type': [{ prefix: 'Incident ' }, 'Sensor Health', 'Delivery Health'],
      detail: { incident: { suppressed: { id: [{ exists: false }] } } },
    },
    ...{ retries: 185, maxAgeSeconds: 86_400 },
  },
  /** What responses did, and what they wait for. Their `incident` is an id: a rule of their own. */
  'responses-to-routing': {
    ...{ kind: 'route', bus: 'bus', to: 'routing', dead: 'bus-dead' },
    pattern: { source: ['lanner'], 'detail-type': [{ prefix: 'Response ' }] },
    ...{ retries: 185, maxAgeSeconds: 86_400 },
  },
  /** People subscribe to it, by severity, rule, tactic, cluster, namespace, team, state. */
  alerts: { kind: 'topic' },
  'notify-topics': {
    ...{ kind: 'external', arn: 'arn:PARTITION:sns:REGION:ACCOUNT:INSTALLATION-*' },
    meaning: 'further topics that routes name',
  },
  'security-hub-product': {
    kind: 'external',
    arn: 'arn:PARTITION:securityhub:REGION:ACCOUNT:product/ACCOUNT/default',
    meaning: 'where findings of the account itself go to',
  },
  ...Object.fromEntries(Object.keys(kinds).map((kind) => [`notify-${kind}`, queue])),
  ...Object.fromEntries(
    secretKinds.map((kind): [string, Resource] => [
      `secrets-of-${kind}`,
      {
        kind: 'external',
        // Secrets Manager puts six characters behind the name
        arn: `arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:INSTALLATION/notify/${kind}*`,
        meaning: `secrets of destinations of the kind ${kind}`,
      },
    ]),
  ),
}

const more: Readonly<Record<string, FunctionSpec['env']>> = {
  sns: { TOPIC: { of: 'alerts' } },
  'security-hub': { PRODUCT: { of: 'security-hub-product' } },
}

export const routingFunctions: readonly FunctionSpec[] = [
  {
    ...{ stage: 'router', memoryMiB: 512, timeoutSeconds: 30 },
    triggers: [
      {
        ...{ kind: 'queue', queue: 'routing', batchSize: 10, windowSeconds: 0 },
        maximumConcurrency: 10,
      },
    ],
    env: {
      ...{ TABLE: { of: 'table' }, RULES_BUCKET: { of: 'rules' } },
      ...Object.fromEntries(
        Object.keys(kinds).map((kind) => [
          `QUEUE_${kind.toUpperCase().replaceAll('-', '_')}`,
          { of: `notify-${kind}` },
        ]),
      ),
    },
  },
  ...Object.entries(kinds).map(
    ([kind, reach]): FunctionSpec => ({
      ...{ stage: `notify-${kind}`, memoryMiB: 512, timeoutSeconds: 300 },
      triggers: [
        {
          ...{ kind: 'queue', queue: `notify-${kind}`, batchSize: 10, windowSeconds: 0 },
          maximumConcurrency: 10,
        },
      ],
      env: {
        ...{ TABLE: { of: 'table' }, RULES_BUCKET: { of: 'rules' }, BUS: { of: 'bus' } },
        ...{ QUEUE: { of: `notify-${kind}` }, DEAD: { of: `notify-${kind}-dead` } },
        ...{ LAKE_BUCKET: { of: 'lake' }, DEAD_LETTERS: { of: 'bus-dead' } },
        ...more[kind],
      },
      ...(reach !== undefined && { reach }),
    }),
  ),
]
