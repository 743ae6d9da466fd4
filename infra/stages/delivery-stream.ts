import { RemovalPolicy, Stack } from 'aws-cdk-lib'
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { CfnDeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose'
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, LogStream, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { Resource } from '../topology/types.ts'
import { acknowledge } from './acknowledge.ts'
import { nameOf, type PartContext } from './part-context.ts'
import { logStreamsOf } from './stage-function.ts'

export interface LakeDeliveryProps {
  readonly name: string
  readonly resource: Resource & { readonly kind: 'delivery' }
  /** Makes frames of records. */
  readonly by: LambdaFunction
  readonly context: PartContext
}

/** Writes the stream into the lake: a minute or 64 MiB of frames an object, by the hour of arrival. */
export class LakeDelivery extends Construct {
  readonly deliveryStreamName: string

  constructor(scope: Construct, { name, resource, by, context }: LakeDeliveryProps) {
    super(scope, name)
    const { account } = Stack.of(this)
    this.deliveryStreamName = nameOf(context, name)
    const [stream, lake] = [context.made.get(resource.from), context.made.get(resource.to)]
    const logGroupName = `/aws/kinesisfirehose/${this.deliveryStreamName}`
    const logs = new LogGroup(this, 'logs', {
      logGroupName,
      retention: context.config.logDays as RetentionDays,
      encryptionKey: context.keys.of(this, 'logs'),
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const logStream = new LogStream(this, 'log', {
      logGroup: logs,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const role = new Role(this, 'role', {
      description: 'Reads the stream, writes batches to the lake',
      assumedBy: new ServicePrincipal('firehose.amazonaws.com', {
        conditions: { StringEquals: { 'sts:ExternalId': account } },
      }),
    })
    const statements: [actions: string[], resources: string[]][] = [
      [
        [
          'kinesis:DescribeStream',
          'kinesis:GetRecords',
          'kinesis:GetShardIterator',
          'kinesis:ListShards',
        ],
        [stream.arn],
      ],
      [['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'], [lake.arn]],
      [
        ['s3:PutObject', 's3:AbortMultipartUpload'],
        [`${lake.arn}/batches/*`, `${lake.arn}/failed/*`],
      ],
      [
        ['lambda:InvokeFunction', 'lambda:GetFunctionConfiguration'],
        [by.functionArn, `${by.functionArn}:$LATEST`],
      ],
      [['kms:Decrypt', 'kms:GenerateDataKey'], [stream.key!.keyArn]],
      [['logs:PutLogEvents'], [logStreamsOf(this, logGroupName, logStream.logStreamName)]],
    ]
    for (const [actions, resources] of statements) {
      role.addToPolicy(new PolicyStatement({ actions, resources }))
    }
    const hour =
      'year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/'
    const delivery = new CfnDeliveryStream(this, 'delivery', {
      deliveryStreamName: this.deliveryStreamName,
      deliveryStreamType: 'KinesisStreamAsSource',
      kinesisStreamSourceConfiguration: { kinesisStreamArn: stream.arn, roleArn: role.roleArn },
      extendedS3DestinationConfiguration: {
        bucketArn: lake.arn,
        roleArn: role.roleArn,
        prefix: `batches/${hour}`,
        errorOutputPrefix: `failed/!{firehose:error-output-type}/${hour}`,
        bufferingHints: { intervalInSeconds: 60, sizeInMBs: 64 },
        // Batches are compressed already.
        compressionFormat: 'UNCOMPRESSED',
        encryptionConfiguration: { kmsEncryptionConfig: { awskmsKeyArn: lake.key!.keyArn } },
        cloudWatchLoggingOptions: {
          ...{ enabled: true, logGroupName: logs.logGroupName },
          logStreamName: logStream.logStreamName,
        },
        processingConfiguration: {
          enabled: true,
          processors: [
            {
              type: 'Lambda',
              parameters: [
                { parameterName: 'LambdaArn', parameterValue: `${by.functionArn}:$LATEST` },
                { parameterName: 'RoleArn', parameterValue: role.roleArn },
                { parameterName: 'NumberOfRetries', parameterValue: '3' },
                // Base64 and the frames stay below the 6 MB of an invocation.
                { parameterName: 'BufferSizeInMBs', parameterValue: '3' },
                { parameterName: 'BufferIntervalInSeconds', parameterValue: '60' },
              ],
            },
          ],
        },
      },
    })
    delivery.node.addDependency(role)
    acknowledge(
      delivery,
      ['AwsSolutions-KDF1'],
      'its source is a stream that is encrypted by our key; encryption of its own is for direct puts',
    )
  }
}
