import { createHash } from 'node:crypto'
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { decodeArtefact, type RuleArtefact } from '#artefact'
import { type Assignment, parseAssignment, setOf } from './assignment.ts'

/** Where an artefact and the assignment lie in the bucket of rules. */
export const artefactKey = (hash: string): string => `sets/${hash}.json`
export const assignmentKey = 'assignment.json'

/** There is no usable rule set: judging would say that all is well. */
export class NoRuleSet extends Error {
  override readonly name = 'NoRuleSet'
}

export interface RuleSetsOptions<T> {
  readonly s3: S3Client
  readonly bucket: string
  /** Makes of an artefact what its user needs; done once a set. */
  readonly prepare: (artefact: RuleArtefact, hash: string) => T
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** Milliseconds after which the assignment is looked at again: 30,000. */
  readonly refreshMs?: number
  /** Hears of what went wrong while an older assignment or set stays in force. */
  readonly onProblem: (problem: string, error: unknown) => void
}

/** Sets that stay loaded. */
const mostLoaded = 6

/**
 * The rule sets in force, by cluster. The assignment is read again every so often, so that a set is
 * switched without a deployment. What cannot be read or used leaves the one before in force and is
 * told; only if there is none before, asking rejects.
 */
export class RuleSets<T> {
  readonly #options: RuleSetsOptions<T>
  #assignment: Assignment | undefined
  #etag: string | undefined
  #readAt = Number.NEGATIVE_INFINITY
  /** By hash, the one used longest ago first. */
  readonly #loaded = new Map<string, Promise<T>>()
  /** The last set that worked for a cluster. */
  readonly #last = new Map<string, T>()

  constructor(options: RuleSetsOptions<T>) {
    this.#options = options
  }

  /** The set that judges a cluster's batches. Rejects with {@link NoRuleSet} when there is none. */
  async of(cluster: string): Promise<T> {
    await this.#refresh()
    const hash = setOf(this.#assignment!, cluster)
    if (hash === undefined) {
      throw new NoRuleSet(
        `no rule set is assigned to the cluster "${cluster}", and none to all others`,
      )
    }
    try {
      const set = await this.#load(hash)
      this.#last.set(cluster, set)
      return set
    } catch (error) {
      const last = this.#last.get(cluster)
      if (last === undefined) {
        const reason = (error as Error).message
        throw new NoRuleSet(`the rule set ${hash} cannot be used: ${reason}`, { cause: error })
      }
      this.#options.onProblem(`rule set ${hash} of ${cluster} cannot be used`, error)
      return last
    }
  }

  async #load(hash: string): Promise<T> {
    const known = this.#loaded.get(hash)
    this.#loaded.delete(hash)
    const loading = known ?? this.#fetch(hash)
    this.#loaded.set(hash, loading)
    if (this.#loaded.size > mostLoaded) this.#loaded.delete(this.#loaded.keys().next().value!)
    try {
      return await loading
    } catch (error) {
      this.#loaded.delete(hash)
      throw error
    }
  }

  async #fetch(hash: string): Promise<T> {
    const { s3, bucket, prepare } = this.#options
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: artefactKey(hash) }))
    const text = await Body!.transformToString()
    const found = createHash('sha256').update(text).digest('hex')
    if (found !== hash) throw new Error(`its content has the hash ${found}`)
    return prepare(decodeArtefact(text), hash)
  }

  async #refresh(): Promise<void> {
    const { s3, bucket, now, refreshMs = 30_000, onProblem } = this.#options
    if (now() - this.#readAt < refreshMs) return
    try {
      const answer = await s3.send(
        new GetObjectCommand({
          ...{ Bucket: bucket, Key: assignmentKey },
          ...(this.#etag !== undefined && { IfNoneMatch: this.#etag }),
        }),
      )
      this.#assignment = parseAssignment(await answer.Body!.transformToString())
      this.#etag = answer.ETag
    } catch (error) {
      const { name, message, $metadata } = error as Error & {
        $metadata?: { httpStatusCode?: number }
      }
      const isUnchanged = $metadata?.httpStatusCode === 304
      if (!isUnchanged && this.#assignment === undefined) {
        const what = `${bucket}/${assignmentKey} cannot be read: ${name}: ${message}`
        throw new NoRuleSet(what, { cause: error })
      }
      if (!isUnchanged) onProblem('the assignment of rule sets cannot be read', error)
    }
    this.#readAt = now()
  }
}
