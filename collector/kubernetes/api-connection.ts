import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { at, text } from './json.ts'

/** Where the API server is, and the files that say whom to trust and who asks. */
export interface ApiAddress {
  /** `https://host:port`. */
  readonly url: string
  readonly caFile: string
  readonly tokenFile: string
}

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount'

/** The API server of the cluster that a pod with this environment runs in; `undefined` outside. */
export function clusterAddress(
  env: Readonly<Record<string, string | undefined>>,
): ApiAddress | undefined {
  const host = env['KUBERNETES_SERVICE_HOST']
  if (host === undefined || host === '') return undefined
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '443'
  return {
    url: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    caFile: `${serviceAccount}/ca.crt`,
    tokenFile: `${serviceAccount}/token`,
  }
}

/** The limits of one call, in milliseconds. */
export interface CallLimits {
  /** Until the connection stands and the head of the answer is there. */
  readonly answer: number
  /** Between two pieces of the answer. */
  readonly idle: number
  /** For the whole answer. */
  readonly total: number
}

/** Takes an answer as it comes; what it throws ends the call. */
export interface AnswerReader {
  /** The server answers, with 200. */
  readonly onOpen?: () => void
  readonly onPiece: (piece: Buffer) => void
}

/** An answer other than 200, or none. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** 0 when there was no answer. */
  readonly status: number
  /** Milliseconds that the server asks to wait. */
  readonly retryAfter: number | undefined

  constructor(status: number, message: string, retryAfter?: number, cause?: unknown) {
    super(message, { cause })
    this.status = status
    this.retryAfter = retryAfter
  }
}

/** Bytes of an error's explanation that are read. */
const explanationLimit = 8192

/**
 * Reads from an API server over TLS. The files are read for each call: tokens of pods are renewed
 * under the same name, and calls are few.
 */
export class ApiConnection {
  readonly #address: ApiAddress

  constructor(address: ApiAddress) {
    this.#address = address
  }

  /**
   * Asks for `path` and gives the answer to a reader. Resolves at its end; rejects with an
   * {@link ApiError}, or with the `SyntaxError` or `RangeError` of the reader. Nothing of the call is
   * left then.
   */
  async get(
    path: string,
    limits: CallLimits,
    reader: AnswerReader,
    signal: AbortSignal,
  ): Promise<void> {
    const total = AbortSignal.timeout(limits.total)
    const stop = AbortSignal.any([signal, total])
    try {
      const response = await this.#send(path, limits, stop)
      try {
        if (response.statusCode !== 200) throw await refusal(response)
        reader.onOpen?.()
        for await (const piece of response) reader.onPiece(piece as Buffer)
      } finally {
        response.destroy()
      }
    } catch (error) {
      if (error instanceof ApiError || isOwnFault(error)) throw error
      const reason = total.aborted ? `no end after ${limits.total} ms` : reasonOf(error)
      throw new ApiError(0, reason, undefined, error)
    }
  }

  async #send(path: string, limits: CallLimits, signal: AbortSignal): Promise<IncomingMessage> {
    const { url, caFile, tokenFile } = this.#address
    const [ca, token] = await Promise.all([readFile(caFile), readFile(tokenFile, 'utf8')])
    return new Promise((resolve, reject) => {
      const call = request(new URL(path, url), {
        ca,
        rejectUnauthorized: true,
        // A connection for each call: they are minutes apart, and each is to see the files of now.
        agent: false,
        signal,
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${token.trim()}`,
          'user-agent': 'lanner-collector',
        },
      })
      const timer = setTimeout(
        () => call.destroy(new Error(`no answer after ${limits.answer} ms`)),
        limits.answer,
      )
      call.on('error', reject)
      call.on('close', () => clearTimeout(timer))
      call.on('response', (response) => {
        clearTimeout(timer)
        call.setTimeout(limits.idle, () =>
          response.destroy(new Error(`silence for ${limits.idle} ms`)),
        )
        resolve(response)
      })
      call.end()
    })
  }
}

/** Errors of the one who reads the answer, not of the way it came. */
function isOwnFault(error: unknown): boolean {
  return error instanceof SyntaxError || error instanceof RangeError
}

function reasonOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : String(error)
}

async function refusal(response: IncomingMessage): Promise<ApiError> {
  const status = response.statusCode ?? 0
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of response) {
    pieces.push(piece as Buffer)
    length += (piece as Buffer).length
    if (length > explanationLimit) break
  }
  const explanation = explanationOf(Buffer.concat(pieces).toString())
  const message = `HTTP ${status}${explanation === undefined ? '' : `: ${explanation}`}`
  return new ApiError(status, message, retryAfterOf(response.headers['retry-after']))
}

/** The message of a `Status` object. */
function explanationOf(body: string): string | undefined {
  try {
    return text(at(JSON.parse(body), 'message'))
  } catch {
    return undefined
  }
}

/** The header has seconds; an API server never sends a date in it. */
function retryAfterOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : undefined
}
