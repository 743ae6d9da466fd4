import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { KinesisClient } from '@aws-sdk/client-kinesis'
import { S3Client } from '@aws-sdk/client-s3'
import { SNSClient } from '@aws-sdk/client-sns'
import { SQSClient } from '@aws-sdk/client-sqs'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { region } from './kinesis-event.ts'

/** Where the services listen. */
export interface Endpoints {
  readonly kinesis: string
  readonly dynamodb: string
  readonly s3: string
  readonly sns: string
  readonly sqs: string
  readonly eventbridge: string
  readonly secrets_manager: string
  readonly scheduler: string
  readonly lambda: string
  readonly sts: string
}

/** What every client and function here uses; the services do not look at it. */
export const localCredentials = { accessKeyId: 'local', secretAccessKey: 'local' }

export interface LocalClients {
  readonly kinesis: KinesisClient
  readonly dynamodb: DynamoDBClient
  readonly s3: S3Client
  readonly sns: SNSClient
  readonly sqs: SQSClient
  readonly eventbridge: EventBridgeClient
  close(): void
}

export function makeClients(endpoints: Endpoints): LocalClients {
  const to = (endpoint: string) => ({
    ...{ region, endpoint, credentials: localCredentials },
    // The default of Kinesis is HTTP/2, which the emulator does not speak.
    requestHandler: new NodeHttpHandler({ requestTimeout: 30_000, throwOnRequestTimeout: true }),
  })
  const clients = {
    kinesis: new KinesisClient(to(endpoints.kinesis)),
    dynamodb: new DynamoDBClient(to(endpoints.dynamodb)),
    s3: new S3Client({ ...to(endpoints.s3), forcePathStyle: true }),
    sns: new SNSClient(to(endpoints.sns)),
    sqs: new SQSClient(to(endpoints.sqs)),
    eventbridge: new EventBridgeClient(to(endpoints.eventbridge)),
  }
  return {
    ...clients,
    close() {
      for (const client of Object.values(clients)) client.destroy()
    },
  }
}
