import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { alertJson } from '#engine'
import { busSource, type DetailType } from './bus-messages.ts'
import { fitDetail } from './fit-detail.ts'

/** Something to say; its `id` stays the same when it is said again. */
export interface BusMessage {
  readonly type: DetailType
  readonly detail: { readonly id: string }
  /** ISO 8601; without it, the time at which the bus takes it. */
  readonly time?: string
}

export interface BusOptions {
  readonly client: EventBridgeClient
  readonly bus: string
  /** Gets what is too long for the bus in full, under `oversized/`. */
  readonly s3: S3Client
  readonly bucket: string
  /** Gets what the bus does not take. */
  readonly sqs: SQSClient
  readonly deadLetters: string
  readonly sleep?: (milliseconds: number) => Promise<void>
  readonly random?: () => number
  /** Attempts before an entry goes to the dead letters: 6. */
  readonly attempts?: number
}

export interface BusCounts {
  put: number
  retries: number
  oversized: number
  dead: number
}

/** What a call takes, and an envelope that every target can take. */
const mostEntries = 10
const mostEntryBytes = 240 << 10
const mostCallBytes = 900 << 10
const pause = { firstMs: 50, mostMs: 2000 }

interface Entry {
  readonly Source: string
  readonly EventBusName: string
  readonly DetailType: string
  readonly Detail: string
  readonly Time?: Date
}

/**
 * Puts messages on the bus: ten a call, entries that fail again alone, and what still fails to the dead
 * letters, from where it can be put again as it is. Rejects only when those do not take it either: then
 * some of the messages may have been said.
 *
 * Source: Amazon EventBridge API Reference, PutEvents.
 */
export class Bus {
  readonly counts: BusCounts = { put: 0, retries: 0, oversized: 0, dead: 0 }
  readonly #options: Required<BusOptions>

  constructor(options: BusOptions) {
    this.#options = {
      sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
      random: Math.random,
      attempts: 6,
      ...options,
    }
  }

  async put(messages: readonly BusMessage[]): Promise<void> {
    const entries: Entry[] = []
    for (const message of messages) entries.push(await this.#entryOf(message))
    for (const call of callsOf(entries)) await this.#putAll(call)
  }

  async #entryOf({ type, detail, time }: BusMessage): Promise<Entry> {
    const { bus, s3, bucket } = this.#options
    const key = `oversized/${encodeURIComponent(detail.id)}.json`
    const { text, cut } = fitDetail(detail, mostEntryBytes, `s3://${bucket}/${key}`)
    if (cut.length > 0) {
      this.counts.oversized += 1
      const Body = alertJson(detail)
      const ContentType = 'application/json'
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body, ContentType }))
    }
    return {
      ...{ Source: busSource, EventBusName: bus, DetailType: type, Detail: text },
      ...(time !== undefined && { Time: new Date(time) }),
    }
  }

  async #putAll(entries: readonly Entry[]): Promise<void> {
    const { client, sleep, random, attempts } = this.#options
    let open = entries
    let reason = ''
    for (let attempt = 0; attempt < attempts && open.length > 0; attempt += 1) {
      if (attempt > 0) {
        this.counts.retries += 1
        await sleep(random() * Math.min(pause.mostMs, pause.firstMs * 2 ** attempt))
      }
      try {
        const { Entries = [] } = await client.send(new PutEventsCommand({ Entries: [...open] }))
        const failed = open.filter((_, at) => Entries[at]?.ErrorCode !== undefined)
        reason = Entries.find(({ ErrorCode }) => ErrorCode !== undefined)?.ErrorCode ?? ''
        this.counts.put += open.length - failed.length
        open = failed
      } catch (error) {
        reason = `${(error as Error).name}: ${(error as Error).message}`
      }
    }
    for (const entry of open) await this.#bury(entry, reason)
  }

  async #bury(entry: Entry, reason: string): Promise<void> {
    const { sqs, deadLetters } = this.#options
    const MessageBody = JSON.stringify({ reason, entry })
    await sqs.send(new SendMessageCommand({ QueueUrl: deadLetters, MessageBody }))
    this.counts.dead += 1
  }
}

function callsOf(entries: readonly Entry[]): Entry[][] {
  const calls: Entry[][] = []
  let bytes = 0
  for (const entry of entries) {
    const own = Buffer.byteLength(entry.Detail) + 200
    const last = calls.at(-1)
    if (last === undefined || last.length === mostEntries || bytes + own > mostCallBytes) {
      calls.push([entry])
      bytes = own
    } else {
      last.push(entry)
      bytes += own
    }
  }
  return calls
}
