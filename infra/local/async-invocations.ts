import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from './clock.ts'
import { FunctionError } from './function-worker.ts'
import { functionArn, type LocalLambda } from './local-lambda.ts'

export interface AsyncOptions {
  readonly lambda: LocalLambda
  /** 0 to 2. */
  readonly retries: number
  /** 60 to 21,600. */
  readonly maxAgeSeconds: number
  /** Takes what is given up, in the form of Lambda's failure destinations. */
  readonly onFailure: (record: AsyncFailure) => Promise<void>
  /** Milliseconds before the first retry, twice it before the second; Lambda has a minute and two. */
  readonly pauseMs?: number
  readonly clock?: Clock
  readonly announce?: (message: string) => void
}

/** What a failure destination gets, but for its envelope. */
export interface AsyncFailure {
  readonly version: '1.0'
  readonly timestamp: string
  readonly requestContext: {
    readonly requestId: string
    readonly functionArn: string
    readonly condition: 'RetriesExhausted' | 'EventAgeExceeded'
    readonly approximateInvokeCount: number
  }
  readonly requestPayload: unknown
  readonly responseContext: {
    readonly statusCode: 200
    readonly executedVersion: '$LATEST'
    readonly functionError: 'Unhandled'
  }
  readonly responsePayload: unknown
}

/**
 * Events that a function takes without anybody waiting for the answer: from the bus, a schedule or a
 * topic. Retries and age are Lambda's.
 *
 * Source: AWS Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous
 * invocation" and "Capturing records of Lambda asynchronous invocations".
 */
export class AsyncInvocations {
  readonly counts = { accepted: 0, done: 0, discarded: 0, lost: 0 }
  readonly #options: AsyncOptions
  readonly #clock: Clock
  readonly #stop = new AbortController()
  readonly #underWay = new Set<Promise<void>>()

  constructor(options: AsyncOptions) {
    const { retries, maxAgeSeconds } = options
    if (!(retries >= 0 && retries <= 2)) {
      throw new RangeError(`${options.lambda.name}: ${retries} retries, not from 0 to 2`)
    }
    if (!(maxAgeSeconds >= 60 && maxAgeSeconds <= 21_600)) {
      throw new RangeError(`${options.lambda.name}: ${maxAgeSeconds} s of age, not 60 to 21600`)
    }
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  accept(event: unknown): void {
    this.counts.accepted += 1
    const work = this.#run(event).finally(() => this.#underWay.delete(work))
    this.#underWay.add(work)
  }

  get isIdle(): boolean {
    return this.#underWay.size === 0
  }

  async settle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  /** Begins no more attempts; what is not done goes to the failure destination. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.settle()
  }

  async #run(event: unknown): Promise<void> {
    const { lambda, retries, maxAgeSeconds, pauseMs = 1000, announce = () => {} } = this.#options
    const requestId = randomUUID()
    const oldest = this.#clock.now() + maxAgeSeconds * 1000
    for (let attempt = 0; ; attempt += 1) {
      try {
        await lambda.invoke(event, requestId)
        this.counts.done += 1
        return
      } catch (error) {
        announce(`${lambda.name}, attempt ${attempt + 1} of ${retries + 1}: ${error}`)
        const pause = pauseMs * 2 ** attempt
        const isOld = this.#clock.now() + pause > oldest
        if (attempt >= retries || isOld || this.#stop.signal.aborted) {
          const condition = isOld ? 'EventAgeExceeded' : 'RetriesExhausted'
          await this.#giveUp({ requestId, event, condition, invocations: attempt + 1, error })
          return
        }
        await this.#clock.sleep(pause, this.#stop.signal)
      }
    }
  }

  async #giveUp(failed: {
    readonly requestId: string
    readonly event: unknown
    readonly condition: 'RetriesExhausted' | 'EventAgeExceeded'
    readonly invocations: number
    readonly error: unknown
  }): Promise<void> {
    const { lambda, onFailure, announce = () => {} } = this.#options
    const { requestId, condition, error } = failed
    this.counts.discarded += 1
    try {
      await onFailure({
        version: '1.0',
        timestamp: new Date(this.#clock.now()).toISOString(),
        requestContext: {
          ...{ requestId, functionArn: `${functionArn(lambda.name)}:$LATEST`, condition },
          approximateInvokeCount: failed.invocations,
        },
        requestPayload: failed.event,
        responseContext: {
          ...{ statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
        },
        responsePayload: error instanceof FunctionError ? error.body : String(error),
      })
    } catch (cause) {
      this.counts.lost += 1
      announce(`the failure destination of ${lambda.name} did not take ${requestId}: ${cause}`)
    }
  }
}
