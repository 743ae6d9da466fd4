import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { S3Client } from '@aws-sdk/client-s3'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SQSClient } from '@aws-sdk/client-sqs'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { Bus } from '../shared/bus.ts'
import { DynamoStateStore } from '../shared/dynamo-store.ts'
import { readBatches } from '../shared/read-batches.ts'
import { readDetections } from '../shared/read-lake.ts'
import { Clusters } from './access/clusters.ts'
import { outside } from './actions/outside.ts'
import type { contract } from './contract.ts'
import { S3Evidence } from './evidence/s3-evidence.ts'
import type { Ports } from './machine/ports.ts'
import { PolicyInForce } from './policy-in-force.ts'

type Env = Readonly<Record<keyof (typeof contract)['env'], string>>

/** Everything of AWS that responses need, by the environment of the function. */
export function connect(
  env: Env,
  onProblem: (problem: string) => void,
): Ports & { refresh(): Promise<void> } {
  const proof = {
    windowSeconds: secondsIn(env, 'PROOF_SECONDS', 15),
    lateSeconds: secondsIn(env, 'LATE_SECONDS', 5),
  }
  const s3 = new S3Client({ forcePathStyle: process.env['S3_PATH_STYLE'] === 'true' })
  const sts = new STSClient()
  const lambda = new LambdaClient({ maxAttempts: 1 })
  const secrets = new SecretsManagerClient()
  const bus = new Bus({
    ...{ client: new EventBridgeClient(), bus: env.BUS, s3, bucket: env.LAKE_BUCKET },
    ...{ sqs: new SQSClient(), deadLetters: env.DEAD_LETTERS },
  })
  const clusters = new Clusters(async (RoleArn, RoleSessionName, ExternalId) => {
    const { Credentials: made } = await sts.send(
      new AssumeRoleCommand({ RoleArn, RoleSessionName, ...(ExternalId && { ExternalId }) }),
    )
    return {
      credentials: {
        ...{ accessKeyId: made!.AccessKeyId!, secretAccessKey: made!.SecretAccessKey! },
        sessionToken: made!.SessionToken!,
      },
      until: made!.Expiration!,
    }
  }, Date.now)
  const inForce = new PolicyInForce({
    ...{ s3, bucket: env.RULES_BUCKET, now: () => performance.now(), onProblem },
  })
  return {
    refresh: () => inForce.refresh(),
    store: new DynamoStateStore({ table: env.RESPONSES_TABLE }),
    shared: new DynamoStateStore({ table: env.TABLE }),
    policy: async () => inForce.policy,
    kubes(name, session) {
      const cluster = inForce.clusters.get(name)
      return cluster === undefined ? undefined : clusters.kubes(cluster, session)
    },
    say: (messages) => bus.put(messages),
    evidence: new S3Evidence(s3, env.EVIDENCE_BUCKET),
    // beside plan and acts within the time that the function has
    evidenceMs: 40_000,
    async detections(incident, at) {
      const time = (seconds: number) => new Date(seconds * 1000).toISOString()
      const range = { incident, from: time(at - 6 * 3600), to: time(at) }
      return readDetections({ s3, bucket: env.LAKE_BUCKET }, range)
    },
    // ends by itself before a piece of evidence has to, and says what it left out
    batches: (range) => readBatches({ s3, bucket: env.LAKE_BUCKET }, range, { time: 8000 }),
    invoke: outside({
      async invokeFunction(FunctionName, Qualifier, invocation, payload) {
        const { StatusCode = 0, FunctionError } = await lambda.send(
          new InvokeCommand({
            ...{ FunctionName, Qualifier, Payload: Buffer.from(payload) },
            InvocationType: invocation as 'Event' | 'RequestResponse' | 'DryRun',
          }),
        )
        return {
          status: StatusCode,
          ...(FunctionError !== undefined && { functionError: FunctionError }),
        }
      },
      async secret(name) {
        const SecretId = `${env.WEBHOOK_SECRETS}${name}`
        const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId }))
        return SecretString
      },
      now: () => Math.floor(Date.now() / 1000),
    }),
    approvers: env.APPROVERS.split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    proof,
    now: () => Math.floor(Date.now() / 1000),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    token: () => crypto.randomUUID(),
  }
}

function secondsIn(env: Env, name: 'PROOF_SECONDS' | 'LATE_SECONDS', least: number): number {
  const seconds = Number(env[name])
  if (Number.isInteger(seconds) && seconds >= least && seconds <= 600) return seconds
  throw new Error(`${name} is a number of seconds from ${least} to 600, not "${env[name]}"`)
}
