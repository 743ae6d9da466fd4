import { randomUUID } from 'node:crypto'
import type { Clock } from './clock.ts'
import { type FailureCondition, type FailureObject, failureObject } from './failure-record.ts'
import { invoke, type LocalFunction } from './invoke.ts'
import type { KinesisEventRecord } from './kinesis-event.ts'

/** What becomes of batches; the names and meanings are those of Lambda. */
export interface DeliveryOptions {
  readonly reportBatchItemFailures: boolean
  readonly bisectBatchOnFunctionError: boolean
  /** -1 for no end: then a record that always fails blocks its shard, as in AWS by default. */
  readonly maximumRetryAttempts: number
  /** -1 for no end. */
  readonly maximumRecordAgeSeconds: number
  /** Takes what is given up. What it fails to take, after three attempts, is lost, and counted. */
  readonly onFailure: (object: FailureObject) => Promise<void>
  /** The pause after the first failure, doubled for each further one. */
  readonly backOff: { readonly firstMs: number; readonly maxMs: number }
  /** Whether a batch that was taken is delivered again: Kinesis promises at least once, no more. */
  readonly redeliver: () => boolean
}

export interface DeliveryCounts {
  invocations: number
  failedInvocations: number
  /** Records that the function has taken; once, however often they were delivered. */
  taken: number
  /** Records given up. */
  discarded: number
  /** Records given up that the destination did not take either. */
  lost: number
}

/** Where batches come from and go to. */
export interface DeliveryRoute {
  readonly mappingId: string
  readonly stream: string
  readonly shardId: string
  readonly target: LocalFunction
  readonly counts: DeliveryCounts
  readonly clock: Clock
  /** Says that no invocation may begin any more. */
  readonly signal: AbortSignal
  /** For what a person should know. */
  readonly announce: (message: string) => void
}

/**
 * Delivers a batch until each of its records is taken or given up, in order; gives how many are,
 * fewer than all only when it is stopped.
 *
 * - A reported failure is a checkpoint: what is before it is done, it and all after it are delivered
 *   again. With bisecting this is where the batch is split, which costs no retry.
 * - Otherwise bisecting halves the batch: the first half is settled before the second is delivered,
 *   and a batch of one record is left to the retries.
 * - Each other delivery of the same records is one retry. Progress begins a new count, because what
 *   failed before is no longer in the batch.
 * - Records older than the maximum age are given up before each invocation.
 *
 * Sources: AWS Lambda Developer Guide, "Configuring partial batch response with Kinesis Data Streams",
 * "Retain discarded batch records for a Kinesis Data Streams event source" and "Lambda parameters for
 * Amazon Kinesis". They do not say how a split goes on when the first record is the one reported (it
 * is halved here), nor whether progress begins a new count, nor the pauses.
 */
export async function deliverBatch(
  records: readonly KinesisEventRecord[],
  route: DeliveryRoute,
  options: DeliveryOptions,
): Promise<number> {
  const { counts, clock, signal } = route
  // The parts still to settle, in order, the first of them last.
  const parts: Part[] = [{ records, retries: 0, invocations: 0, requestId: randomUUID() }]
  let settled = 0
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    const current = await withoutOld(part, route, options)
    settled += part.records.length - current.records.length
    const { length } = current.records
    if (length === 0) continue
    if (signal.aborted) break

    counts.invocations += 1
    const event = { Records: current.records }
    const answer = await invoke(route.target, event, options.reportBatchItemFailures, clock)
    const { done, requestId } = answer
    if (done === length && options.redeliver() && !signal.aborted) {
      parts.push(current)
      continue
    }
    counts.taken += done
    settled += done
    if (done === length) continue

    counts.failedInvocations += 1
    route.announce(`${route.target.name}, ${length - done} records again: ${answer.reason}`)
    const failed = {
      records: current.records.slice(done),
      retries: done > 0 ? 0 : current.retries,
      invocations: current.invocations + 1,
      requestId,
    }
    const canSplit = options.bisectBatchOnFunctionError && length > 1
    if (canSplit && done > 0) parts.push(failed)
    else if (canSplit) parts.push(...halves(failed))
    else if (failed.retries !== options.maximumRetryAttempts) {
      parts.push({ ...failed, retries: failed.retries + 1 })
    } else {
      await giveUp(failed, 'RetryAttemptsExhausted', route, options)
      settled += failed.records.length
      continue
    }
    await clock.sleep(pauseAfter(failed.retries, options), signal)
  }
  return settled
}

interface Part {
  readonly records: readonly KinesisEventRecord[]
  readonly retries: number
  /** Of these records, in whatever batch. */
  readonly invocations: number
  readonly requestId: string
}

/** The second half first, as what is delivered first lies on top. */
function halves(part: Part): Part[] {
  const middle = Math.ceil(part.records.length / 2)
  const [first, second] = [part.records.slice(0, middle), part.records.slice(middle)]
  return [
    { ...part, records: second },
    { ...part, records: first },
  ]
}

function pauseAfter(attempts: number, { backOff }: DeliveryOptions): number {
  return Math.min(backOff.maxMs, backOff.firstMs * 2 ** attempts)
}

/** The part from its first record that is young enough; those before it are given up. */
async function withoutOld(
  part: Part,
  route: DeliveryRoute,
  options: DeliveryOptions,
): Promise<Part> {
  if (options.maximumRecordAgeSeconds < 0) return part
  const oldest = route.clock.now() / 1000 - options.maximumRecordAgeSeconds
  const young = part.records.findIndex(
    ({ kinesis }) => kinesis.approximateArrivalTimestamp >= oldest,
  )
  if (young === 0) return part
  const count = young < 0 ? part.records.length : young
  const old = { ...part, records: part.records.slice(0, count) }
  await giveUp(old, 'RecordAgeExceeded', route, options)
  return { ...part, records: part.records.slice(count) }
}

async function giveUp(
  { records, invocations, requestId }: Part,
  condition: FailureCondition,
  route: DeliveryRoute,
  options: DeliveryOptions,
): Promise<void> {
  const { counts, clock, signal, target, announce, ...where } = route
  counts.discarded += records.length
  const object = failureObject({
    ...where,
    functionName: target.name,
    event: { Records: records },
    condition,
    requestId,
    invocations,
    now: clock.now(),
  })
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      await options.onFailure(object)
      return
    } catch (error) {
      announce(`the failure destination did not take ${object.key}: ${error}`)
      await clock.sleep(pauseAfter(attempt, options), signal)
    }
  }
  counts.lost += records.length
}
