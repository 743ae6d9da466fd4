import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { type Routes, readRoutes } from '#routes'

/** Where the routes lie in the bucket of rules. */
export const routesKey = 'routes.yaml'

/** There are no usable routes: to go on would mean that nobody is told. */
export class NoRoutes extends Error {
  override readonly name = 'NoRoutes'
}

export interface RoutesInForceOptions {
  readonly s3: S3Client
  readonly bucket: string
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** Milliseconds after which they are looked at again: 30,000. */
  readonly refreshMs?: number
  /** Hears of what went wrong while older routes stay in force. */
  readonly onProblem: (problem: string, error: unknown) => void
}

/**
 * The routes that are published, read again every so often. What cannot be read or has a mistake leaves
 * those of before in force and is told; only if there are none before, asking rejects.
 */
export class RoutesInForce {
  readonly #options: RoutesInForceOptions
  #routes: Routes | undefined
  #etag: string | undefined
  #readAt = Number.NEGATIVE_INFINITY

  constructor(options: RoutesInForceOptions) {
    this.#options = options
  }

  async current(): Promise<Routes> {
    const { now, refreshMs = 30_000, onProblem } = this.#options
    if (this.#routes !== undefined && now() - this.#readAt < refreshMs) return this.#routes
    try {
      await this.#read()
    } catch (error) {
      if (
        (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode !== 304
      ) {
        if (this.#routes === undefined) {
          const why = `${(error as Error).message} (lanner routes publish puts some there)`
          throw new NoRoutes(`there are no routes to tell anybody by: ${why}`, { cause: error })
        }
        onProblem('the routes cannot be used, those of before stay in force', error)
      }
    }
    this.#readAt = now()
    return this.#routes!
  }

  async #read(): Promise<void> {
    const { s3, bucket } = this.#options
    const IfNoneMatch = this.#etag
    const { Body, ETag } = await s3.send(
      new GetObjectCommand({
        ...{ Bucket: bucket, Key: routesKey },
        ...(IfNoneMatch !== undefined && { IfNoneMatch }),
      }),
    )
    const text = await Body!.transformToString()
    const { ok, routes, diagnostics } = readRoutes({ name: routesKey, text })
    if (!ok) {
      const all = diagnostics.map(({ at, message }) => `${at.line}:${at.column}: ${message}`)
      throw new Error(`${routesKey}: ${all.join('; ')}`)
    }
    this.#routes = routes
    this.#etag = ETag
  }
}
