import { CfnRule } from 'aws-cdk-lib/aws-events'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { CfnEventInvokeConfig, CfnEventSourceMapping, CfnPermission } from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import type { EventPattern, FunctionSpec, Trigger } from '../topology/types.ts'
import { acknowledge } from './acknowledge.ts'
import { keyStatement } from './grants.ts'
import type { Made } from './made.ts'
import { nameOf, type PartContext } from './part-context.ts'
import type { StageFunction } from './stage-function.ts'

/** Connects a function with what invokes it; each way has its retries, its age and its end. */
export function addTriggers(stage: StageFunction, spec: FunctionSpec, context: PartContext): void {
  for (const [at, trigger] of spec.triggers.entries()) {
    switch (trigger.kind) {
      case 'stream':
        fromStream(stage, trigger, context)
        break
      case 'queue':
        fromQueue(stage, trigger, context)
        break
      case 'bus':
        fromBus(stage, `rule-${at}`, trigger, context)
        break
      case 'schedule':
        fromSchedule(stage, `schedule-${at}`, trigger, context)
        break
    }
  }
  configureAsync(stage, spec, context)
}

function fromStream(
  stage: StageFunction,
  trigger: Trigger & { readonly kind: 'stream' },
  context: PartContext,
): void {
  const { made } = context
  const stream = made.get(trigger.stream)
  const failures = made.get(trigger.failures)
  allow(
    stage,
    [
      'kinesis:DescribeStream',
      'kinesis:DescribeStreamSummary',
      'kinesis:GetRecords',
      'kinesis:GetShardIterator',
      'kinesis:ListShards',
    ],
    stream.arn,
  )
  stage.role.addToPolicy(keyStatement(stream.key!, ['kms:Decrypt']))
  allow(stage, ['s3:ListBucket'], failures.arn)
  allow(stage, ['s3:PutObject'], `${failures.arn}/aws/lambda/*`)
  stage.role.addToPolicy(keyStatement(failures.key!, ['kms:GenerateDataKey']))
  const mapping = new CfnEventSourceMapping(stage, 'stream', {
    functionName: stage.function.functionName,
    eventSourceArn: stream.arn,
    startingPosition: 'TRIM_HORIZON',
    batchSize: trigger.batchSize,
    maximumBatchingWindowInSeconds: trigger.windowSeconds,
    parallelizationFactor: trigger.parallelizationFactor,
    maximumRetryAttempts: trigger.retries,
    maximumRecordAgeInSeconds: trigger.maxAgeSeconds,
    bisectBatchOnFunctionError: true,
    functionResponseTypes: ['ReportBatchItemFailures'],
    // What was given up is counted by the mapping alone, and only when it is asked to.
    metricsConfig: { metrics: ['EventCount'] },
    // A bucket gets the records, a queue would get where they were.
    destinationConfig: { onFailure: { destination: failures.arn } },
  })
  mapping.node.addDependency(stage.role)
  made.addMapping(stage.stage, mapping.ref)
}

function fromQueue(
  stage: StageFunction,
  trigger: Trigger & { readonly kind: 'queue' },
  { made }: PartContext,
): void {
  const queue = made.get(trigger.queue)
  allow(stage, ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], queue.arn)
  stage.role.addToPolicy(keyStatement(queue.key!, ['kms:Decrypt']))
  const mapping = new CfnEventSourceMapping(stage, `queue-${trigger.queue}`, {
    functionName: stage.function.functionName,
    eventSourceArn: queue.arn,
    batchSize: trigger.batchSize,
    maximumBatchingWindowInSeconds: trigger.windowSeconds,
    functionResponseTypes: ['ReportBatchItemFailures'],
    scalingConfig: { maximumConcurrency: trigger.maximumConcurrency },
  })
  mapping.node.addDependency(stage.role)
  acknowledge(
    mapping,
    ['Serverless-LambdaEventSourceMappingDestination'],
    'a queue has no failure destination: what it brings too often goes to its dead-letter queue',
  )
}

