import { RemovalPolicy, Stack } from 'aws-cdk-lib'
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { type IKey, Key } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import type { Resource } from '../topology/types.ts'

/**
 * Classes of data, each with a key of its own: who may read one need not be able to read another, and
 * every use of a key is in the trail.
 */
export type DataClass = 'telemetry' | 'state' | 'rules' | 'alerts' | 'evidence' | 'secrets' | 'logs'

const meanings: Readonly<Record<DataClass, string>> = {
  telemetry: 'what nodes saw: stream, lake, records that could not be judged',
  state: 'what functions remember',
  rules: 'rule sets and which of them is in force',
  alerts: 'what is said of incidents: bus, queues, topics',
  evidence: 'what was kept before a response',
  secrets: 'tokens of destinations',
  logs: 'logs of functions',
}

/** The class of what lies in a resource. */
export function dataClassOf(resource: Resource): DataClass {
  switch (resource.kind) {
    case 'table':
      return 'state'
    case 'bucket':
      if (resource.lockDays !== undefined) return 'evidence'
      return resource.versioned === true ? 'rules' : 'telemetry'
    case 'secret':
      return 'secrets'
    case 'bus':
    case 'queue':
    case 'topic':
    case 'schedules':
      return 'alerts'
    default:
      return 'telemetry'
  }
}

/** The keys of an installation, made by the first stack that needs each. */
export class DataKeys {
  readonly #prefix: string
  readonly #keepData: boolean
  readonly #keys = new Map<DataClass, IKey>()

  constructor(prefix: string, keepData: boolean) {
    this.#prefix = prefix
    this.#keepData = keepData
  }

  of(scope: Construct, dataClass: DataClass): IKey {
    const known = this.#keys.get(dataClass)
    if (known !== undefined) return known
    const stack = Stack.of(scope)
    const key = new Key(stack, `${dataClass}-key`, {
      alias: `${this.#prefix}/${dataClass}`,
      description: `Lanner: ${meanings[dataClass]}`,
      enableKeyRotation: true,
      removalPolicy: this.#keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    })
    for (const statement of serviceStatements(stack, dataClass, this.#prefix)) {
      key.addToResourcePolicy(statement)
    }
    this.#keys.set(dataClass, key)
    return key
  }
}

/** Services of AWS that use a key on their own account, each for what is of this installation alone. */
function serviceStatements(
  { partition, region, account }: Stack,
  dataClass: DataClass,
  prefix: string,
): PolicyStatement[] {
  const use = ['kms:Decrypt', 'kms:GenerateDataKey']
  const allow = (sid: string, service: string, actions: string[], conditions: object) =>
    new PolicyStatement({
      ...{ sid, effect: Effect.ALLOW, actions, resources: ['*'] },
      principals: [new ServicePrincipal(service)],
      conditions: conditions as Record<string, Record<string, unknown>>,
    })
  if (dataClass === 'logs') {
    const group = `arn:${partition}:logs:${region}:${account}:log-group:*${prefix}*`
    return [
      allow(
        'Logs',
        `logs.${region}.amazonaws.com`,
        [
          'kms:Encrypt',
          'kms:Decrypt',
          'kms:ReEncryptFrom',
          'kms:ReEncryptTo',
          'kms:GenerateDataKey',
          'kms:DescribeKey',
        ],
        { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': group } },
      ),
    ]
  }
  if (dataClass !== 'alerts') return []
  const ofAccount = { StringEquals: { 'aws:SourceAccount': account } }
  const events = `arn:${partition}:events:${region}:${account}`
  const buses = `${events}:event-bus/${prefix}-*`
  return [
    // Rules put events into encrypted queues and topics, the bus what it cannot keep.
    allow('Rules', 'events.amazonaws.com', use, {
      ...ofAccount,
      ArnLike: { 'aws:SourceArn': [`${events}:rule/*`, buses] },
    }),
    // The bus and its archive encrypt what they keep: both name the bus as what it is for.
    allow('Bus', 'events.amazonaws.com', [...use, 'kms:ReEncryptFrom', 'kms:ReEncryptTo'], {
      ArnLike: { 'kms:EncryptionContext:aws:events:event-bus:arn': buses },
    }),
    // An archive looks at the key before there is anything to name; it says what the key is, no more.
    allow('KeyOfBus', 'events.amazonaws.com', ['kms:DescribeKey'], {}),
    // Alarms and topics, of this account.
    allow('Alarms', 'cloudwatch.amazonaws.com', use, ofAccount),
    allow('Topics', 'sns.amazonaws.com', use, ofAccount),
  ]
}
