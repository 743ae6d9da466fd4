import { CreateBucketCommand, PutObjectLockConfigurationCommand } from '@aws-sdk/client-s3'
import { CreateTopicCommand } from '@aws-sdk/client-sns'
import { CreateQueueCommand } from '@aws-sdk/client-sqs'
import type { Resource, Topology } from '../topology/types.ts'
import type { LocalClients } from './clients.ts'
import { createTable } from './emulators/dynamo.ts'
import { createStream } from './emulators/kinesis.ts'
import type { LocalNames } from './local-names.ts'
import { queueArn } from './queue-poller.ts'

/** Makes what a topology names, each as its service here knows it. */
export async function makeResources(
  { resources }: Topology,
  names: LocalNames,
  clients: LocalClients,
): Promise<void> {
  await Promise.all(
    Object.entries(resources).map(([name, resource]) => make(names.name(name), resource, clients)),
  )
}

async function make(name: string, resource: Resource, clients: LocalClients): Promise<void> {
  switch (resource.kind) {
    case 'stream':
      await createStream(clients.kinesis, name, resource.shards)
      return
    case 'table':
      await createTable(clients.dynamodb, name)
      return
    case 'bucket':
      await makeBucket(name, resource, clients)
      return
    case 'topic':
      await clients.sns.send(new CreateTopicCommand({ Name: name }))
      return
    case 'queue': {
      const { receives, visibilitySeconds, retentionDays } = resource
      const Attributes: Record<string, string> = {
        VisibilityTimeout: `${visibilitySeconds}`,
        MessageRetentionPeriod: `${retentionDays * 86_400}`,
      }
      if (receives !== undefined) {
        const dead = `${name}-dead`
        await clients.sqs.send(new CreateQueueCommand({ QueueName: dead }))
        const policy = { deadLetterTargetArn: queueArn(dead), maxReceiveCount: receives }
        Attributes['RedrivePolicy'] = JSON.stringify(policy)
      }
      await clients.sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }))
      return
    }
    // These are made where they are used, or by nobody here.
    case 'bus':
    case 'secret':
    case 'schedules':
    case 'route':
    case 'delivery':
    case 'external':
      return
  }
}

async function makeBucket(
  Bucket: string,
  { lockDays }: Resource & { readonly kind: 'bucket' },
  { s3 }: LocalClients,
): Promise<void> {
  const isLocked = lockDays !== undefined
  const lock = isLocked ? { ObjectLockEnabledForBucket: true } : {}
  await s3.send(new CreateBucketCommand({ Bucket, ...lock }))
  if (!isLocked) return
  const DefaultRetention = { Mode: 'GOVERNANCE', Days: lockDays } as const
  const ObjectLockConfiguration = {
    ObjectLockEnabled: 'Enabled',
    Rule: { DefaultRetention },
  } as const
  await s3.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }))
}
