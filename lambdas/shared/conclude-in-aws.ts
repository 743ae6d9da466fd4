import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { S3Client } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'
import { Bus } from './bus.ts'
import type { ConcludeOptions } from './conclude.ts'
import type { concludeEnv } from './conclude-contract.ts'
import { DynamoStateStore } from './dynamo-store.ts'
import { writeDetections } from './lake.ts'

type ConcludeEnv = Readonly<Record<keyof typeof concludeEnv, string>>

/** State, lake and bus as a function in AWS has them. */
export function concludeInAws(env: ConcludeEnv): ConcludeOptions & { readonly s3: S3Client } {
  const s3 = new S3Client()
  const region = process.env['AWS_REGION']
  return {
    s3,
    store: new DynamoStateStore({ table: env.TABLE }),
    bus: new Bus({
      ...{ client: new EventBridgeClient(), bus: env.BUS, s3, bucket: env.LAKE_BUCKET },
      ...{ sqs: new SQSClient(), deadLetters: env.DEAD_LETTERS },
    }),
    toLake: (detections, place) =>
      writeDetections({ s3, bucket: env.LAKE_BUCKET }, detections, place),
    ...{ quiet: Number(env.QUIET_SECONDS), now: Date.now, random: Math.random },
    pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    ...(region !== undefined && { region }),
  }
}
