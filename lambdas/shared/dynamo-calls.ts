import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { StateUnavailable } from '#correlate'

export interface DynamoCallsOptions {
  /** Without it, what the SDK finds in environment and profile. */
  readonly region?: string
  /** Another service than AWS's own, for emulators and private endpoints. */
  readonly endpoint?: string
  /** Without them, the SDK's default chain. */
  readonly credentials?: NonNullable<DynamoDBClientConfig['credentials']>
  /** Requests under way at once: 16. One vCPU serves few more. */
  readonly concurrency?: number
  /** Milliseconds that one call of the store may take with its retries: 10,000. */
  readonly budgetMs?: number
  readonly connectTimeoutMs?: number
  /** Milliseconds for one request: 2,000. DynamoDB answers in few, or is better asked again. */
  readonly requestTimeoutMs?: number
  /** The longest pause before the first retry, and before any; it doubles each time. */
  readonly backOff?: { readonly firstMs: number; readonly maxMs: number }
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number
  readonly sleep?: (ms: number) => Promise<void>
  readonly random?: () => number
}

export interface DynamoCounts {
  requests: number
  /** Pauses for a throttle, a fault of the service or the network, or keys left unprocessed. */
  retries: number
}

/** The retries of one call of the store, all within its time. */
export class Budget {
  readonly #calls: DynamoCalls
  readonly #end: number

  constructor(calls: DynamoCalls, end: number) {
    this.#calls = calls
    this.#end = end
  }

  /** Asks until there is an answer, or a refusal that asking again would not change. */
  async ask<T>(request: (client: DynamoDBClient) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#calls.send(request)
      } catch (error) {
        if (!isPassing(error)) throw error
        await this.pause(attempt, error)
      }
    }
  }

  /** Waits before the next attempt, or says that there is no time for one. */
  async pause(attempt: number, cause: unknown): Promise<void> {
    const pause = this.#calls.pauseAfter(attempt)
    if (this.#calls.now() + pause >= this.#end) {
      const { name, message } = cause as Error
      throw new StateUnavailable(
        `DynamoDB did not serve the request in time, ${attempt + 1} attempts: ${name}: ${message}`,
        { cause },
      )
    }
    this.#calls.counts.retries += 1
    await this.#calls.sleep(pause)
  }
}

/** A client that asks for so much at once, and whoever uses it within what time. */
export class DynamoCalls {
  readonly counts: DynamoCounts = { requests: 0, retries: 0 }
  readonly now: () => number
  readonly sleep: (ms: number) => Promise<void>
  readonly #client: DynamoDBClient
  readonly #budgetMs: number
  readonly #backOff: { readonly firstMs: number; readonly maxMs: number }
  readonly #random: () => number
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(options: DynamoCallsOptions) {
    const { region, endpoint, credentials, concurrency = 16 } = options
    this.now = options.now ?? (() => performance.now())
    this.sleep = options.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)))
    this.#random = options.random ?? Math.random
    this.#budgetMs = options.budgetMs ?? 10_000
    this.#backOff = options.backOff ?? { firstMs: 25, maxMs: 1000 }
    this.#free = concurrency
    const agent = { keepAlive: true, maxSockets: concurrency }
    this.#client = new DynamoDBClient({
      // Retries are ours: they know the time of the call, and what a lost answer means.
      maxAttempts: 1,
      ...(region !== undefined && { region }),
      ...(endpoint !== undefined && { endpoint }),
      ...(credentials !== undefined && { credentials }),
      requestHandler: new NodeHttpHandler({
        httpAgent: agent,
        httpsAgent: agent,
        connectionTimeout: options.connectTimeoutMs ?? 1000,
        requestTimeout: options.requestTimeoutMs ?? 2000,
        throwOnRequestTimeout: true,
      }),
    })
  }

  budget(): Budget {
    return new Budget(this, this.now() + this.#budgetMs)
  }

  /** Full jitter: those throttled together do not come back together. */
  pauseAfter(attempt: number): number {
    const { firstMs, maxMs } = this.#backOff
    return this.#random() * Math.min(maxMs, firstMs * 2 ** attempt)
  }

  /** One attempt, when its turn comes. */
  async send<T>(request: (client: DynamoDBClient) => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      this.counts.requests += 1
      return await request(this.#client)
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free += 1
      else next()
    }
  }

  close(): void {
    this.#client.destroy()
  }
}

/** Does all of it before it rejects, so that nothing is under way behind the caller's back. */
export async function all<T>(works: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(works)
  const failed = settled.filter((one) => one.status === 'rejected').map(({ reason }) => reason)
  // A refusal says more than that time ran out.
  const worst = failed.find((error) => !(error instanceof StateUnavailable)) ?? failed[0]
  if (worst !== undefined) throw worst
  return settled.map((one) => (one as PromiseFulfilledResult<T>).value)
}

/** The parts of an SDK error that are looked at. */
interface SdkError {
  readonly name?: string
  readonly message?: string
  readonly code?: string
  readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean }
}

const throttles = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
  'KMSThrottlingException',
  'TransactionConflictException',
])

/** Whether the same request may be served a moment later. */
function isPassing(error: unknown): boolean {
  const { name = '', code = '', $metadata = {} } = error as SdkError
  const { httpStatusCode: status, clockSkewCorrected } = $metadata
  if (throttles.has(name) || clockSkewCorrected === true) return true
  if (status !== undefined) return status >= 500 || status === 429
  return /^(E[A-Z]+|ERR_(SSL|TLS|SOCKET|STREAM|HTTP)\w*|TimeoutError)$/.test(code || name)
}
