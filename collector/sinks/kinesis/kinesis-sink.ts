// The client and one command: the whole of the package would cost the agent memory for nothing.
import { KinesisClient, type KinesisClientConfig, PutRecordsCommand } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { BatchSink, Outcome, OutgoingBatch } from '../batch-sink.ts'
import { outcomeOf, outcomeOfRecord } from './kinesis-failure.ts'
import { type NamedStream, streamNamed } from './stream-name.ts'

export interface KinesisSinkOptions {
  /** Name of the stream, or its ARN: a name is looked for in the account of the credentials alone. */
  readonly stream: string
  /** Without it, that of the ARN; of a name, what the SDK finds in environment and profile. */
  readonly region?: string
  /** Another service than AWS's own, for emulators and private endpoints. */
  readonly endpoint?: string
  /** Batches in a request: 500, as many as Kinesis takes. */
  readonly maxBatches?: number
  /**
   * Bytes of batches in a request: 1 MiB by default, what a shard takes in a second. Kinesis takes
   * 5 MiB; each costs the agent three times as much memory while it is sent.
   */
  readonly maxBytes?: number
  readonly connectTimeoutMs?: number
  readonly requestTimeoutMs?: number
  /** Without them, the SDK's default chain: EKS Pod Identity and IRSA among others. */
  readonly credentials?: NonNullable<KinesisClientConfig['credentials']>
}

/**
 * Sends each batch as one record of a Kinesis stream; the partition key is the node. Making one throws
 * on a text that names no stream, and on a region that is not that of the ARN.
 */
export class KinesisSink implements BatchSink {
  readonly limits: BatchSink['limits']
  readonly #stream: NamedStream
  readonly #client: KinesisClient

  constructor(options: KinesisSinkOptions) {
    const { endpoint, credentials } = options
    const stream = streamNamed(options.stream)
    if (stream === undefined) {
      throw new TypeError(`${JSON.stringify(options.stream)} cannot be a Kinesis stream`)
    }
    const region = options.region ?? stream.region
    if (stream.region !== undefined && stream.region !== region) {
      throw new TypeError(`${options.stream} is in ${stream.region}, not in ${region}`)
    }
    this.#stream = stream
    this.limits = { batches: options.maxBatches ?? 500, bytes: options.maxBytes ?? 1 << 20 }
    // HTTP/1.1 and one socket: the client's own HTTP/2 needs more memory. Proxies as `curl` has them.
    const agent = { keepAlive: true, maxSockets: 1, proxyEnv: process.env }
    this.#client = new KinesisClient({
      // The shipper retries: it knows the order, and how long the spool lasts.
      maxAttempts: 1,
      ...(region !== undefined && { region }),
      ...(endpoint !== undefined && { endpoint }),
      ...(credentials !== undefined && { credentials }),
      requestHandler: new NodeHttpHandler({
        httpAgent: agent,
        httpsAgent: agent,
        connectionTimeout: options.connectTimeoutMs ?? 5000,
        requestTimeout: options.requestTimeoutMs ?? 30_000,
        throwOnRequestTimeout: true,
      }),
    })
  }

  async send(batches: readonly OutgoingBatch[], signal: AbortSignal): Promise<readonly Outcome[]> {
    // Such a record would fail its whole request.
    const fits = batches.map(({ node, bytes }) => Buffer.byteLength(node) + bytes.length <= limit)
    const sent = await this.#put(
      batches.filter((_, at) => fits[at]),
      signal,
    )
    let next = 0
    return fits.map((isIn) => (isIn ? sent[next++]! : tooLarge))
  }

  async #put(batches: readonly OutgoingBatch[], signal: AbortSignal): Promise<Outcome[]> {
    if (batches.length === 0) return []
    const { name, arn, label } = this.#stream
    const command = new PutRecordsCommand({
      ...(arn === undefined ? { StreamName: name } : { StreamARN: arn }),
      Records: batches.map(({ node, bytes }) => ({ PartitionKey: node, Data: bytes })),
    })
    try {
      const { Records = [] } = await this.#client.send(command, { abortSignal: signal })
      return batches.map((_, at) => outcomeOfRecord(Records[at] ?? leftOut, label))
    } catch (error) {
      const outcome = outcomeOf(error, label)
      return batches.map(() => outcome)
    }
  }

  async close(): Promise<void> {
    this.#client.destroy()
  }
}

/** What a record may have, with its key. */
const limit = 1 << 20
const tooLarge: Outcome = {
  kind: 'refused',
  message: `with its key it has more than the ${limit} bytes of a Kinesis record`,
}
const leftOut = { ErrorCode: 'InternalFailure', ErrorMessage: 'the answer leaves this record out' }
