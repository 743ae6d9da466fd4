import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { type Diagnostic, formatDiagnostic } from '#load'
import { type ResponsePolicy, readResponses } from '#responses'
import type { KnownCluster } from './access/clusters.ts'
import { clustersKey, readClusters } from './access/read-clusters.ts'
import { NotInForce } from './machine/ports.ts'

/** Where the policy lies in the bucket of rules. */
export const responsesKey = 'responses.yaml'

export interface PolicyInForceOptions {
  readonly s3: S3Client
  readonly bucket: string
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** Milliseconds after which they are looked at again: 30,000. */
  readonly refreshMs?: number
  /** Hears of what went wrong while what was before stays in force. */
  readonly onProblem: (problem: string) => void
}

/**
 * The policy and the clusters that are published, read again every so often. One with a mistake is told,
 * and the one before stays in force. Whoever never read one without a mistake does not know what was
 * before: then asking throws {@link NotInForce}, and what needs it waits. None at all answers nothing.
 */
export class PolicyInForce {
  readonly #options: PolicyInForceOptions
  #policy: ResponsePolicy | undefined
  #clusters: ReadonlyMap<string, KnownCluster> | undefined
  #readAt = Number.NEGATIVE_INFINITY

  constructor(options: PolicyInForceOptions) {
    this.#options = options
  }

  get policy(): ResponsePolicy {
    return this.#policy ?? neverGood(responsesKey)
  }

  get clusters(): ReadonlyMap<string, KnownCluster> {
    return this.#clusters ?? neverGood(clustersKey)
  }

  /** Looks again if it is time. Rejects when they could never be read. */
  async refresh(): Promise<void> {
    const { now, refreshMs = 30_000, onProblem } = this.#options
    if (now() - this.#readAt < refreshMs) return
    try {
      const texts = [this.#text(responsesKey), this.#text(clustersKey)] as const
      const [responses, clusters] = await Promise.all(texts)
      this.#take(responses ?? '', clusters ?? '{}')
    } catch (error) {
      if (this.#readAt === Number.NEGATIVE_INFINITY) throw error
      const { message } = error as Error
      onProblem(`policy and clusters cannot be read, those before stay in force: ${message}`)
    }
    this.#readAt = now()
  }

  #take(responses: string, places: string): void {
    const refuse = (diagnostics: readonly Diagnostic[], before: unknown) => {
      const errors = diagnostics.filter(({ severity }) => severity === 'error')
      const all = errors.map((one) => formatDiagnostic(one).split('\n')[0])
      const then =
        before === undefined
          ? 'nothing that needs it goes on until it is mended'
          : 'the one before stays in force'
      this.#options.onProblem(`${all.join('; ')}: ${then}`)
    }
    const read = readResponses([{ name: responsesKey, text: responses }])
    if (read.ok) this.#policy = read.policy
    else
      refuse(
        read.files.flatMap(({ diagnostics }) => diagnostics),
        this.#policy,
      )
    const known = readClusters({ name: clustersKey, text: places })
    if (known.ok) this.#clusters = known.clusters
    else refuse(known.diagnostics, this.#clusters)
  }

  async #text(Key: string): Promise<string | undefined> {
    const { s3, bucket: Bucket } = this.#options
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
      return await Body!.transformToString()
    } catch (error) {
      if ((error as Error).name === 'NoSuchKey') return undefined
      throw error
    }
  }
}

function neverGood(key: string): never {
  throw new NotInForce(`${key} could not be read yet, or has a mistake: it is waited for`)
}
