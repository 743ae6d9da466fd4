import type { Notice } from '../content/index.ts'
import { DeliveryProblem, retryAfterMs } from '../delivery/problem.ts'
import type { Before, Sender, SenderSetup, Telling } from '../delivery/sender.ts'
import type { WebAnswer, WebClient, WebRequest } from '../delivery/web-client.ts'
import { webClientOf } from '../delivery/web-client-of.ts'
import { buildComment, buildIssue, markerOf, revisionMarker } from './build-issue.ts'

interface Issue {
  readonly number: number
  readonly body?: string | null
  readonly state?: 'open' | 'closed'
}

/** One issue for each incident: found before it is made, commented instead of repeated. */
export function tellGithub(setup: SenderSetup): Sender {
  const client = webClientOf(setup)
  const { token } = setup.secret
  if (token === undefined) throw new DeliveryProblem('refused', 'the secret has no "token"')
  const issues = new Issues(client, setup, token)
  return { tell: (notice, before) => issues.tell(notice, before), close: () => client.close() }
}

class Issues {
  readonly #client: WebClient
  readonly #base: string
  readonly #token: string
  readonly #closes: boolean
  readonly #now: () => number

  constructor(client: WebClient, { destination, now }: SenderSetup, token: string) {
    const { urls, settings } = destination
    this.#client = client
    this.#base = `${urls[0] ?? 'https://api.github.com'}/repos/${settings['repository']}/issues`
    this.#token = token
    this.#closes = settings['close-issue'] === 'true'
    this.#now = now
  }

  async tell(notice: Notice, before: Before): Promise<Telling> {
    const known = before.ref as unknown as { number: number } | null
    const found = known === null ? await this.#find(notice) : undefined
    const number = known?.number ?? found?.number
    if (number === undefined) return this.#create(notice)
    // an attempt whose answer was lost made it with what is to be said now
    const isSaid = found?.body?.includes(revisionMarker(notice)) === true
    const state = await this.#state(number)
    // somebody deleted or moved it: what happened still has to be somewhere
    if (state === undefined) return this.#create(notice)
    if (!isSaid) await this.#comment(notice, number, before.isUnsure)
    if (notice.about !== 'response') await this.#turn(notice, number, state)
    return { ref: { number } }
  }

  /** Closes it with its incident, or opens it again. */
  async #turn(notice: Notice, number: number, state: 'open' | 'closed'): Promise<void> {
    const isOver = notice.state === 'closed'
    if (isOver ? !this.#closes || state === 'closed' : state === 'open') return
    const body = { state: notice.state }
    await this.#send({ method: 'PATCH', url: `${this.#base}/${number}`, body })
  }

  /** Lists are up to date at once, unlike the search. */
  async #find(notice: Notice): Promise<Issue | undefined> {
    const query = 'state=all&labels=lanner&sort=created&direction=desc&per_page=100'
    const { text } = await this.#send({ method: 'GET', url: `${this.#base}?${query}` })
    const marker = markerOf(notice)
    return parse<Issue[]>(text).find(({ body }) => body?.startsWith(marker))
  }

  async #state(number: number): Promise<'open' | 'closed' | undefined> {
    const also = [404, 410]
    const answer = await this.#send({ method: 'GET', url: `${this.#base}/${number}`, also })
    return also.includes(answer.status) ? undefined : (parse<Issue>(answer.text).state ?? 'open')
  }

  async #create(notice: Notice): Promise<Telling> {
    const body = buildIssue(notice)
    const { text } = await this.#send({ method: 'POST', url: this.#base, body })
    const { number } = parse<Issue>(text)
    if (notice.about !== 'response') await this.#turn(notice, number, 'open')
    return { ref: { number } }
  }

  async #comment(notice: Notice, number: number, isUnsure: boolean): Promise<void> {
    const url = `${this.#base}/${number}/comments`
    if (isUnsure) {
      const query = 'sort=created&direction=desc&per_page=100'
      const { text } = await this.#send({ method: 'GET', url: `${url}?${query}` })
      const marker = revisionMarker(notice)
      if (parse<Issue[]>(text).some(({ body }) => body?.includes(marker))) return
    }
    await this.#send({ method: 'POST', url, body: { body: buildComment(notice) } })
  }

  /** GitHub says that it was asked too often with a status that else means that we may not. */
  async #send(request: WebRequest): Promise<WebAnswer> {
    const headers = {
      authorization: `Bearer ${this.#token}`,
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
    }
    const also = [...(request.also ?? []), 403]
    const answer = await this.#client.send({ ...request, headers, also })
    if (answer.status !== 403) return answer
    const { 'retry-after': after, 'x-ratelimit-remaining': left } = answer.headers
    const reset = answer.headers['x-ratelimit-reset']
    const said = `it answered 403: ${answer.text.slice(0, 200)}`
    const isLimit = after !== undefined || left === '0' || /rate limit/i.test(answer.text)
    if (!isLimit) throw new DeliveryProblem('refused', said)
    const untilReset =
      left === '0' && reset !== undefined ? Number(reset) * 1000 - this.#now() : 60_000
    const waitMs = retryAfterMs(after, this.#now()) ?? Math.max(1000, untilReset || 60_000)
    throw new DeliveryProblem('later', said, { waitMs })
  }
}

function parse<T>(text: string): T {
  try {
    return JSON.parse(text) as T
  } catch (cause) {
    throw new DeliveryProblem('failed', 'no JSON in the answer', { cause, isUnsure: true })
  }
}