function fromBus(
  stage: StageFunction,
  id: string,
  trigger: Trigger & { readonly kind: 'bus' },
  context: PartContext,
): void {
  const rule = makeRule(stage, id, {
    ...{ context, name: `${stage.stage}-${id}`, target: stage.function.functionArn },
    ...(trigger.bus !== '' && { bus: context.made.get(trigger.bus) }),
    ...{ pattern: trigger.pattern, retries: trigger.retries, maxAge: trigger.maxAgeSeconds },
    dead: context.made.get(trigger.dead),
  })
  permit(stage, id, rule)
}

function fromSchedule(
  stage: StageFunction,
  id: string,
  trigger: Trigger & { readonly kind: 'schedule' },
  context: PartContext,
): void {
  const minutes = trigger.everyMinutes
  const rule = makeRule(stage, id, {
    ...{ context, name: `${stage.stage}-${id}`, target: stage.function.functionArn },
    schedule: `rate(${minutes} minute${minutes === 1 ? '' : 's'})`,
    // The next one comes; one that is late is of no use.
    ...{ retries: trigger.retries, maxAge: Math.max(60, minutes * 60) },
    dead: context.made.get(trigger.dead),
  })
  permit(stage, id, rule)
}

export interface RuleProps {
  readonly context: PartContext
  readonly name: string
  readonly bus?: Made
  readonly pattern?: EventPattern
  readonly schedule?: string
  readonly target: string
  readonly retries: number
  /** Seconds. */
  readonly maxAge: number
  readonly dead: Made
}

/** A rule with one target, retries, an age and a dead-letter queue. */
export function makeRule(scope: Construct, id: string, props: RuleProps): CfnRule {
  const { context, bus, pattern, schedule, target, retries, maxAge, dead } = props
  return new CfnRule(scope, id, {
    name: nameOf(context, props.name),
    ...(bus !== undefined && { eventBusName: bus.value }),
    ...(pattern !== undefined && { eventPattern: pattern }),
    ...(schedule !== undefined && { scheduleExpression: schedule }),
    targets: [
      {
        ...{ id: 'target', arn: target, deadLetterConfig: { arn: dead.arn } },
        retryPolicy: { maximumRetryAttempts: retries, maximumEventAgeInSeconds: maxAge },
      },
    ],
  })
}

function permit(stage: StageFunction, id: string, rule: CfnRule): void {
  new CfnPermission(stage, `${id}-may-invoke`, {
    action: 'lambda:InvokeFunction',
    functionName: stage.function.functionArn,
    principal: 'events.amazonaws.com',
    sourceArn: rule.attrArn,
  })
}

/** What a function fails on that nobody waits for goes to a queue, with the event and the reason. */
function configureAsync(stage: StageFunction, spec: FunctionSpec, context: PartContext): void {
  const { made, topology } = context
  const bus = spec.triggers.find((trigger) => trigger.kind === 'bus')
  const schedule = spec.triggers.find((trigger) => trigger.kind === 'schedule')
  const once = Object.values(topology.resources).find(
    (resource) => resource.kind === 'schedules' && resource.to === spec.stage,
  )
  const onceDead = once?.kind === 'schedules' ? once.dead : undefined
  const name = bus?.dead ?? schedule?.dead ?? onceDead
  if (name === undefined) return
  const dead = made.get(name)
  allow(stage, ['sqs:SendMessage'], dead.arn)
  stage.role.addToPolicy(keyStatement(dead.key!, ['kms:Decrypt', 'kms:GenerateDataKey']))
  const config = new CfnEventInvokeConfig(stage, 'async', {
    functionName: stage.function.functionName,
    qualifier: '$LATEST',
    maximumRetryAttempts: bus?.retries ?? schedule?.retries ?? 2,
    maximumEventAgeInSeconds: bus?.maxAgeSeconds ?? (schedule === undefined ? 21_600 : 3600),
    destinationConfig: { onFailure: { destination: dead.arn } },
  })
  config.node.addDependency(stage.role)
}

function allow(stage: StageFunction, actions: readonly string[], resource: string): void {
  stage.role.addToPolicy(new PolicyStatement({ actions: [...actions], resources: [resource] }))
}
