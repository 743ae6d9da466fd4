import { setTimeout as delay } from 'node:timers/promises'
import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { routesKey } from '../lambdas/shared/routes-in-force.ts'
import {
  type Assignment,
  AssignmentError,
  parseAssignment,
} from '../lambdas/shared/rule-sets/assignment.ts'
import { artefactKey, assignmentKey } from '../lambdas/shared/rule-sets/rule-sets.ts'
import { Refused } from './aws-problem.ts'
import { sha256 } from './sha256.ts'

/** An object of the bucket as it was read. */
export interface Held {
  readonly text: string
  readonly etag: string
  /** Of the publication that put it there; none when it was put by hand. */
  readonly publication?: string
  readonly modified: Date
}

/** An object is not any more what it was read as. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken'
}

const attempts = 5

/** The bucket that functions read from: rule sets and which of them judges which cluster, routes and the like. */
export class RuleBucket {
  readonly #s3: S3Client
  readonly #bucket: string

  constructor(s3: S3Client, bucket: string) {
    this.#s3 = s3
    this.#bucket = bucket
  }

  /** Puts an artefact where its hash says; gives the hash. Nothing is judged by it yet. */
  async putSet(text: string): Promise<string> {
    const hash = sha256(text)
    await this.#put(artefactKey(hash), text)
    return hash
  }

  /** The text of an artefact, `undefined` when it was never published. */
  async set(hash: string): Promise<string | undefined> {
    return (await this.read(artefactKey(hash)))?.text
  }

  /** What judges what now; nothing when nobody said so yet. */
  async assignment(): Promise<Assignment> {
    return assignmentIn(await this.read(assignmentKey))
  }

  /** Assigns whatever was before, and keeps no history. */
  async assign(assignment: Assignment): Promise<void> {
    await this.#put(assignmentKey, assignmentText(assignment))
  }

  /** Routes are in force as soon as functions look at them again; whatever was before, without history. */
  async putRoutes(text: string): Promise<void> {
    await this.#put(routesKey, text)
  }

  /** Keeps a version of a file where its hash says; gives the hash. */
  async keepVersion(what: string, text: string): Promise<string> {
    const hash = sha256(text)
    await this.#put(versionKey(what, hash), text)
    return hash
  }

  async version(what: string, hash: string): Promise<string | undefined> {
    return (await this.read(versionKey(what, hash)))?.text
  }

  /** Keeps what is done by a publication. */
  async keepHistory(publication: string, text: string): Promise<void> {
    await this.#put(historyKey(publication), text)
  }

  async history(publication: string): Promise<string | undefined> {
    return (await this.read(historyKey(publication)))?.text
  }

  async read(Key: string): Promise<Held | undefined> {
    try {
      const found = await this.#s3.send(new GetObjectCommand({ Bucket: this.#bucket, Key }))
      const { ETag: etag = '', LastModified: modified = new Date(0), Metadata = {} } = found
      const { publication } = Metadata
      const text = await found.Body!.transformToString()
      return { text, etag, modified, ...(publication !== undefined && { publication }) }
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined
      throw error
    }
  }

  /**
   * Replaces an object, if it still is what was read (`undefined`: nothing); throws {@link Overtaken} if not.
   * S3 decides, so that of several who replace the same one succeeds.
   */
  async replace(
    key: string,
    text: string,
    { over, publication }: { readonly over: Held | undefined; readonly publication: string },
  ): Promise<void> {
    const condition = over === undefined ? { IfNoneMatch: '*' } : { IfMatch: over.etag }
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#put(key, text, { ...condition, Metadata: { publication } })
      } catch (error) {
        if (!isConditionFailed(error)) throw error
        const now = await this.read(key)
        // A client whose answer got lost asks again, and then finds its own.
        if (now?.publication === publication) return
        if (now?.etag !== over?.etag || attempt >= attempts) throw new Overtaken(key)
        await delay(100 * attempt)
      }
    }
  }

  async #put(Key: string, Body: string, more: object = {}): Promise<void> {
    const ContentType = Key.endsWith('.yaml') ? 'application/yaml' : 'application/json'
    const input = { Bucket: this.#bucket, Key, Body, ContentType, ...more }
    await this.#s3.send(new PutObjectCommand(input))
  }
}

/** Where what was done by a publication is kept. */
export const historyKey = (publication: string): string => `history/${publication}.json`

const versionKey = (what: string, hash: string) => `versions/${what}/${hash}`

/** What an assignment says; nothing when there is none. {@link Refused} when it is damaged. */
export function assignmentIn(held: Held | undefined): Assignment {
  if (held === undefined) return { clusters: {}, labels: {} }
  try {
    return parseAssignment(held.text)
  } catch (error) {
    if (!(error instanceof AssignmentError)) throw error
    throw new Refused(`${assignmentKey} in the bucket is damaged: ${error.message}`)
  }
}

export function assignmentText(assignment: Assignment): string {
  return `${JSON.stringify(assignment, null, 2)}\n`
}

/** 412: it is another; 404: it is gone; 409: somebody writes it at this moment. */
function isConditionFailed(error: unknown): boolean {
  const { name } = error as Error
  return ['PreconditionFailed', 'ConditionalRequestConflict', 'NoSuchKey'].includes(name)
}
