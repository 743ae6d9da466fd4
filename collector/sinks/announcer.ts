import { readFile, stat } from 'node:fs/promises'
import { type Announcement, appendAnnouncement, batchLimit, tokenLimit } from '#events'
import type { WaitingBatch } from './shipper.ts'

export interface AnnouncerOptions {
  readonly publicKey: Uint8Array
  readonly keyId: string
  /** File with the token; it may be missing, and is replaced now and then. */
  readonly tokenPath: string
  /** Id of the machine; "" while it is not known. */
  readonly instance: () => string
  /** Milliseconds that only grow. */
  readonly now: () => number
  /** Says something to the operator, once a change. */
  readonly say: (text: string) => void
}

const everyMs = 300_000
const lookMs = 10_000
/** Bytes of a record that its key may have. */
const keyRoom = 512

/**
 * Says in records, behind their batches, whose key signs them. All batches of this run say it until the
 * first of them was taken, then one every five minutes and whenever the token changed. The token is read
 * when it is sent, and is nowhere else.
 */
export class Announcer {
  readonly #options: AnnouncerOptions
  #announcedAt = Number.NEGATIVE_INFINITY
  #lookedAt = Number.NEGATIVE_INFINITY
  /** Which file the token was read from last, "" for none. */
  #file = ''
  #announcedFile: string | undefined
  #instance = ''
  #problem = ''
  #dressed: readonly boolean[] = []

  constructor(options: AnnouncerOptions) {
    this.#options = options
  }

  /** The records of these batches. */
  async dress(batches: readonly WaitingBatch[]): Promise<readonly Uint8Array[]> {
    const isFirst = this.#announcedFile === undefined
    const isDue = isFirst || (await this.#isDue())
    const announcement = isDue ? await this.#announcement() : undefined
    let isDone = announcement === undefined
    const records = batches.map(({ batch, header }) => {
      if (isDone || header.keyId !== this.#options.keyId) return batch
      const record = appendAnnouncement(batch, announcement!)
      if (record.length > batchLimit - keyRoom) return batch
      isDone = !isFirst
      return record
    })
    this.#dressed = records.map((record, at) => record !== batches[at]!.batch)
    return records
  }

  /** Which of the records of the last {@link dress} were taken. */
  taken(areTaken: readonly boolean[]): void {
    if (!this.#dressed.some((isDressed, at) => isDressed && areTaken[at])) return
    this.#announcedAt = this.#options.now()
    this.#announcedFile = this.#file
    this.#instance = this.#options.instance()
  }

  async #isDue(): Promise<boolean> {
    const { now, instance } = this.#options
    if (now() - this.#announcedAt >= everyMs || instance() !== this.#instance) return true
    if (now() - this.#lookedAt < lookMs) return false
    this.#lookedAt = now()
    return (await this.#look()) !== this.#announcedFile
  }

  /** Tells one token file from the next: they come under the same name. */
  async #look(): Promise<string> {
    try {
      const { ino, mtimeMs, size } = await stat(this.#options.tokenPath)
      return `${ino} ${mtimeMs} ${size}`
    } catch {
      return ''
    }
  }

  async #announcement(): Promise<Announcement> {
    const { publicKey, tokenPath, instance } = this.#options
    this.#file = await this.#look()
    let token = ''
    if (this.#file !== '') {
      try {
        token = (await readFile(tokenPath, 'utf8')).trim()
        this.#tell(token.length > tokenLimit ? `${tokenPath}: this is too long to be a token` : '')
      } catch (error) {
        this.#tell(`${tokenPath}: ${(error as Error).message}`)
      }
    }
    return { publicKey, token: token.length > tokenLimit ? '' : token, instance: instance() }
  }

  #tell(problem: string): void {
    if (problem !== '' && problem !== this.#problem) this.#options.say(problem)
    this.#problem = problem
  }
}
