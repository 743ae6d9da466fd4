import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager'
import { type StateStore, StateUnavailable } from '#correlate'
import { createTextRedactor } from '#redact'
import type { Destination } from '#routes'
import { MemoryStore } from '../../cli/store/memory-store.ts'
import { startSecrets } from '../../infra/local/emulators/secrets.ts'
import { makeNotice } from '../../lambdas/notify/content/index.ts'
import { Deliver, type DeliverPorts } from '../../lambdas/notify/delivery/deliver.ts'
import { OpenDestinations } from '../../lambdas/notify/delivery/open-destinations.ts'
import { Secrets } from '../../lambdas/notify/delivery/secrets.ts'
import type { MakeSender } from '../../lambdas/notify/delivery/sender.ts'
import {
  type DeliveryMessage,
  type DetailType,
  detailTypes,
  type IncidentMessage,
  type ResponseMessage,
} from '../../lambdas/shared/bus-messages.ts'
import type { DeliveryEnvelope } from '../../lambdas/shared/delivery-envelope.ts'
import { sampleRunbook } from './sample-messages.ts'

export interface VirtualDeliveryOptions {
  readonly make: MakeSender
  readonly destination: Destination
  /** Members of its secret. */
  readonly secret: Readonly<Record<string, string>>
  /** Where its secret lies; see {@link startTestSecrets}. */
  readonly secrets: SecretsManagerClient
  /** In memory, without failures, unless another is given. */
  readonly store?: StateStore
}

/** What SQS lets a message rest when its function failed. */
const visibilityMs = 360_000

let names = 0

/** The delivery path with a clock that goes on by itself, and a queue that keeps its promises to it. */
export class VirtualDelivery {
  now = Date.parse('2026-11-26T18:20:05Z')
  readonly queue: { readonly at: number; readonly envelope: DeliveryEnvelope }[] = []
  readonly dead: { readonly envelope: DeliveryEnvelope; readonly reason: string }[] = []
  readonly said: DeliveryMessage[] = []
  readonly figures: Record<string, number> = {}
  readonly #options: VirtualDeliveryOptions
  readonly #deliver: Deliver
  readonly #secret: string

  private constructor(options: VirtualDeliveryOptions, secret: string) {
    this.#options = options
    this.#secret = secret
    const now = () => this.now
    const secrets = new Secrets({ client: options.secrets, now })
    const open = new OpenDestinations(options.make, secrets, now)
    const hasSecret = Object.keys(options.secret).length > 0
    const destination = { ...options.destination, ...(hasSecret && { secret }) }
    let tokens = 0
    const context = {
      redactor: createTextRedactor([]),
      runbooks: { 'reverse-shell': sampleRunbook },
      links: { 'Open in Lanner': 'https://lanner.example/incidents/{incident}' },
    }
    const ports: DeliverPorts = {
      store: options.store ?? new MemoryStore(),
      destinationOf: async (name) =>
        name === destination.name ? open.open(destination) : undefined,
      noticeOf: async (message) => makeNotice(message, context),
      later: async (envelope, afterMs) => {
        // as SQS: at least a second's grain, at most 15 minutes
        const delay = Math.min(900_000, Math.max(0, Math.ceil(afterMs / 1000) * 1000))
        this.queue.push({ at: this.now + delay, envelope: structuredClone(envelope) })
      },
      bury: async (envelope, reason) => void this.dead.push({ envelope, reason }),
      announce: async (message) => void this.said.push(message),
      count: (figure) => {
        this.figures[figure] = (this.figures[figure] ?? 0) + 1
      },
      now,
      random: () => 0.5,
      // copies that sleep at the same time sleep together: their sum would outlast a request that takes no time
      sleep: async (milliseconds) => {
        const until = this.now + milliseconds
        await new Promise((resolve) => setImmediate(resolve))
        this.now = Math.max(this.now, until)
      },
      token: () => `token-${++tokens}`,
    }
    this.#deliver = new Deliver(ports)
  }

  static async open(options: VirtualDeliveryOptions): Promise<VirtualDelivery> {
    const name = `lanner/test-${++names}`
    const SecretString = JSON.stringify(options.secret)
    await options.secrets.send(new CreateSecretCommand({ Name: name, SecretString }))
    return new VirtualDelivery(options, name)
  }

  put(message: IncidentMessage): void {
    const type =
      message.incident.state === 'closed'
        ? detailTypes.closed
        : message.reason === 'opened'
          ? detailTypes.opened
          : detailTypes.updated
    const { name } = this.#options.destination
    const envelope = { destination: name, detailType: type, detail: message, attempt: 0 }
    this.queue.push({ at: this.now, envelope: { ...envelope, since: this.now } })
  }

  /** A message about a response, as the router hands it on. */
  say(detailType: DetailType, detail: ResponseMessage): void {
    const { name } = this.#options.destination
    const envelope = { destination: name, detailType, detail, attempt: 0, since: this.now }
    this.queue.push({ at: this.now, envelope })
  }

  async rotate(members: Readonly<Record<string, string>>): Promise<void> {
    const SecretString = JSON.stringify(members)
    const put = new PutSecretValueCommand({ SecretId: this.#secret, SecretString })
    await this.#options.secrets.send(put)
  }

  /** Delivers what is due within so many milliseconds; timers that only say again count, too. */
  async run(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds
    for (;;) {
      this.queue.sort((a, b) => a.at - b.at)
      const next = this.queue[0]
      if (next === undefined || next.at > end) break
      this.queue.shift()
      this.now = Math.max(this.now, next.at)
      try {
        await this.#deliver.deliver(next.envelope)
      } catch (error) {
        if (!(error instanceof StateUnavailable)) throw error
        this.queue.push({ at: this.now + visibilityMs, envelope: next.envelope })
      }
    }
    this.now = Math.max(this.now, end)
  }

  /** Delivers all that is due now at once, as copies of the function would. */
  async runTogether(): Promise<void> {
    const due = this.queue.splice(0)
    await Promise.all(due.map(({ envelope }) => this.#deliver.deliver(envelope)))
  }
}

export interface TestSecrets {
  readonly client: SecretsManagerClient
  stop(): Promise<void>
}

export async function startTestSecrets(): Promise<TestSecrets> {
  const { endpoint, stop } = await startSecrets()
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const client = new SecretsManagerClient({ region: 'us-east-1', endpoint, credentials })
  return {
    client,
    stop: async () => {
      client.destroy()
      await stop()
    },
  }
}
