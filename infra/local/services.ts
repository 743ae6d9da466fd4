import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { type Endpoints, localCredentials } from './clients.ts'
import type { Clock } from './clock.ts'
import { startDynamoEmulator } from './emulators/dynamo.ts'
import { startStorageAndMessages } from './emulators/fauxqs.ts'
import { type Invocable, startFunctions } from './emulators/functions.ts'
import { type Emulator, startKinesisEmulator } from './emulators/kinesis.ts'
import { type Schedules, startSchedules } from './emulators/schedules.ts'
import { startSecrets } from './emulators/secrets.ts'
import { type BusTarget, EventBus } from './event-bus.ts'
import { region } from './kinesis-event.ts'

export interface ServicesOptions {
  /** Services that run already; the others are started. */
  readonly given: Partial<Endpoints>
  /** Of the bus, by ARN; may be filled later. */
  readonly targets: ReadonlyMap<string, BusTarget>
  readonly invokeSchedule: (target: string, input: unknown) => Promise<void>
  /** Functions by name, for those who invoke them; may come later. */
  readonly findFunction: (name: string) => Invocable | undefined
  readonly clock: Clock
  readonly announce: (message: string) => void
}

export interface Services {
  readonly endpoints: Endpoints
  readonly bus: EventBus
  readonly schedules: Schedules
  stop(): Promise<void>
}

/** Starts what the functions talk to, all at once, on free ports. */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const { given, targets, invokeSchedule: invoke, findFunction, clock, announce } = options
  const unless = (endpoint: string | undefined, start: () => Promise<Emulator>) =>
    endpoint === undefined ? start() : Promise.resolve({ endpoint, stop: async () => {} })
  const { s3, sns, sqs } = given
  const hasAll = s3 !== undefined && sns !== undefined && sqs !== undefined
  const started = await Promise.allSettled([
    unless(given.kinesis, startKinesisEmulator),
    unless(given.dynamodb, startDynamoEmulator),
    unless(hasAll ? sqs : undefined, startStorageAndMessages),
    unless(given.secrets_manager, startSecrets),
    startSchedules({ invoke, clock, announce }),
    EventBus.start({ targets, announce, clock }),
    unless(given.lambda, () => startFunctions(findFunction)),
  ])
  const stop = async () => {
    for (const one of started) if (one.status === 'fulfilled') await one.value.stop()
  }
  const failed = started.find((one) => one.status === 'rejected')
  if (failed !== undefined) {
    await stop()
    throw failed.reason
  }
  const [kinesis, dynamodb, storage, secrets, schedules, bus, functions] = started.map((one) =>
    one.status === 'fulfilled' ? one.value : undefined,
  ) as [Emulator, Emulator, Emulator, Emulator, Schedules, EventBus, Emulator]
  return {
    endpoints: {
      ...{ kinesis: kinesis.endpoint, dynamodb: dynamodb.endpoint },
      ...{ s3: storage.endpoint, sns: storage.endpoint, sqs: storage.endpoint },
      sts: storage.endpoint,
      ...{ eventbridge: bus.endpoint, secrets_manager: secrets.endpoint },
      ...{ scheduler: schedules.endpoint, lambda: functions.endpoint, ...given },
    },
    ...{ bus, schedules, stop },
  }
}

/** Creates secrets by name; an empty text is a secret that nobody has filled yet. */
export async function putSecrets(
  endpoint: string,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  if (Object.keys(secrets).length === 0) return
  const client = new SecretsManagerClient({
    ...{ region, endpoint, credentials: localCredentials },
    requestHandler: new NodeHttpHandler(),
  })
  for (const [Name, SecretString] of Object.entries(secrets)) {
    await client.send(new CreateSecretCommand({ Name, SecretString }))
  }
  client.destroy()
}
