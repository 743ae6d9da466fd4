import { request as requestHttp } from 'node:http'
import { Agent, request as requestHttps } from 'node:https'
import { rootCertificates } from 'node:tls'
import { clip, visible } from '../content/index.ts'
import { DeliveryProblem, retryAfterMs } from './problem.ts'

export interface WebRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as it is, or as JSON when it is no text. */
  readonly body?: string | object
  /** Statuses beside 2xx that the caller deals with itself. */
  readonly also?: readonly number[]
}

export interface WebAnswer {
  readonly status: number
  readonly text: string
  readonly headers: Readonly<Record<string, string | undefined>>
}

export interface WebClientOptions {
  /** For the whole of a request, to the last byte of its answer. */
  readonly timeoutMs: number
  /** PEM, beside the authorities of the system. */
  readonly authorities?: string
  /** PEM of our own certificate and key, for mutual TLS. */
  readonly certificate?: string
  readonly privateKey?: string
  readonly now?: () => number
}

/** What is read of an answer: vendors say much less. */
const mostAnswer = 256 << 10

/**
 * Speaks HTTP to a destination: one time limit for all of a request, answers of bounded length, no
 * redirects (what we send is for the host that was named), own authorities and certificates.
 */
export class WebClient {
  readonly #options: WebClientOptions
  readonly #agent: Agent

  constructor(options: WebClientOptions) {
    this.#options = options
    const { authorities, certificate, privateKey } = options
    this.#agent = new Agent({
      ...{ keepAlive: true, maxSockets: 8, minVersion: 'TLSv1.2' },
      ...(authorities !== undefined && { ca: [...rootCertificates, authorities] }),
      ...(certificate !== undefined && { cert: certificate }),
      ...(privateKey !== undefined && { key: privateKey }),
    })
  }

  close(): void {
    this.#agent.destroy()
  }

  /** The answer, when its status is 2xx or one of `also`; else rejects with a {@link DeliveryProblem}. */
  async send(request: WebRequest): Promise<WebAnswer> {
    const answer = await this.#exchange(request)
    const { status, headers } = answer
    if ((status >= 200 && status < 300) || request.also?.includes(status)) return answer
    throw problemOf(answer, retryAfterMs(headers['retry-after'], this.#now()))
  }

  #now(): number {
    return (this.#options.now ?? Date.now)()
  }

  #exchange({ method, url, headers = {}, body }: WebRequest): Promise<WebAnswer> {
    const { timeoutMs } = this.#options
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    const target = new URL(url)
    const isTls = target.protocol === 'https:'
    const open = isTls ? requestHttps : requestHttp
    return new Promise((resolve, reject) => {
      let isSent = false
      const fail = (message: string, cause?: unknown) => {
        const isUnsure = isSent && method !== 'GET'
        reject(
          isTls && isUntrusted(cause)
            ? new DeliveryProblem('refused', `TLS: ${message}`, { cause })
            : new DeliveryProblem('failed', message, { isUnsure, cause }),
        )
      }
      const call = open(target, {
        method,
        ...(isTls && { agent: this.#agent }),
        headers: {
          ...{ 'user-agent': 'lanner', accept: 'application/json' },
          ...(typeof body === 'object' && { 'content-type': 'application/json' }),
          ...headers,
          ...(text !== undefined && { 'content-length': String(Buffer.byteLength(text)) }),
        },
      })
      const timer = setTimeout(() => {
        fail(`no answer within ${timeoutMs} ms`)
        call.destroy()
      }, timeoutMs)
      call.on('finish', () => {
        isSent = true
      })
      call.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer)
        fail(error.code === undefined ? error.message : `${error.code}: ${error.message}`, error)
      })
      call.on('response', (response) => {
        const pieces: Buffer[] = []
        let bytes = 0
        const done = () => {
          clearTimeout(timer)
          resolve({
            status: response.statusCode ?? 0,
            text: Buffer.concat(pieces).toString('utf8'),
            headers: response.headers as Record<string, string | undefined>,
          })
        }
        response.on('data', (piece: Buffer) => {
          bytes += piece.length
          pieces.push(piece)
          if (bytes <= mostAnswer) return
          done()
          call.destroy()
        })
        response.on('end', done)
        response.on('error', (error) => {
          clearTimeout(timer)
          fail(`the answer broke off: ${error.message}`, error)
        })
      })
      call.end(text)
    })
  }
}

/** Their certificate is not one that we trust, or they do not trust ours. */
function isUntrusted(cause: unknown): boolean {
  const code = String((cause as NodeJS.ErrnoException | undefined)?.code ?? '')
  return (
    /^(?:CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|INVALID_CA|ERR_TLS_)/.test(
      code,
    ) || /^ERR_SSL_(?!WRONG_VERSION)/.test(code)
  )
}

function problemOf({ status, text }: WebAnswer, waitMs: number | undefined): DeliveryProblem {
  const said = `it answered ${status}${text === '' ? '' : `: ${clip(visible(text), 300)}`}`
  const wait = waitMs === undefined ? {} : { waitMs }
  if (status === 429 || (status === 503 && waitMs !== undefined)) {
    return new DeliveryProblem('later', said, wait)
  }
  if (status === 401 || status === 403 || status === 407)
    return new DeliveryProblem('refused', said)
  if (status === 404 || status === 410 || (status >= 300 && status < 400)) {
    return new DeliveryProblem('gone', said)
  }
  if (status === 408 || status === 425 || status >= 500) {
    // a gateway gives up on what may have been done behind it
    return new DeliveryProblem('failed', said, { ...wait, isUnsure: status !== 425 })
  }
  return new DeliveryProblem('rejected', said)
}
