import {
  DeleteMessageBatchCommand,
  type Message,
  type MessageAttributeValue,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { type Clock, systemClock } from './clock.ts'
import { account, region } from './kinesis-event.ts'
import type { LocalLambda } from './local-lambda.ts'

/** A message as a function gets it. */
export interface QueueRecord {
  readonly messageId: string
  readonly receiptHandle: string
  readonly body: string
  readonly attributes: Readonly<Record<string, string>>
  readonly messageAttributes: Readonly<
    Record<
      string,
      {
        readonly dataType: string
        readonly stringValue?: string
        /** Base64. */
        readonly binaryValue?: string
        readonly stringListValues: readonly []
        readonly binaryListValues: readonly []
      }
    >
  >
  readonly md5OfBody: string
  readonly eventSource: 'aws:sqs'
  readonly eventSourceARN: string
  readonly awsRegion: string
}

export interface QueuePollerOptions {
  readonly client: SQSClient
  readonly queueUrl: string
  readonly lambda: LocalLambda
  /** 1 to 10,000; above 10 only with a window. */
  readonly batchSize: number
  readonly windowSeconds: number
  /** Invocations at once, 2 to 1,000; of a FIFO queue no more than it has groups. */
  readonly maximumConcurrency?: number | undefined
  readonly clock?: Clock
  readonly announce?: (message: string) => void
}

/**
 * Does between a queue and a function what Lambda's event source mapping does: receives, gathers a
 * batch, invokes, and deletes what the function did not report. All else comes again when its
 * visibility ends, and goes to the dead-letter queue when it was received too often: both are the
 * queue's.
 *
 * Sources: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS" and "Handling errors for an SQS
 * event source in Lambda".
 */
export class QueuePoller {
  readonly counts = { invocations: 0, failedInvocations: 0, deleted: 0, again: 0 }
  readonly #options: QueuePollerOptions
  readonly #clock: Clock
  readonly #stop = new AbortController()
  #running: readonly Promise<void>[] = []
  #invoking = 0

  constructor(options: QueuePollerOptions) {
    const { batchSize, windowSeconds } = options
    if (batchSize > 10 && windowSeconds < 1) {
      throw new RangeError(`${options.queueUrl}: batches above 10 need a window of at least 1 s`)
    }
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  start(): void {
    const pollers = this.#options.maximumConcurrency ?? 2
    this.#running = Array.from({ length: Math.min(pollers, 5) }, () => this.#poll())
  }

  get isIdle(): boolean {
    return this.#invoking === 0
  }

  /** Lets invocations end, and receives no more. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#running)
  }

  async #poll(): Promise<void> {
    const { announce = () => {}, queueUrl } = this.#options
    const { signal } = this.#stop
    let failures = 0
    while (!signal.aborted) {
      try {
        const messages = await this.#gather()
        const isGood = messages.length === 0 || (await this.#serve(messages))
        failures = isGood ? 0 : failures + 1
      } catch (error) {
        if (signal.aborted) return
        announce(`polling ${queueUrl}: ${error}`)
        failures += 1
      }
      // As Lambda does, it polls less while the function fails.
      if (failures > 0) await this.#clock.sleep(Math.min(5000, 50 * 2 ** failures), signal)
    }
  }

  async #gather(): Promise<Message[]> {
    const { batchSize, windowSeconds } = this.#options
    const found = await this.#receive(batchSize, 1)
    const end = this.#clock.now() + windowSeconds * 1000
    while (found.length > 0 && found.length < batchSize && windowSeconds > 0) {
      const left = end - this.#clock.now()
      if (left <= 0 || this.#stop.signal.aborted) break
      found.push(...(await this.#receive(batchSize - found.length, Math.min(1, left / 1000))))
    }
    return found
  }

  async #receive(most: number, seconds: number): Promise<Message[]> {
    const { client, queueUrl } = this.#options
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: Math.min(10, most),
        WaitTimeSeconds: Math.round(seconds),
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
      { abortSignal: this.#stop.signal },
    )
    return Messages
  }

  /** Gives whether the function took all of it. */
  async #serve(messages: readonly Message[]): Promise<boolean> {
    const { lambda, announce = () => {}, queueUrl } = this.#options
    this.counts.invocations += 1
    this.#invoking += 1
    try {
      const answer = await lambda.invoke({ Records: messages.map((m) => toRecord(queueUrl, m)) })
      const failed = failedIds(answer, messages)
      const done = messages.filter(({ MessageId }) => !failed.has(MessageId!))
      await this.#delete(done)
      this.counts.deleted += done.length
      this.counts.again += failed.size
      if (failed.size > 0) announce(`${lambda.name} reported ${failed.size} messages as failed`)
      return failed.size === 0
    } catch (error) {
      this.counts.failedInvocations += 1
      this.counts.again += messages.length
      announce(`${lambda.name}, ${messages.length} messages again: ${error}`)
      return false
    } finally {
      this.#invoking -= 1
    }
  }

  async #delete(messages: readonly Message[]): Promise<void> {
    const { client, queueUrl } = this.#options
    for (let from = 0; from < messages.length; from += 10) {
      const part = messages.slice(from, from + 10)
      const Entries = part.map((m, at) => ({ Id: `${at}`, ReceiptHandle: m.ReceiptHandle! }))
      const command = new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries })
      const { Failed = [] } = await client.send(command)
      if (Failed.length > 0) throw new Error(`${Failed.length} messages could not be deleted`)
    }
  }
}

/**
 * Ids of what comes again. No answer and an empty list mean that all is done; a name that is missing
 * or of no message of the batch fails all of it.
 */
function failedIds(answer: unknown, messages: readonly Message[]): ReadonlySet<string> {
  const failures = (answer as { batchItemFailures?: unknown } | null)?.batchItemFailures
  const all = new Set(messages.map(({ MessageId }) => MessageId!))
  if (failures === undefined || failures === null) return new Set()
  if (!Array.isArray(failures)) return all
  const named = failures.map((failure: { itemIdentifier?: unknown } | null) =>
    String(failure?.itemIdentifier),
  )
  return named.every((id) => all.has(id)) ? new Set(named) : all
}

function toRecord(queueUrl: string, message: Message): QueueRecord {
  const attributes = Object.entries(message.MessageAttributes ?? {})
  return {
    messageId: message.MessageId!,
    receiptHandle: message.ReceiptHandle!,
    body: message.Body ?? '',
    attributes: { ...message.Attributes } as Record<string, string>,
    messageAttributes: Object.fromEntries(
      attributes.map(([name, value]) => [name, toAttribute(value)]),
    ),
    md5OfBody: message.MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn(queueUrl.slice(queueUrl.lastIndexOf('/') + 1)),
    awsRegion: region,
  }
}

function toAttribute({ DataType, StringValue, BinaryValue }: MessageAttributeValue) {
  return {
    dataType: DataType!,
    ...(StringValue !== undefined && { stringValue: StringValue }),
    ...(BinaryValue !== undefined && { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
    stringListValues: [] as const,
    binaryListValues: [] as const,
  }
}

export function queueArn(name: string): string {
  return `arn:aws:sqs:${region}:${account}:${name}`
}
