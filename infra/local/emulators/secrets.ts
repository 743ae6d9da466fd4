import { randomUUID } from 'node:crypto'
import { account, region } from '../kinesis-event.ts'
import { type JsonRequest, ServiceError, startJsonService } from './json-service.ts'
import type { Emulator } from './kinesis.ts'

interface Secret {
  readonly name: string
  readonly text: string
  readonly version: string
  readonly previous?: Secret
  readonly created: number
}

/**
 * Stands in for Secrets Manager: CreateSecret, PutSecretValue, GetSecretValue and DescribeSecret, of
 * texts, with the stages AWSCURRENT and AWSPREVIOUS.
 *
 * Source: AWS Secrets Manager API Reference.
 */
export function startSecrets(now: () => number = Date.now): Promise<Emulator> {
  const secrets = new Map<string, Secret>()
  const find = (id: unknown): Secret => {
    const asked = String(id)
    const found = [...secrets.values()].find(
      ({ name }) => name === asked || secretArn(name) === asked,
    )
    if (found !== undefined) return found
    const message = "Secrets Manager can't find the specified secret."
    throw new ServiceError(400, 'ResourceNotFoundException', message)
  }
  const put = (name: string, text: unknown, previous?: Secret) => {
    const created = now() / 1000
    const version = randomUUID()
    const before = previous === undefined ? {} : { previous: withoutHistory(previous) }
    secrets.set(name, { name, text: String(text ?? ''), version, created, ...before })
    return { ARN: secretArn(name), Name: name, VersionId: version }
  }
  const operations: Readonly<Record<string, (input: JsonRequest['input']) => object>> = {
    CreateSecret({ Name, SecretString }) {
      if (!secrets.has(String(Name))) return put(String(Name), SecretString)
      const message = `The operation failed because the secret ${Name} already exists.`
      throw new ServiceError(400, 'ResourceExistsException', message)
    },
    PutSecretValue({ SecretId, SecretString }) {
      const secret = find(SecretId)
      return { ...put(secret.name, SecretString, secret), VersionStages: ['AWSCURRENT'] }
    },
    GetSecretValue({ SecretId, VersionStage = 'AWSCURRENT' }) {
      const secret = find(SecretId)
      const version = VersionStage === 'AWSPREVIOUS' ? secret.previous : secret
      if (version === undefined || version.text === '') {
        const message = `Secrets Manager can't find the specified secret value for staging label: ${VersionStage}`
        throw new ServiceError(400, 'ResourceNotFoundException', message)
      }
      return {
        ...{ ARN: secretArn(secret.name), Name: secret.name, VersionId: version.version },
        ...{ SecretString: version.text, CreatedDate: version.created },
        VersionStages: [VersionStage],
      }
    },
    DescribeSecret({ SecretId }) {
      const { name, version, created } = find(SecretId)
      return {
        ...{ ARN: secretArn(name), Name: name, CreatedDate: created },
        VersionIdsToStages: { [version]: ['AWSCURRENT'] },
      }
    },
  }
  return startJsonService(({ operation, input }) => {
    const serve = Object.hasOwn(operations, operation) ? operations[operation] : undefined
    if (serve !== undefined) return serve(input)
    throw new ServiceError(400, 'UnknownOperationException', `${operation} is not served here`)
  })
}

function withoutHistory({ previous: _, ...secret }: Secret): Secret {
  return secret
}

export function secretArn(name: string): string {
  return `arn:aws:secretsmanager:${region}:${account}:secret:${name}-local0`
}
