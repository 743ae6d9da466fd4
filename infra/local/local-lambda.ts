import { randomUUID } from 'node:crypto'
import { FunctionError, FunctionWorker, type FunctionWorkerOptions } from './function-worker.ts'
import type { LocalFunction } from './invoke.ts'
import { account, region } from './kinesis-event.ts'

export interface LocalLambdaOptions {
  readonly name: string
  /** URL of the module that exports `handler`. */
  readonly handler: string
  readonly env: Readonly<Record<string, string>>
  readonly timeoutSeconds: number
  readonly memoryMiB: number
  /** Most copies at once; further invocations wait. Without it {@link mostCopies}. */
  readonly reservedConcurrency?: number | undefined
  readonly log?: (line: string) => void
}

/** What a machine has room for; an account allows 1,000. */
const mostCopies = 10

export interface LambdaCounts {
  invocations: number
  /** Invocations that failed, of whatever reason. */
  errors: number
  /** Of them, those that ended their copy: out of time, out of memory, crashed, killed. */
  ended: number
  coldStarts: number
}

/** A function as Lambda runs it: copies that are started when all others are busy, and kept. */
export class LocalLambda {
  readonly name: string
  readonly counts: LambdaCounts = { invocations: 0, errors: 0, ended: 0, coldStarts: 0 }
  /** Milliseconds that loading the handler took, of each copy. */
  readonly initTimes: number[] = []
  readonly #options: FunctionWorkerOptions
  readonly #most: number
  readonly #idle: FunctionWorker[] = []
  readonly #busy = new Set<FunctionWorker>()
  readonly #waiting: (() => void)[] = []
  #isStopped = false

  constructor(options: LocalLambdaOptions) {
    const { name, handler, memoryMiB, timeoutSeconds } = options
    this.name = name
    this.#most = options.reservedConcurrency ?? mostCopies
    this.#options = {
      ...{ handler, memoryMiB, functionName: name, functionArn: functionArn(name) },
      timeoutMs: timeoutSeconds * 1000,
      log: options.log ?? (() => {}),
      env: {
        // What Lambda sets, as far as clients and loggers look at it.
        AWS_REGION: region,
        AWS_DEFAULT_REGION: region,
        AWS_LAMBDA_FUNCTION_NAME: name,
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: `${memoryMiB}`,
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
        TZ: ':UTC',
        ...options.env,
      },
    }
  }

  /** As a consumer of a stream takes it. */
  get target(): LocalFunction {
    return {
      name: this.name,
      handler: (event, { awsRequestId }) => this.invoke(event, awsRequestId),
    }
  }

  /** Invokes and waits for the answer; rejects with a {@link FunctionError}. */
  async invoke(event: unknown, requestId: string = randomUUID()): Promise<unknown> {
    const worker = await this.#take()
    const isCold = worker.initMs === undefined
    this.counts.invocations += 1
    try {
      return await worker.invoke(event, requestId)
    } catch (error) {
      this.counts.errors += 1
      if (worker.isOver) this.counts.ended += 1
      throw error
    } finally {
      if (isCold && worker.initMs !== undefined) this.initTimes.push(worker.initMs)
      this.#busy.delete(worker)
      if (!worker.isOver) this.#idle.push(worker)
      this.#waiting.shift()?.()
    }
  }

  /** Ends all copies at once, as if their machine went away; the next invocation starts a new one. */
  async kill(): Promise<void> {
    const workers = [...this.#idle.splice(0), ...this.#busy]
    await Promise.all(workers.map((worker) => worker.kill()))
  }

  /** Takes no more invocations, and ends those that run. */
  async stop(): Promise<void> {
    this.#isStopped = true
    for (const wake of this.#waiting.splice(0)) wake()
    await this.kill()
  }

  async #take(): Promise<FunctionWorker> {
    while (!this.#isStopped && this.#idle.length === 0 && this.#busy.size >= this.#most) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    if (this.#isStopped) {
      throw new FunctionError({
        errorType: 'ResourceNotFoundException',
        errorMessage: `${this.name} is stopped`,
      })
    }
    let worker = this.#idle.pop()
    while (worker?.isOver === true) worker = this.#idle.pop()
    if (worker === undefined) {
      this.counts.coldStarts += 1
      worker = new FunctionWorker(this.#options)
    }
    this.#busy.add(worker)
    return worker
  }
}

export function functionArn(name: string): string {
  return `arn:aws:lambda:${region}:${account}:function:${name}`
}
