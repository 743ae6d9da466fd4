import {
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { routesKey } from '../lambdas/shared/routes-in-force.ts'
import { type Assignment, parseAssignment } from '../lambdas/shared/rule-sets/assignment.ts'
import { artefactKey, assignmentKey } from '../lambdas/shared/rule-sets/rule-sets.ts'
import { sha256 } from './sha256.ts'

const historyPrefix = 'history/'

/** The bucket that functions read rule sets from, and which of them judges which cluster. */
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
  set(hash: string): Promise<string | undefined> {
    return this.#get(artefactKey(hash))
  }

  /** What judges what now; nothing when nobody said so yet. Throws an `AssignmentError` when it is damaged. */
  async assignment(): Promise<Assignment> {
    const text = await this.#get(assignmentKey)
    return text === undefined ? { clusters: {}, labels: {} } : parseAssignment(text)
  }

  async assign(assignment: Assignment): Promise<void> {
    await this.#put(assignmentKey, `${JSON.stringify(assignment, null, 2)}\n`)
  }

  /** Routes are in force as soon as functions look at them again. */
  async putRoutes(text: string): Promise<void> {
    await this.#put(routesKey, text)
  }

  /** Keeps what was done, under its time (ISO 8601). */
  async keep(time: string, id: string, text: string): Promise<void> {
    await this.#put(`${historyPrefix}${time}-${id}.json`, text)
  }

  /** What was done, the last first. */
  async *history(): AsyncGenerator<string> {
    const keys: string[] = []
    let ContinuationToken: string | undefined
    do {
      const page = await this.#s3.send(
        new ListObjectsV2Command({
          ...{ Bucket: this.#bucket, Prefix: historyPrefix },
          ...(ContinuationToken !== undefined && { ContinuationToken }),
        }),
      )
      keys.push(...(page.Contents ?? []).map(({ Key = '' }) => Key))
      ContinuationToken = page.NextContinuationToken
    } while (ContinuationToken !== undefined)
    for (const key of keys.sort().reverse()) yield (await this.#get(key)) ?? '{}'
  }

  async #put(Key: string, Body: string): Promise<void> {
    const ContentType = 'application/json'
    await this.#s3.send(new PutObjectCommand({ Bucket: this.#bucket, Key, Body, ContentType }))
  }

  async #get(Key: string): Promise<string | undefined> {
    try {
      const { Body } = await this.#s3.send(new GetObjectCommand({ Bucket: this.#bucket, Key }))
      return await Body!.transformToString()
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined
      throw error
    }
  }
}
