import type { StageContract } from '../../lambdas/shared/contract.ts'
import { resourceOf } from '../topology/check.ts'
import type { EventPattern, FunctionSpec, Topology, Trigger } from '../topology/types.ts'
import { type Properties, type Read, readTemplates } from './read-templates.ts'
import type { Template } from './synthesise.ts'

export interface WiringOptions {
  readonly templates: Readonly<Record<string, Template>>
  readonly topology: Topology
  readonly contracts: Readonly<Record<string, StageContract>>
  /** What settings of the configuration are in the environment. */
  readonly settings: Readonly<Record<string, string>>
}

/**
 * What handlers depend on and templates do not have: variables, permissions, triggers with their batches,
 * retries and ends, dead-letter queues, filters, and the right of rules to invoke and to send. It reads
 * templates and nothing of the constructs that made them.
 */
export function wiringMistakes(options: WiringOptions): readonly string[] {
  return new Wiring(options).mistakes()
}

class Wiring {
  readonly #options: WiringOptions
  readonly #resources: readonly Read[]
  readonly #mistakes: string[] = []

  constructor(options: WiringOptions) {
    this.#options = options
    const { templates, topology } = options
    this.#resources = readTemplates(templates, topology)
  }

  mistakes(): readonly string[] {
    const { topology } = this.#options
    for (const spec of topology.functions) this.#function(spec)
    for (const [name, resource] of Object.entries(topology.resources)) {
      if (resource.kind === 'queue') this.#queue(name, resource)
      if (resource.kind === 'bus') this.#bus(name, resource)
      if (resource.kind === 'route') {
        const { bus, to, pattern, retries, maxAgeSeconds, dead } = resource
        const rule = this.#rule(name, `lanner-${name}`, { bus, pattern, dead })
        this.#target(name, rule, { arn: `<${to}.Arn>`, dead, retries, maxAgeSeconds })
        this.#mayReceive(name, to)
        this.#mayReceive(name, dead)
      }
    }
    return this.#mistakes
  }

