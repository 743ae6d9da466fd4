import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { DeliveryProblem } from './problem.ts'

export interface SecretsOptions {
  readonly client: SecretsManagerClient
  readonly now: () => number
  /** Milliseconds after which a secret is read again: five minutes. */
  readonly keepMs?: number
}

interface Kept {
  readonly text: string
  readonly readAt: number
}

/** Secrets by name, kept for a while: one that is rotated is in use without a deployment. */
export class Secrets {
  readonly #options: SecretsOptions
  readonly #kept = new Map<string, Kept>()

  constructor(options: SecretsOptions) {
    this.#options = options
  }

  /** Its text, as it is kept or now. Rejects with a `DeliveryProblem` when there is none. */
  async text(name: string): Promise<string> {
    const { now, keepMs = 300_000 } = this.#options
    const kept = this.#kept.get(name)
    if (kept !== undefined && now() - kept.readAt < keepMs) return kept.text
    try {
      return await this.#read(name)
    } catch (error) {
      // the secret of before is better than none while Secrets Manager is away
      if (kept !== undefined && !(error instanceof DeliveryProblem && error.kind === 'refused')) {
        return kept.text
      }
      throw error
    }
  }

  /** Reads it anew; whether it has changed. */
  async renew(name: string): Promise<boolean> {
    const before = this.#kept.get(name)?.text
    return (await this.#read(name)) !== before
  }

  async #read(name: string): Promise<string> {
    const { client, now } = this.#options
    try {
      const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: name }))
      if (SecretString === undefined || SecretString === '') {
        throw new DeliveryProblem('refused', `nobody has filled the secret "${name}"`)
      }
      this.#kept.set(name, { text: SecretString, readAt: now() })
      return SecretString
    } catch (error) {
      if (error instanceof DeliveryProblem) throw error
      const { name: kind, message } = error as Error
      const isLasting = /NotFound|AccessDenied|InvalidRequest|Decryption/.test(kind)
      const text = `the secret "${name}" cannot be read: ${kind}: ${message}`
      throw new DeliveryProblem(isLasting ? 'refused' : 'failed', text, { cause: error })
    }
  }
}

/** The members of a secret: a JSON object of texts, or one text for the member `only`. */
export function membersOf(text: string, only: string | undefined): Record<string, string> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    json = undefined
  }
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) {
    return Object.fromEntries(
      Object.entries(json).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string',
      ),
    )
  }
  if (only !== undefined) return { [only]: text.trim() }
  throw new DeliveryProblem('refused', 'the secret is no JSON object of texts')
}
