import { randomUUID } from 'node:crypto'
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { S3Client } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import type { Assignment } from '../../lambdas/shared/rule-sets/assignment.ts'
import { RuleBucket } from '../rule-bucket.ts'

/** An entry of the history, and the detail of the event about it. */
export interface Published {
  readonly id: string
  readonly kind: 'publish' | 'rollback'
  readonly time: string
  /** ARN of whoever's credentials were used. */
  readonly actor: string
  readonly before: Assignment
  readonly after: Assignment
  /** Of a rollback: what it takes back. */
  readonly undoes?: string
  readonly [more: string]: unknown
}

const detailTypes = { publish: 'Rules Published', rollback: 'Rules Rolled Back' } as const

/** A change of what judges, with who did it: first in the bucket's history, then in force, then on the bus. */
export class Publication {
  readonly #s3 = new S3Client({ forcePathStyle: process.env['S3_PATH_STYLE'] === 'true' })
  readonly #events = new EventBridgeClient()
  readonly #sts = new STSClient()
  readonly #bus: string
  readonly bucket: RuleBucket
  #before: Assignment = { clusters: {}, labels: {} }
  #actor = ''

  constructor({ bucket, bus }: { readonly bucket: string; readonly bus: string }) {
    this.bucket = new RuleBucket(this.#s3, bucket)
    this.#bus = bus
  }

  /** Reads what is in force, and who is asking. */
  async open(): Promise<{ readonly before: Assignment; readonly bucket: RuleBucket }> {
    const { Arn } = await this.#sts.send(new GetCallerIdentityCommand())
    this.#actor = Arn ?? 'unknown'
    this.#before = await this.bucket.assignment()
    return { before: this.#before, bucket: this.bucket }
  }

  async put(kind: Published['kind'], after: Assignment, more: object): Promise<void> {
    const entry: Published = {
      ...{ id: randomUUID(), kind, time: new Date().toISOString(), actor: this.#actor },
      ...{ before: this.#before, after, ...more },
    }
    await this.bucket.keep(entry.time, entry.id, JSON.stringify(entry))
    await this.bucket.assign(after)
    const { FailedEntryCount = 0, Entries = [] } = await this.#events.send(
      new PutEventsCommand({
        Entries: [
          {
            ...{ Source: 'lanner', DetailType: detailTypes[kind], EventBusName: this.#bus },
            Detail: JSON.stringify(entry),
          },
        ],
      }),
    )
    if (FailedEntryCount > 0) {
      const { ErrorCode, ErrorMessage } = Entries[0]!
      throw new Error(`it is in force, but the bus does not take it: ${ErrorCode} ${ErrorMessage}`)
    }
  }

  /** The last publication that no rollback has taken back. */
  async lastPublished(): Promise<Published | undefined> {
    const undone = new Set<string>()
    for await (const text of this.bucket.history()) {
      const entry = JSON.parse(text) as Published
      if (entry.kind === 'rollback') undone.add(entry.undoes ?? '')
      else if (!undone.has(entry.id)) return entry
    }
    return undefined
  }

  close(): void {
    for (const client of [this.#s3, this.#events, this.#sts]) client.destroy()
  }
}
