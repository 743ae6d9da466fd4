import { randomUUID } from 'node:crypto'
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { S3Client } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { clientOptions, Refused } from '../aws-problem.ts'
import { type Held, historyKey, RuleBucket } from '../rule-bucket.ts'

/** What can be published; each lies in an object of its own. */
export type Published = 'rules' | 'responses' | 'routes' | 'clusters' | 'senders'

/** An entry of the history, and the detail of the event about it. */
export interface PublicationEntry {
  readonly id: string
  /** Entries that were kept before there was more than rules have none. */
  readonly what?: Published
  readonly kind: 'publish' | 'rollback'
  /** ISO 8601. */
  readonly time: string
  /** ARN of whoever's credentials were used. */
  readonly actor: string
  /** The publication that was in force. An entry counts if what is in force leads to it by these. */
  readonly follows?: string
  /** Of a rollback: what it takes back. */
  readonly undoes?: string
  readonly [more: string]: unknown
}

export interface PublicationChange {
  readonly kind: PublicationEntry['kind']
  /** What is to be in force. */
  readonly text: string
  /** Of a rollback: the id of what it takes back. */
  readonly undoes?: string
  /** What else history and bus should tell: `before` and `after`, and what the change means. */
  readonly [more: string]: unknown
}

const titles: Readonly<Record<Published, string>> = {
  ...{ rules: 'Rules', responses: 'Responses', routes: 'Routes' },
  ...{ clusters: 'Clusters', senders: 'Senders' },
}
const verbs = { publish: 'Published', rollback: 'Rolled Back' }
/** Bytes of a detail: what EventBridge takes of an entry, less a margin for its envelope. */
const mostBytes = 240_000
const mostLookedAt = 500
const mostTold = 10

/**
 * A change of an object that functions read, with who did it: first in the bucket's history, then in force,
 * then on the bus. It comes into force only over what was read; whoever was first wins.
 */
