import { randomUUID } from 'node:crypto'
import type { Clock } from './clock.ts'
import type { KinesisEvent } from './kinesis-event.ts'

/** What a handler here may know of its invocation. */
export interface FunctionContext {
  readonly functionName: string
  readonly awsRequestId: string
  getRemainingTimeInMillis(): number
}

export type KinesisHandler = (event: KinesisEvent, context: FunctionContext) => Promise<unknown>

export interface LocalFunction {
  readonly name: string
  readonly handler: KinesisHandler
  /** Without it the handler ends itself when its time is over, as those of {@link LocalLambda} do. */
  readonly timeoutMs?: number
}

/** How an invocation ended: with the place of the first record to deliver again, if any. */
export interface Invocation {
  readonly requestId: string
  /** Number of records done; the others are to be delivered again. */
  readonly done: number
  /** Why not all of them are. */
  readonly reason?: string
}

/**
 * Invokes the function with a batch. An error and a time-out fail all of it; with
 * `reportsFailures` its answer may name records, and the first of them is where it goes on.
 *
 * A handler of this process that is out of time is not stopped as it is in Lambda: what it still does, it
 * does beside its next invocation.
 */
export async function invoke(
  { name, handler, timeoutMs }: LocalFunction,
  event: KinesisEvent,
  reportsFailures: boolean,
  clock: Clock,
): Promise<Invocation> {
  const requestId = randomUUID()
  const end = clock.now() + (timeoutMs ?? Number.POSITIVE_INFINITY)
  const context = {
    functionName: name,
    awsRequestId: requestId,
    getRemainingTimeInMillis: () => Math.max(0, end - clock.now()),
  }
  const timer = new AbortController()
  const outOfTime = async (): Promise<never> => {
    if (timeoutMs !== undefined) await clock.sleep(timeoutMs, timer.signal)
    if (timeoutMs === undefined || timer.signal.aborted) return new Promise(() => {})
    throw new Error(`Task timed out after ${timeoutMs / 1000} seconds`)
  }
  try {
    // Handlers share nothing with the runner, as across the wire.
    const running = (async () => handler(structuredClone(event), context))()
    const answer = await Promise.race([running, outOfTime()])
    const done = reportsFailures ? doneBefore(answer, event) : event.Records.length
    const isAll = done === event.Records.length
    return { requestId, done, ...(!isAll && { reason: 'the function reported failures' }) }
  } catch (error) {
    return { requestId, done: 0, reason: error instanceof Error ? error.message : String(error) }
  } finally {
    timer.abort()
  }
}

/**
 * The records before the first that the answer names. No answer and an empty list mean success; a
 * name that is missing, empty or of no record of the batch fails all of it.
 */
function doneBefore(answer: unknown, { Records }: KinesisEvent): number {
  const failures = (answer as { batchItemFailures?: unknown } | null | undefined)?.batchItemFailures
  if (failures === undefined || failures === null) return Records.length
  if (!Array.isArray(failures)) return 0
  const places = failures.map((failure: { itemIdentifier?: unknown } | null) =>
    Records.findIndex(({ kinesis }) => kinesis.sequenceNumber === failure?.itemIdentifier),
  )
  return places.reduce((first, at) => Math.min(first, Math.max(0, at)), Records.length)
}
