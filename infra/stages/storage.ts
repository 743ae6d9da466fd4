import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb'
import { CfnStream } from 'aws-cdk-lib/aws-kinesis'
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type IBucket,
  ObjectLockRetention,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'
import type { Resource } from '../topology/types.ts'
import { acknowledge } from './acknowledge.ts'
import { dataClassOf } from './data-keys.ts'
import type { Made } from './made.ts'
import { nameOf, type PartContext } from './part-context.ts'

type Of<K extends Resource['kind']> = Resource & { readonly kind: K }

/** Batches of nodes: provisioned, which for batches costs a twelfth of on demand. */
export function makeStream(
  scope: Construct,
  name: string,
  resource: Of<'stream'>,
  context: PartContext,
): Made {
  const key = context.keys.of(scope, dataClassOf(resource))
  const stream = new CfnStream(scope, name, {
    name: nameOf(context, name),
    shardCount: Math.max(resource.shards, context.config.shards),
    retentionPeriodHours: resource.retentionHours,
    streamEncryption: { encryptionType: 'KMS', keyId: key.keyArn },
    streamModeDetails: { streamMode: 'PROVISIONED' },
  })
  acknowledge(
    stream,
    ['AwsSolutions-KDS3'],
    'the key of AWS cannot be used from other accounts, in which nodes may be, and has no own policy',
  )
  return { kind: 'stream', arn: stream.attrArn, value: stream.ref, metricName: stream.ref, key }
}

/** State by `pk` and `sk`, gone after `expires`, recoverable to any second of 35 days. */
export function makeTable(
  scope: Construct,
  name: string,
  resource: Of<'table'>,
  context: PartContext,
): Made {
  const key = context.keys.of(scope, dataClassOf(resource))
  const table = new Table(scope, name, {
    partitionKey: { name: 'pk', type: AttributeType.STRING },
    sortKey: { name: 'sk', type: AttributeType.STRING },
    timeToLiveAttribute: 'expires',
    billingMode: BillingMode.PAY_PER_REQUEST,
    encryption: TableEncryption.CUSTOMER_MANAGED,
    encryptionKey: key,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: context.config.keepData,
    removalPolicy: removal(context),
  })
  const { tableArn: arn, tableName: value } = table
  return { kind: 'table', arn, value, metricName: value, key }
}

/** Private, over TLS alone, encrypted by the key of its data; with a lock nobody can delete before time. */
export function makeBucket(
  scope: Construct,
  name: string,
  resource: Of<'bucket'>,
  context: PartContext,
): Made {
  const key = context.keys.of(scope, dataClassOf(resource))
  const { versioned } = resource
  const lockDays = resource.lockDays === undefined ? undefined : context.config.evidenceDays
  const expireDays = name === 'lake' ? context.config.lakeDays : resource.expireDays
  const isVersioned = versioned === true || lockDays !== undefined
  const bucket = new Bucket(scope, name, {
    ...closed,
    encryption: BucketEncryption.KMS,
    encryptionKey: key,
    // One call to the key a bucket and hour, not one an object.
    bucketKeyEnabled: true,
    versioned: isVersioned,
    removalPolicy: removal(context),
    serverAccessLogsBucket: accessLogs(scope, context) as IBucket,
    serverAccessLogsPrefix: `${name}/`,
    ...(lockDays !== undefined && {
      objectLockEnabled: true,
      objectLockDefaultRetention: ObjectLockRetention.governance(Duration.days(lockDays)),
    }),
    lifecycleRules: [
      {
        abortIncompleteMultipartUploadAfter: Duration.days(1),
        ...(expireDays !== undefined && { expiration: Duration.days(expireDays) }),
        ...(isVersioned && { noncurrentVersionExpiration: Duration.days(lockDays ?? 90) }),
      },
    ],
  })
  return { kind: 'bucket', arn: bucket.bucketArn, value: bucket.bucketName, key }
}

const closed = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
}

/** Where the access logs of a stack's buckets go. */
function accessLogs(scope: Construct, context: PartContext): Bucket {
  const stack = Stack.of(scope)
  const known = stack.node.tryFindChild('access-logs')
  if (known !== undefined) return known as Bucket
  const bucket = new Bucket(stack, 'access-logs', {
    ...closed,
    // The service that writes access logs can use no key of ours.
    encryption: BucketEncryption.S3_MANAGED,
    removalPolicy: removal(context),
    lifecycleRules: [{ expiration: Duration.days(context.config.logDays) }],
  })
  acknowledge(
    bucket,
    ['AwsSolutions-S1'],
    'it holds the access logs; those of its own would not end',
  )
  return bucket
}

function removal({ config }: PartContext): RemovalPolicy {
  return config.keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY
}
