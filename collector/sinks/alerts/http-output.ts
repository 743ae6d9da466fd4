import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { AlertOutput, AlertOutputFigures } from '../alert-output.ts'
import { backOff, type SteadyClock, steadyClock } from '../back-off.ts'
import { Tally } from './tally.ts'

export interface HttpOutputOptions {
  /** May hold a user and a password: they are sent, and never shown. */
  readonly url: string
  readonly announce: (text: string) => void
  readonly limits?: Partial<HttpOutputLimits>
  readonly clock?: SteadyClock
  /** From 0 to 1. */
  readonly random?: () => number
}

export interface HttpOutputLimits {
  readonly alerts: number
  readonly bytes: number
  readonly inFlight: number
  /** For one request and its answer. */
  readonly timeoutMs: number
  /** Age at which an alert that is not taken is given up. */
  readonly giveUpMs: number
  readonly closeMs: number
}

const defaultLimits: HttpOutputLimits = {
  alerts: 2000,
  bytes: 4 << 20,
  inFlight: 4,
  timeoutMs: 10_000,
  giveUpMs: 180_000,
  closeMs: 5000,
}
const pace = { firstMs: 250, maxMs: 30_000 }
const longestRetryAfterMs = 60_000
/** Failures in a row that an operator hears of. */
const notable = 3
const tooLate = 'they were not taken in time for the end of the agent'

interface Posted {
  readonly body: Buffer
  readonly since: number
  /** It was sent since the end began. */
  wasLastTry: boolean
}

type Answer =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'again'; readonly reason: string; readonly afterMs: number }

/** Posts each alert by itself, as Falco does to Falcosidekick. Throws when the URL is none. */
export function openHttpOutput(options: HttpOutputOptions): AlertOutput {
  return new HttpOutput(options, parseAddress(options.url))
}

/** Says what is wrong with an address without showing it: it may hold a password. */
function parseAddress(text: string): URL {
  if (!URL.canParse(text)) throw new Error('alerts.http.url: not a URL')
  const url = new URL(text)
  if (url.protocol === 'http:' || url.protocol === 'https:') return url
  throw new Error(`alerts.http.url: begins with ${url.protocol}, not with http: or https:`)
}

/**
 * While the receiver fails, one alert at a time is tried, ever more rarely, and goes to the end of
 * the queue: an alert that alone makes the receiver fail does not hold up the others.
 */
class HttpOutput implements AlertOutput {
  readonly #url: URL
  readonly #limits: HttpOutputLimits
  readonly #clock: SteadyClock
  readonly #random: () => number
  readonly #tally: Tally
  readonly #agent: HttpAgent
  readonly #announce: (text: string) => void
  readonly #active = new Set<ClientRequest>()
  #queue: Posted[] = []
  #bytes = 0
  #inFlight = 0
  #failures = 0
  /** While the receiver is left alone. */
  #pause: AbortController | undefined
  #idle = Promise.withResolvers<void>()
  /** Why the receiver did not take the last one. */
  #failure = ''
  #isEnding = false
  #isOver = false

