import { markOf, type Notice } from '../content/index.ts'
import { DeliveryProblem } from '../delivery/problem.ts'
import type { Before, Sender, SenderSetup, Telling } from '../delivery/sender.ts'
import type { WebAnswer, WebClient, WebRequest } from '../delivery/web-client.ts'
import { webClientOf } from '../delivery/web-client-of.ts'
import { buildComment, buildIssue, labelOf } from './build-issue.ts'

/** One issue for each incident: found before it is made, commented instead of repeated. */
export function tellJira(setup: SenderSetup): Sender {
  const client = webClientOf(setup)
  const { email, token } = setup.secret
  if (email === undefined || token === undefined) {
    throw new DeliveryProblem('refused', 'the secret needs "email" and "token"')
  }
  const login = Buffer.from(`${email}:${token}`).toString('base64')
  const issues = new Issues(client, setup, `Basic ${login}`)
  return { tell: (notice, before) => issues.tell(notice, before), close: () => client.close() }
}

class Issues {
  readonly #client: WebClient
  readonly #base: string
  readonly #authorization: string
  readonly #settings: Readonly<Record<string, string>>

  constructor(client: WebClient, { destination }: SenderSetup, authorization: string) {
    this.#client = client
    this.#base = `${destination.urls[0]}/rest/api/3`
    this.#authorization = authorization
    this.#settings = destination.settings
  }

  async tell(notice: Notice, before: Before): Promise<Telling> {
    const known = (before.ref as unknown as { key: string } | null)?.key
    const found = known === undefined ? await this.#find(notice) : undefined
    const key = known ?? found?.key
    if (key === undefined) return this.#create(notice)
    // an attempt whose answer was lost made it with what is to be said now
    if (found === undefined || !found.isSaid) {
      const isThere = await this.#comment(notice, key, before.isUnsure)
      // somebody deleted it: what happened still has to be somewhere
      if (!isThere) return this.#create(notice)
    }
    if (isEnd(notice)) await this.#finish(key)
    return { ref: { key } }
  }

  async #find(notice: Notice): Promise<{ key: string; isSaid: boolean } | undefined> {
    const jql = `project = "${this.#settings['project']}" AND labels = "${labelOf(notice)}"`
    const body = { jql, fields: ['description'], maxResults: 1 }
    const { text } = await this.#send({ method: 'POST', url: `${this.#base}/search/jql`, body })
    const issue = parse<{ issues?: { key: string; fields?: object }[] }>(text).issues?.[0]
    if (issue === undefined) return undefined
    return { key: issue.key, isSaid: JSON.stringify(issue).includes(signOf(notice)) }
  }

  async #create(notice: Notice): Promise<Telling> {
    const { project = '', 'issue-type': type = 'Task' } = this.#settings
    const body = buildIssue(notice, project, type)
    const { text } = await this.#send({ method: 'POST', url: `${this.#base}/issue`, body })
    const { key } = parse<{ key: string }>(text)
    if (isEnd(notice)) await this.#finish(key)
    return { ref: { key } }
  }

  /** Whether the issue still is there. */
  async #comment(notice: Notice, key: string, isUnsure: boolean): Promise<boolean> {
    const url = `${this.#base}/issue/${encodeURIComponent(key)}/comment`
    const also = [404]
    if (isUnsure) {
      const query = '?orderBy=-created&maxResults=50'
      const { status, text } = await this.#send({ method: 'GET', url: `${url}${query}`, also })
      if (status === 404) return false
      if (text.includes(signOf(notice))) return true
    }
    const body = { body: buildComment(notice) }
    return (await this.#send({ method: 'POST', url, body, also })).status !== 404
  }

  /** Takes the transition that the routes file names, if the issue has it now. */
  async #finish(key: string): Promise<void> {
    const wanted = this.#settings['done-transition']
    if (wanted === undefined) return
    const url = `${this.#base}/issue/${encodeURIComponent(key)}/transitions`
    const { text } = await this.#send({ method: 'GET', url })
    const { transitions = [] } = parse<{ transitions?: { id: string; name: string }[] }>(text)
    const id = transitions.find(({ name }) => name === wanted)?.id
    if (id !== undefined) await this.#send({ method: 'POST', url, body: { transition: { id } } })
  }

  #send(request: WebRequest): Promise<WebAnswer> {
    return this.#client.send({ ...request, headers: { authorization: this.#authorization } })
  }
}

/** How the last text of a description or comment ends. */
function signOf(notice: Notice): string {
  return ` · ${markOf(notice)}"`
}

/** A response that is over ends no incident. */
function isEnd({ about, state }: Notice): boolean {
  return about !== 'response' && state === 'closed'
}

function parse<T>(text: string): T {
  try {
    return JSON.parse(text) as T
  } catch (cause) {
    throw new DeliveryProblem('failed', 'no JSON in the answer', { cause, isUnsure: true })
  }
}