  #all(type: string): readonly Read[] {
    return this.#resources.filter((one) => one.type === type)
  }

  #wants(where: string, isSo: boolean, what: string): void {
    if (!isSo) this.#mistakes.push(`${where}: ${what}`)
  }

  #same(where: string, found: Properties | undefined, wanted: Properties): void {
    for (const [key, value] of Object.entries(wanted)) {
      const is = JSON.stringify(found?.[key])
      this.#wants(where, is === JSON.stringify(value), `${key} is ${is}`)
    }
  }

  #function(spec: FunctionSpec): void {
    const { stage, memoryMiB, timeoutSeconds, reservedConcurrency, env, triggers } = spec
    const made = this.#all('AWS::Lambda::Function').find(
      ({ properties }) => properties['FunctionName'] === `lanner-${stage}`,
    )
    if (made === undefined) {
      this.#mistakes.push(`${stage}: there is no function`)
      return
    }
    this.#same(stage, made.properties, {
      ...{ MemorySize: memoryMiB, Timeout: timeoutSeconds, Handler: 'index.handler' },
      ...{ ReservedConcurrentExecutions: reservedConcurrency, Runtime: 'nodejs24.x' },
    })
    const { Variables = {} } = (made.properties['Environment'] ?? {}) as {
      Variables?: Readonly<Record<string, string>>
    }
    for (const [name, value] of Object.entries(env)) {
      const wanted = this.#valueOf(value)
      this.#wants(stage, Variables[name] === wanted, `${name} is ${Variables[name]}, not ${wanted}`)
    }
    this.#same(stage, Variables, { NODE_OPTIONS: '--enable-source-maps' })
    const role = this.#all('AWS::IAM::Role').find(
      ({ properties }) => properties['RoleName'] === `lanner-${stage}`,
    )
    this.#same(stage, made.properties, { Role: `<${role?.id}.Arn>` })
    this.#permissions(spec, String(made.properties['Role']))
    for (const [at, trigger] of triggers.entries()) this.#trigger(spec, trigger, at, made)
    const asynchronous = triggers.find(({ kind }) => kind === 'bus' || kind === 'schedule')
    if (asynchronous?.kind === 'bus' || asynchronous?.kind === 'schedule') {
      this.#async(stage, asynchronous, made)
    }
  }

  #valueOf(value: FunctionSpec['env'][string]): string {
    if (typeof value === 'string') return value
    if ('setting' in value) return this.#options.settings[value.setting]!
    const resource = resourceOf(this.#options.topology, value.of)!
    if (resource.kind === 'external') return this.#external(resource.arn)
    return resource.kind === 'stream' ? 'lanner-stream' : `<${value.of}>`
  }

  #external(arn: string): string {
    const { account = '', region = '' } = this.#options.settings
    return arn
      .replaceAll('PARTITION', 'aws')
      .replaceAll('REGION', region)
      .replaceAll('ACCOUNT', account)
      .replaceAll('INSTALLATION', 'lanner')
  }

  #grants(role: string): readonly { action: string; resource: string }[] {
    const [, id] = /^<(.*)\.Arn>$/.exec(role) ?? []
    return this.#all('AWS::IAM::Policy').flatMap(({ properties }) => {
      if (!(properties['Roles'] as string[]).includes(`<${id}>`)) return []
      const { Statement } = properties['PolicyDocument'] as {
        Statement: { Action: string | string[]; Resource: string | string[]; Effect: string }[]
      }
      return Statement.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action, Resource }) =>
        [Action]
          .flat()
          .flatMap((action) => [Resource].flat().map((resource) => ({ action, resource }))),
      )
    })
  }

  #permissions({ stage, triggers }: FunctionSpec, role: string): void {
    const { contracts, topology } = this.#options
    const grants = this.#grants(role)
    const may = (action: string, resource: string) =>
      this.#wants(
        stage,
        grants.some((one) => one.action === action && one.resource === resource),
        `may not ${action} on ${resource}`,
      )
    const mayUseKey = (name: string, actions: readonly string[]) => {
      const key = this.#keyOf(name)
      if (key !== undefined) for (const action of actions) may(action, key)
    }
    for (const { actions, on, below } of contracts[stage]!.permissions as readonly {
      actions: readonly string[]
      on: string
      below?: string
    }[]) {
      const resource = resourceOf(topology, on)!
      const arn = resource.kind === 'external' ? this.#external(resource.arn) : this.#arn(on)
      for (const action of actions) {
        const isOfBucket = resource.kind !== 'bucket' || action === 's3:ListBucket'
        may(action, isOfBucket ? arn : `${arn}/${below ?? '*'}`)
      }
      const isWriting = actions.some((one) => /:(Put|Send|Publish|Update|Delete)/.test(one))
      mayUseKey(on, isWriting ? ['kms:Decrypt', 'kms:GenerateDataKey'] : ['kms:Decrypt'])
    }
    for (const trigger of triggers) {
      if (trigger.kind === 'stream') {
        const verbs = ['DescribeStream', 'DescribeStreamSummary', 'GetRecords', 'GetShardIterator']
        for (const verb of [...verbs, 'ListShards'])
          may(`kinesis:${verb}`, this.#arn(trigger.stream))
        may('s3:PutObject', `<${trigger.failures}.Arn>/aws/lambda/*`)
        may('s3:ListBucket', `<${trigger.failures}.Arn>`)
        mayUseKey(trigger.stream, ['kms:Decrypt'])
        mayUseKey(trigger.failures, ['kms:GenerateDataKey'])
      } else if (trigger.kind === 'queue') {
        for (const verb of ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes']) {
          may(`sqs:${verb}`, this.#arn(trigger.queue))
        }
        mayUseKey(trigger.queue, ['kms:Decrypt'])
      } else {
        may('sqs:SendMessage', this.#arn(trigger.dead))
        mayUseKey(trigger.dead, ['kms:Decrypt', 'kms:GenerateDataKey'])
      }
    }
  }

  #arn(name: string): string {
    const { topology } = this.#options
    return resourceOf(topology, name)?.kind === 'topic' ? `<${name}>` : `<${name}.Arn>`
  }

  /** The key that encrypts a resource, as its own properties say. */
  #keyOf(name: string): string | undefined {
    const type = types[resourceOf(this.#options.topology, name)?.kind ?? '']
    const found = this.#resources.find(
      (one) => one.type === type && `<${this.#idName(one)}>` === `<${name}>`,
    )
    const text = JSON.stringify(found?.properties ?? {})
    return /<\w+key[0-9A-F]{8}\.Arn>/.exec(text)?.[0]
  }

  #idName({ id }: Read): string {
    const { topology } = this.#options
    const names = Object.keys(topology.resources).flatMap((name) => [name, `${name}-dead`])
    return names.find((name) => name.replaceAll('-', '') === id.replace(/[0-9A-F]{8}$/, '')) ?? id
  }

  #trigger({ stage }: FunctionSpec, trigger: Trigger, at: number, made: Read): void {
    const invoked = `<${made.id}>`
    const mapping = (source: string) =>
      this.#all('AWS::Lambda::EventSourceMapping').find(
        ({ properties }) =>
          properties['EventSourceArn'] === source && properties['FunctionName'] === invoked,
      )
    switch (trigger.kind) {
      case 'stream': {
        this.#same(
          `${stage} from ${trigger.stream}`,
          mapping(this.#arn(trigger.stream))?.properties,
          {
            ...{ StartingPosition: 'TRIM_HORIZON', BatchSize: trigger.batchSize },
            MaximumBatchingWindowInSeconds: trigger.windowSeconds,
            ParallelizationFactor: trigger.parallelizationFactor,
            MaximumRetryAttempts: trigger.retries,
            MaximumRecordAgeInSeconds: trigger.maxAgeSeconds,
            BisectBatchOnFunctionError: true,
            FunctionResponseTypes: ['ReportBatchItemFailures'],
            DestinationConfig: { OnFailure: { Destination: `<${trigger.failures}.Arn>` } },
            MetricsConfig: { Metrics: ['EventCount'] },
          },
        )
        break
      }
      case 'queue':
        this.#same(
          `${stage} from ${trigger.queue}`,
          mapping(this.#arn(trigger.queue))?.properties,
          {
            BatchSize: trigger.batchSize,
            MaximumBatchingWindowInSeconds: trigger.windowSeconds,
            FunctionResponseTypes: ['ReportBatchItemFailures'],
            ScalingConfig: { MaximumConcurrency: trigger.maximumConcurrency },
          },
        )
        break
      case 'bus':
      case 'schedule': {
        const isBus = trigger.kind === 'bus'
        const name = `lanner-${stage}-${isBus ? 'rule' : 'schedule'}-${at}`
        const rule = this.#all('AWS::Events::Rule').find(
          ({ properties }) => properties['Name'] === name,
        )
        const every = isBus ? 0 : trigger.everyMinutes
        this.#same(name, rule?.properties, {
          EventBusName: isBus && trigger.bus !== '' ? `<${trigger.bus}>` : undefined,
          EventPattern: isBus ? trigger.pattern : undefined,
          ScheduleExpression: isBus ? undefined : `rate(${every} minute${every === 1 ? '' : 's'})`,
        })
        const arn = `<${made.id}.Arn>`
        const maxAgeSeconds = isBus
          ? trigger.maxAgeSeconds
          : Math.max(60, trigger.everyMinutes * 60)
        this.#target(stage, rule, {
          arn,
          dead: trigger.dead,
          retries: trigger.retries,
          maxAgeSeconds,
        })
        this.#mayReceive(stage, trigger.dead)
        const permission = this.#all('AWS::Lambda::Permission').find(
          ({ properties }) => properties['SourceArn'] === `<${rule?.id}.Arn>`,
        )
        this.#same(`${stage}, invoked by its rule`, permission?.properties, {
          ...{ Action: 'lambda:InvokeFunction', FunctionName: arn },
          Principal: 'events.amazonaws.com',
        })
      }
    }
  }

  #async(stage: string, trigger: Trigger & { kind: 'bus' | 'schedule' }, made: Read): void {
    const config = this.#all('AWS::Lambda::EventInvokeConfig').find(
      ({ properties }) => properties['FunctionName'] === `<${made.id}>`,
    )
    this.#same(`${stage}, invoked asynchronously`, config?.properties, {
      ...{ Qualifier: '$LATEST', MaximumRetryAttempts: trigger.retries },
      MaximumEventAgeInSeconds: trigger.kind === 'bus' ? trigger.maxAgeSeconds : 3600,
      DestinationConfig: { OnFailure: { Destination: this.#arn(trigger.dead) } },
    })
  }

  #rule(
    where: string,
    name: string,
    wanted: { bus: string; pattern: EventPattern; dead: string },
  ): Read | undefined {
    const rule = this.#all('AWS::Events::Rule').find(
      ({ properties }) => properties['Name'] === name,
    )
    this.#same(where, rule?.properties, {
      ...{ EventBusName: `<${wanted.bus}>`, EventPattern: wanted.pattern },
    })
    return rule
  }

  #target(
    where: string,
    rule: Read | undefined,
    wanted: { arn: string; dead: string; retries: number; maxAgeSeconds: number },
  ): void {
    const [target] = (rule?.properties['Targets'] ?? []) as Properties[]
    this.#same(`${where}, target of its rule`, target, {
      ...{ Arn: wanted.arn, DeadLetterConfig: { Arn: this.#arn(wanted.dead) } },
      RetryPolicy: {
        MaximumEventAgeInSeconds: wanted.maxAgeSeconds,
        MaximumRetryAttempts: wanted.retries,
      },
    })
  }

  #queue(name: string, resource: Topology['resources'][string] & { kind: 'queue' }): void {
    const queue = this.#all('AWS::SQS::Queue').find(
      ({ properties }) => properties['QueueName'] === `lanner-${name}`,
    )
    this.#same(name, queue?.properties, {
      ...{ VisibilityTimeout: resource.visibilitySeconds },
      MessageRetentionPeriod: resource.retentionDays * 86_400,
      RedrivePolicy:
        resource.receives === undefined
          ? undefined
          : { deadLetterTargetArn: `<${name}-dead.Arn>`, maxReceiveCount: resource.receives },
    })
  }

  #bus(name: string, { dead }: Topology['resources'][string] & { kind: 'bus' }): void {
    const bus = this.#all('AWS::Events::EventBus').find(
      ({ properties }) => properties['Name'] === `lanner-${name}`,
    )
    this.#same(name, bus?.properties, { DeadLetterConfig: { Arn: this.#arn(dead) } })
    this.#wants(name, this.#keyOf(name) !== undefined, 'has no key')
    this.#mayReceive(name, dead, ':event-bus/lanner-*')
  }

  /** Whether rules, or what else has ARNs of an ending, may send to a queue. */
  #mayReceive(where: string, queue: string, source = ':rule/lanner-*'): void {
    const arn = this.#arn(queue)
    const isAllowed = this.#all('AWS::SQS::QueuePolicy').some(({ properties }) => {
      const { Statement } = properties['PolicyDocument'] as { Statement: Properties[] }
      return (
        (properties['Queues'] as string[]).includes(`<${queue}>`) &&
        Statement.some(
          ({ Effect, Action, Resource, Principal, Condition }) =>
            Effect === 'Allow' &&
            Action === 'sqs:SendMessage' &&
            Resource === arn &&
            (Principal as Properties)['Service'] === 'events.amazonaws.com' &&
            sourcesOf(Condition).some((one) => one.endsWith(source)),
        )
      )
    })
    this.#wants(where, isAllowed, `${source} may not send to ${queue}`)
  }
}

/** ARNs of what a statement lets act. */
function sourcesOf(condition: unknown): readonly string[] {
  const { ArnLike = {} } = (condition ?? {}) as { ArnLike?: Readonly<Record<string, unknown>> }
  return [ArnLike['aws:SourceArn'] ?? []].flat().map(String)
}

const types: Readonly<Record<string, string>> = {
  ...{ stream: 'AWS::Kinesis::Stream', table: 'AWS::DynamoDB::Table', bucket: 'AWS::S3::Bucket' },
  ...{ queue: 'AWS::SQS::Queue', topic: 'AWS::SNS::Topic', bus: 'AWS::Events::EventBus' },
}
