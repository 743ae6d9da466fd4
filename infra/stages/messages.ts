import { Duration, Stack } from 'aws-cdk-lib'
import { CfnArchive, CfnEventBus } from 'aws-cdk-lib/aws-events'
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler'
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import type { Resource } from '../topology/types.ts'
import { acknowledge } from './acknowledge.ts'
import { dataClassOf } from './data-keys.ts'
import type { Made } from './made.ts'
import { nameOf, type PartContext } from './part-context.ts'

type Of<K extends Resource['kind']> = Resource & { readonly kind: K }

/** A bus with an archive of what Lanner says; what AWS says stays on the account's own bus. */
export function makeBus(
  scope: Construct,
  name: string,
  resource: Of<'bus'>,
  context: PartContext,
): Made {
  const key = context.keys.of(scope, dataClassOf(resource))
  const busName = nameOf(context, name)
  const dead = context.made.get(resource.dead)
  const bus = new CfnEventBus(scope, name, {
    name: busName,
    kmsKeyIdentifier: key.keyArn,
    // What its key could not encrypt or decrypt; targets have theirs for all else.
    deadLetterConfig: { arn: dead.arn },
    description: 'Detections, incidents and responses of Lanner',
  })
  new CfnArchive(scope, `${name}-archive`, {
    archiveName: busName,
    sourceArn: bus.attrArn,
    retentionDays: resource.archiveDays,
    kmsKeyIdentifier: key.keyArn,
    eventPattern: { source: ['lanner'] },
  })
  return { kind: 'bus', arn: bus.attrArn, value: bus.ref, metricName: busName, key }
}

/** A queue, and its dead-letter queue when it is one that is read. */
export function makeQueue(
  scope: Construct,
  name: string,
  resource: Of<'queue'>,
  context: PartContext,
): readonly [name: string, made: Made][] {
  const encryptionMasterKey = context.keys.of(scope, dataClassOf(resource))
  const common = {
    encryption: QueueEncryption.KMS,
    encryptionMasterKey,
    dataKeyReuse: Duration.hours(1),
    enforceSSL: true,
  }
  const make = (id: string, more: object) => {
    const queue = new Queue(scope, id, { ...common, queueName: nameOf(context, id), ...more })
    const isEnd = resource.receives === undefined
    queue.addToResourcePolicy(fromRules(context, queue, 'sqs:SendMessage', queue.queueArn, isEnd))
    const metricName = nameOf(context, id)
    const { queueArn: arn, queueUrl: value } = queue
    return {
      queue,
      made: { kind: 'queue', arn, value, metricName, key: encryptionMasterKey } as const,
    }
  }
  const retentionPeriod = Duration.days(resource.retentionDays)
  const visibilityTimeout = Duration.seconds(resource.visibilitySeconds)
  if (resource.receives === undefined) {
    const { queue, made } = make(name, { retentionPeriod, visibilityTimeout })
    acknowledge(queue, endFindings, 'it is where things end: a dead-letter queue itself')
    return [[name, made]]
  }
  const dead = make(`${name}-dead`, { retentionPeriod: Duration.days(14) })
  acknowledge(dead.queue, endFindings, 'it is where things end: a dead-letter queue itself')
  const { made } = make(name, {
    ...{ retentionPeriod, visibilityTimeout },
    deadLetterQueue: { queue: dead.queue, maxReceiveCount: resource.receives },
  })
  return [
    [name, made],
    [`${name}-dead`, dead.made],
  ]
}

const endFindings = ['AwsSolutions-SQS3', 'Serverless-SQSRedrivePolicy']

/** A topic that people subscribe to in the console. */
export function makeTopic(
  scope: Construct,
  name: string,
  resource: Of<'topic'>,
  context: PartContext,
): Made {
  const masterKey = context.keys.of(scope, dataClassOf(resource))
  const topicName = nameOf(context, name)
  const topic = new Topic(scope, name, { topicName, masterKey, enforceSSL: true })
  topic.addToResourcePolicy(fromRules(context, topic, 'sns:Publish', topic.topicArn))
  const { topicArn: arn } = topic
  return { kind: 'topic', arn, value: arn, metricName: topicName, key: masterKey }
}

/** A secret without a value: the operator fills it, and it is never in a template. */
export function makeSecret(
  scope: Construct,
  name: string,
  resource: Of<'secret'>,
  context: PartContext,
): Made {
  const key = context.keys.of(scope, dataClassOf(resource))
  const secret = new CfnSecret(scope, name, {
    name: `${context.config.name}/${name}`,
    description: resource.meaning,
    kmsKeyId: key.keyArn,
  })
  acknowledge(
    secret,
    ['AwsSolutions-SMG4'],
    'it belongs to a service outside AWS: its operator changes it there, and then here',
  )
  return { kind: 'secret', arn: secret.ref, value: `${context.config.name}/${name}`, key }
}

/** A group for one-time schedules, and the role by which they invoke their function. */
export function makeSchedules(
  scope: Construct,
  name: string,
  resource: Of<'schedules'>,
  context: PartContext,
): Made {
  const { partition, region, account } = Stack.of(scope)
  const groupName = nameOf(context, name)
  const group = new CfnScheduleGroup(scope, name, { name: groupName })
  const dead = context.made.get(resource.dead)
  const target = `arn:${partition}:lambda:${region}:${account}:function:${nameOf(context, resource.to)}`
  const role = new Role(scope, `${name}-role`, {
    description: `Schedules of ${groupName} invoke ${resource.to}`,
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': account },
        ArnEquals: {
          'aws:SourceArn': `arn:${partition}:scheduler:${region}:${account}:schedule-group/${groupName}`,
        },
      },
    }),
  })
  role.addToPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [target] }))
  role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [dead.arn] }))
  role.addToPolicy(
    new PolicyStatement({
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: [dead.key!.keyArn],
    }),
  )
  return {
    ...{ kind: 'schedules', arn: group.attrArn, value: groupName, metricName: groupName },
    ...{ target, role: role.roleArn, dead: dead.arn },
  }
}

/**
 * What rules of this installation may do to a queue or topic, each of which has one policy: that of
 * another stack would replace it, so rules that are yet to come are in it by their names. Where things end
 * the bus itself may send too.
 */
function fromRules(
  context: PartContext,
  scope: Construct,
  action: string,
  resource: string,
  isEnd = false,
): PolicyStatement {
  const { partition, region, account } = Stack.of(scope)
  const events = `arn:${partition}:events:${region}:${account}`
  const { name } = context.config
  const rules = [`${events}:rule/${name}-*`, `${events}:rule/${name}-*/*`]
  const sources = isEnd ? [...rules, `${events}:event-bus/${name}-*`] : rules
  return new PolicyStatement({
    ...{ sid: 'Rules', effect: Effect.ALLOW, actions: [action], resources: [resource] },
    principals: [new ServicePrincipal('events.amazonaws.com')],
    conditions: { ArnLike: { 'aws:SourceArn': sources } },
  })
}