  constructor(options: HttpOutputOptions, url: URL) {
    this.#url = url
    this.#announce = options.announce
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#clock = options.clock ?? steadyClock
    this.#random = options.random ?? Math.random
    this.#tally = new Tally(url.host, options.announce, () => this.#clock.now())
    const kept = { keepAlive: true, maxSockets: this.#limits.inFlight, scheduling: 'lifo' as const }
    this.#agent = url.protocol === 'https:' ? new HttpsAgent(kept) : new HttpAgent(kept)
  }

  get figures(): AlertOutputFigures {
    return this.#tally.figures
  }

  write(alert: string): void {
    if (this.#isEnding) {
      this.#tally.drop(1, 'the agent stops')
      return
    }
    const body = Buffer.from(alert)
    const { alerts, bytes } = this.#limits
    const waiting = this.#queue.length + this.#inFlight
    if (waiting >= alerts || this.#bytes + body.length > bytes) {
      this.#tally.drop(1, 'too many of them wait already')
      return
    }
    this.#bytes += body.length
    this.#queue.push({ body, since: this.#clock.now(), wasLastTry: false })
    this.#pump()
  }

  async close(): Promise<void> {
    // from here on there is a last try for each, whatever was agreed with the receiver: see #take
    this.#isEnding = true
    this.#failures = 0
    this.#pause?.abort()
    this.#pump()
    const late = new AbortController()
    if (this.#bytes > 0) {
      await Promise.race([this.#idle.promise, steadyClock.sleep(this.#limits.closeMs, late.signal)])
    }
    late.abort()
    this.#isOver = true
    this.#drop(this.#queue.splice(0), tooLate)
    const idle = this.#inFlight > 0 ? this.#idle.promise : undefined
    for (const request of this.#active) request.destroy()
    await idle
    this.#pause?.abort()
    this.#agent.destroy()
  }

  #pump(): void {
    this.#giveUpOld()
    for (let next = this.#take(); next !== undefined; next = this.#take()) {
      this.#inFlight += 1
      next.wasLastTry = this.#isEnding
      void this.#deliver(next)
    }
    if (this.#inFlight === 0 && this.#queue.length === 0) {
      this.#idle.resolve()
      this.#idle = Promise.withResolvers()
    }
  }

  /** The next to send, if any may go out now. */
  #take(): Posted | undefined {
    if (this.#inFlight >= this.#limits.inFlight) return undefined
    if (this.#isEnding) {
      const at = this.#queue.findIndex(({ wasLastTry }) => !wasLastTry)
      if (at >= 0) return this.#queue.splice(at, 1)[0]
    }
    const mayTry = this.#pause === undefined && (this.#failures === 0 || this.#inFlight === 0)
    return mayTry ? this.#queue.shift() : undefined
  }

  async #deliver(posted: Posted): Promise<void> {
    const answer = await this.#post(posted.body)
    this.#inFlight -= 1
    if (answer.kind === 'again' && !this.#isOver) {
      this.#queue.push(posted)
      this.#failure = answer.reason
      // an answer to what was sent before the end began is no reason to miss the last try
      if (!this.#isEnding || posted.wasLastTry) this.#rest(answer.afterMs)
    } else {
      if (this.#failures >= notable) this.#announce(`${this.#url.host} answers again`)
      this.#failures = 0
      this.#bytes -= posted.body.length
      if (answer.kind === 'taken') this.#tally.wrote(1)
      else this.#tally.drop(1, this.#isOver ? tooLate : answer.reason)
    }
    this.#pump()
  }

  /** Leaves the receiver alone for a while. */
  #rest(afterMs: number): void {
    // those that were under way together fail together
    if (this.#pause !== undefined) return
    this.#failures += 1
    if (this.#failures === notable) {
      this.#announce(`alerts to ${this.#url.host} wait: ${this.#failure}`)
    }
    const pause = new AbortController()
    this.#pause = pause
    const ms = Math.max(afterMs, backOff(this.#failures, pace, this.#random))
    void this.#clock.sleep(ms, pause.signal).then(() => {
      this.#pause = undefined
      this.#pump()
    })
  }

  /** Only while the receiver fails does an alert wait for long. */
  #giveUpOld(): void {
    if (this.#failures === 0) return
    const oldest = this.#clock.now() - this.#limits.giveUpMs
    const old = this.#queue.filter(({ since }) => since <= oldest)
    if (old.length === 0) return
    this.#queue = this.#queue.filter(({ since }) => since > oldest)
    this.#drop(old, `not taken for ${this.#limits.giveUpMs / 1000} s (${this.#failure})`)
  }

  #drop(posted: readonly Posted[], reason: string): void {
    for (const { body } of posted) this.#bytes -= body.length
    this.#tally.drop(posted.length, reason)
  }

  #post(body: Buffer): Promise<Answer> {
    const request = this.#url.protocol === 'https:' ? httpsRequest : httpRequest
    const { timeoutMs } = this.#limits
    return new Promise((resolve) => {
      const outgoing = request(
        this.#url,
        {
          method: 'POST',
          agent: this.#agent,
          headers: { 'content-type': 'application/json', 'content-length': body.length },
        },
        (response) => {
          // the status decides; the rest is read so that the connection can be used again
          response.on('error', () => {})
          response.on('close', () => resolve(answerOf(response)))
          response.resume()
        },
      )
      const late = setTimeout(() => {
        outgoing.destroy(new Error(`no answer within ${timeoutMs / 1000} s`))
      }, timeoutMs)
      this.#active.add(outgoing)
      outgoing.on('error', ({ code, message }: NodeJS.ErrnoException) => {
        resolve({ kind: 'again', reason: code ?? message, afterMs: 0 })
      })
      outgoing.on('close', () => {
        clearTimeout(late)
        this.#active.delete(outgoing)
      })
      outgoing.end(body)
    })
  }
}

function answerOf({ statusCode = 0, headers }: IncomingMessage): Answer {
  if (statusCode >= 200 && statusCode < 300) return { kind: 'taken' }
  const reason = `the receiver answers ${statusCode}`
  if (statusCode === 429 || statusCode === 408 || statusCode >= 500) {
    return { kind: 'again', reason, afterMs: retryAfter(headers['retry-after']) }
  }
  return { kind: 'refused', reason }
}

/** Milliseconds; the header has seconds or a date. */
function retryAfter(header: string | undefined): number {
  if (header === undefined) return 0
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), longestRetryAfterMs)
}
