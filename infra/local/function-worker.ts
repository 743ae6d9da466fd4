import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'

/** What a thread is told at its start. */
export interface ThreadSettings {
  /** URL of the module that exports `handler`. */
  readonly handler: string
  readonly functionName: string
  readonly functionArn: string
  readonly memoryMiB: number
}
export interface ThreadRequest {
  /** JSON. */
  readonly event: string
  readonly requestId: string
  /** Milliseconds of the epoch. */
  readonly deadline: number
}
/** The first message: loaded, or why not. Each further one: what an invocation came to. */
export interface ThreadAnswer {
  /** JSON. */
  readonly result?: string
  readonly error?: FunctionErrorBody
}

/** What Lambda says of a function that failed. */
export interface FunctionErrorBody {
  readonly errorType: string
  readonly errorMessage: string
  readonly stackTrace?: readonly string[]
}

/** A function that threw, timed out, crashed or did not load. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError'
  readonly body: FunctionErrorBody

  constructor(body: FunctionErrorBody) {
    super(`${body.errorType}: ${body.errorMessage}`)
    this.body = body
  }
}

export interface FunctionWorkerOptions extends ThreadSettings {
  /** All that the function has in its environment. */
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number
  /** Lines that the function writes. */
  readonly log: (line: string) => void
}

/** What Lambda lets the loading of a function take. */
const initMs = 10_000
/** The largest request and answer of an invocation. */
export const maxPayloadBytes = 6 * 1024 * 1024

/**
 * One execution environment of a function: a thread with an environment and a heap of its own, that
 * serves one event at a time. Out of time, out of memory or with an error that nobody caught it ends,
 * as in Lambda, and what it was doing is left where it was.
 */
export class FunctionWorker {
  /** Milliseconds from the start until the handler was loaded. */
  initMs: number | undefined
  readonly #options: FunctionWorkerOptions
  readonly #worker: Worker
  readonly #loaded: Promise<void>
  /** Takes the next message, or the end. */
  #waiting: ((answer: ThreadAnswer) => void) | undefined
  #ended: FunctionErrorBody | undefined

  constructor(options: FunctionWorkerOptions) {
    const { env, log, timeoutMs: _, ...workerData } = options
    this.#options = options
    const start = performance.now()
    this.#worker = new Worker(new URL('./function-thread.ts', import.meta.url), {
      ...{ env, workerData, stdout: true, stderr: true, execArgv: ['--no-warnings'] },
      resourceLimits: { maxOldGenerationSizeMb: options.memoryMiB },
    })
    for (const output of [this.#worker.stdout, this.#worker.stderr]) {
      createInterface({ input: output }).on('line', log)
    }
    this.#worker.on('message', (answer: ThreadAnswer) => this.#take(answer))
    this.#worker.on('error', (error) => this.#end(crashOf(error)))
    this.#worker.on('exit', (code) =>
      this.#end({
        errorType: 'Runtime.ExitError',
        errorMessage: `Runtime exited with error: exit status ${code}`,
      }),
    )
    this.#loaded = this.#exchange(Math.max(initMs, options.timeoutMs)).then(({ error }) => {
      if (error !== undefined) throw new FunctionError(error)
      this.initMs = performance.now() - start
    })
    this.#loaded.catch(() => this.kill())
  }

  /** Whether it can serve no more. */
  get isOver(): boolean {
    return this.#ended !== undefined
  }

  /** Serves one event; rejects with a {@link FunctionError}. */
  async invoke(event: unknown, requestId: string): Promise<unknown> {
    const text = JSON.stringify(event)
    if (Buffer.byteLength(text) > maxPayloadBytes) {
      throw new FunctionError({
        errorType: 'RequestEntityTooLargeException',
        errorMessage: `the event has more than ${maxPayloadBytes} bytes`,
      })
    }
    await this.#loaded
    if (this.#ended !== undefined) throw new FunctionError(this.#ended)
    const { timeoutMs } = this.#options
    const request = { event: text, requestId, deadline: Date.now() + timeoutMs }
    this.#worker.postMessage(request satisfies ThreadRequest)
    const { result, error } = await this.#exchange(timeoutMs)
    if (error !== undefined) throw new FunctionError(error)
    if (Buffer.byteLength(result!) > maxPayloadBytes) {
      throw new FunctionError({
        errorType: 'Function.ResponseSizeTooLarge',
        errorMessage: `the answer has more than ${maxPayloadBytes} bytes`,
      })
    }
    return JSON.parse(result!)
  }

  /** Ends it at once, whatever it does. */
  async kill(): Promise<void> {
    this.#end({ errorType: 'Runtime.ExitError', errorMessage: 'Runtime was killed' })
    await this.#worker.terminate()
  }

  async #exchange(timeoutMs: number): Promise<ThreadAnswer> {
    if (this.#ended !== undefined) return { error: this.#ended }
    const timer = setTimeout(() => {
      this.#end({
        errorType: 'Sandbox.Timedout',
        errorMessage: `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`,
      })
      void this.#worker.terminate()
    }, timeoutMs)
    try {
      return await new Promise<ThreadAnswer>((resolve) => {
        this.#waiting = resolve
      })
    } finally {
      clearTimeout(timer)
    }
  }

  #take(answer: ThreadAnswer): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.(answer)
  }

  #end(error: FunctionErrorBody): void {
    this.#ended ??= error
    this.#take({ error: this.#ended })
  }
}

function crashOf(error: Error & { readonly code?: string }): FunctionErrorBody {
  const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY'
  return {
    errorType: isMemory ? 'Runtime.OutOfMemory' : error.name,
    errorMessage: error.message,
    stackTrace: error.stack?.split('\n') ?? [],
  }
}