export class Publication {
  readonly #s3 = new S3Client({
    ...clientOptions,
    forcePathStyle: process.env['S3_PATH_STYLE'] === 'true',
  })
  readonly #events = new EventBridgeClient(clientOptions)
  readonly #sts = new STSClient(clientOptions)
  readonly #bus: string
  readonly #what: Published
  readonly #key: string
  readonly bucket: RuleBucket
  readonly #name: string
  #held: Held | undefined
  #actor: string | undefined

  /** `key`: the object that functions read. */
  constructor(options: {
    readonly bucket: string
    readonly bus: string
    readonly what: Published
    readonly key: string
  }) {
    this.bucket = new RuleBucket(this.#s3, options.bucket)
    this.#name = options.bucket
    this.#bus = options.bus
    this.#what = options.what
    this.#key = options.key
  }

  /** Reads what is in force, and who is asking. */
  async open(): Promise<Held | undefined> {
    if (this.#actor === undefined) {
      const { Arn } = await this.#sts.send(new GetCallerIdentityCommand())
      this.#actor = Arn ?? 'unknown'
    }
    this.#held = await this.bucket.read(this.#key)
    return this.#held
  }

  /** Puts a text into force over what {@link open} read; throws `Overtaken` when that is not there any more. */
  async put({ text, kind, ...more }: PublicationChange): Promise<void> {
    const [id, time] = [randomUUID(), new Date().toISOString()]
    const follows = this.#held?.publication
    const entry: PublicationEntry = {
      ...{ id, what: this.#what, kind, time, actor: this.#actor ?? 'unknown' },
      ...(follows !== undefined && { follows }),
      ...more,
    }
    const publication = `${time}-${id}`
    await this.bucket.keepHistory(publication, JSON.stringify(entry))
    await this.bucket.replace(this.#key, text, { over: this.#held, publication })
    await this.#say(entry, `s3://${this.#name}/${historyKey(publication)}`)
  }

  async #say(entry: PublicationEntry, full: string): Promise<void> {
    const { FailedEntryCount = 0, Entries = [] } = await this.#events
      .send(
        new PutEventsCommand({
          Entries: [
            {
              ...{ Source: 'lanner', EventBusName: this.#bus, Detail: detailOf(entry, full) },
              DetailType: `${titles[this.#what]} ${verbs[entry.kind]}`,
            },
          ],
        }),
      )
      .catch((error: Error) => {
        throw new Refused(
          `it is in force, but the bus was not told: ${error.name}: ${error.message}`,
        )
      })
    if (FailedEntryCount > 0) {
      const { ErrorCode, ErrorMessage } = Entries[0]!
      throw new Refused(
        `it is in force, but the bus does not take it: ${ErrorCode} ${ErrorMessage}`,
      )
    }
  }

  /** Publications that led to what {@link open} read, the last first. */
  async *chain(): AsyncGenerator<{
    readonly publication: string
    readonly entry: PublicationEntry
  }> {
    let publication = this.#held?.publication
    for (let looked = 0; publication !== undefined && looked < mostLookedAt; looked += 1) {
      const text = await this.bucket.history(publication)
      if (text === undefined) {
        throw new Refused(
          `the history of ${this.#key} is damaged: ${historyKey(publication)} is missing`,
        )
      }
      const entry = JSON.parse(text) as PublicationEntry
      yield { publication, entry }
      publication = entry.follows
    }
  }

  /** The last publication that no rollback has taken back. */
  async lastPublished(): Promise<PublicationEntry | undefined> {
    const undone = new Set<string>()
    for await (const { entry } of this.chain()) {
      if (entry.kind === 'rollback') undone.add(entry.undoes ?? '')
      else if (!undone.has(entry.id)) return entry
    }
    return undefined
  }

  /** Why there is nothing to take back. */
  nothingToTakeBack(): string {
    const { publication, modified } = this.#held ?? {}
    return modified === undefined || publication !== undefined
      ? 'there is no publication to take back'
      : `${this.#key} was put there by hand at ${modified.toISOString()}: there is no publication to take back, publish over it`
  }

  /** Who changed it since it was as it is held here, and what, as lines; after another {@link open}. */
  async since(held: Pick<Held, 'publication'> | undefined): Promise<string> {
    const lines: string[] = []
    let told = 0
    for await (const { publication, entry } of this.chain()) {
      if (publication === held?.publication) break
      if (told >= mostTold) break
      told += 1
      lines.push(...linesOf(entry))
    }
    if (lines.length === 0) {
      const when = this.#held?.modified.toISOString()
      lines.push(when === undefined ? 'it was deleted' : `it was put there by hand at ${when}`)
    }
    return lines.join('\n')
  }

  close(): void {
    for (const client of [this.#s3, this.#events, this.#sts]) client.destroy()
  }
}

/** A publication in words: who, when and what changed. */
function linesOf({ actor, kind, time, clusters, changes }: PublicationEntry): string[] {
  const whose = Array.isArray(clusters) ? ` for ${clusters.join(', ')}` : ''
  const verb = kind === 'publish' ? 'published' : 'took back a publication'
  const what = Array.isArray(changes)
    ? changes.map(String)
    : Object.entries((changes ?? {}) as Readonly<Record<string, readonly string[]>>).flatMap(
        ([how, names]) => (names.length === 0 ? [] : [`${how}: ${names.join(', ')}`]),
      )
  return [`${actor} ${verb}${whose} at ${time}`, ...what.slice(0, 50).map((line) => `  ${line}`)]
}

/** As much of an entry as the bus takes; all of it lies at `full`. */
function detailOf(entry: PublicationEntry, full: string): string {
  const { before: _, after: __, ...small } = entry
  const { changes: ___, ...least } = small
  const cuts = [
    { ...entry, full },
    { ...small, cut: ['before', 'after'], full },
  ]
  const fitting = cuts.find((one) => Buffer.byteLength(JSON.stringify(one)) <= mostBytes)
  return JSON.stringify(fitting ?? { ...least, cut: ['before', 'after', 'changes'], full })
}
