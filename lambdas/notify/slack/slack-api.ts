import { clip, visible } from '../content/index.ts'
import { DeliveryProblem, type ProblemKind } from '../delivery/problem.ts'
import type { WebClient } from '../delivery/web-client.ts'

interface SlackAnswer {
  readonly ok: boolean
  readonly error?: string
  readonly channel?: string
  readonly ts?: string
  readonly messages?: readonly SlackFound[]
}

/** A message as Slack gives it back. */
export interface SlackFound {
  readonly ts: string
  readonly metadata?: {
    readonly event_type: string
    readonly event_payload: Readonly<Record<string, unknown>>
  }
}

/** What Slack's errors mean; all others are of the message itself. */
const kinds: Readonly<Record<string, ProblemKind>> = {
  ...{ ratelimited: 'later', rate_limited: 'later', message_limit_exceeded: 'later' },
  ...{ internal_error: 'failed', fatal_error: 'failed', service_unavailable: 'failed' },
  ...{ request_timeout: 'failed', team_added_to_org: 'failed' },
  ...{ invalid_auth: 'refused', not_authed: 'refused', account_inactive: 'refused' },
  ...{ token_revoked: 'refused', token_expired: 'refused', no_permission: 'refused' },
  ...{ missing_scope: 'refused', access_denied: 'refused', org_login_required: 'refused' },
  ...{ ekm_access_denied: 'refused', not_allowed_token_type: 'refused' },
  ...{ channel_not_found: 'gone', is_archived: 'gone', not_in_channel: 'gone' },
  ...{ restricted_action: 'gone', team_not_found: 'gone' },
}

/** An error of Slack that its caller may know a way around. */
export class SlackError extends DeliveryProblem {
  readonly code: string

  constructor(method: string, code: string) {
    const kind = Object.hasOwn(kinds, code) ? kinds[code]! : 'rejected'
    const said = `${method}: Slack answered ${clip(visible(code), 100)}`
    super(kind, said, { isUnsure: kind === 'failed' })
    this.code = code
  }
}

/** Calls of Slack's Web API with a bot's token. */
export class SlackApi {
  readonly #client: WebClient
  readonly #base: string
  readonly #token: string

  constructor(client: WebClient, base: string, token: string) {
    this.#client = client
    this.#base = base
    this.#token = token
  }

  /** Methods that write take JSON, those that read take a query. */
  async call(method: string, body: object): Promise<SlackAnswer> {
    return this.#answer(method, {
      ...{ method: 'POST', url: `${this.#base}/api/${method}` },
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify(body),
    })
  }

  async read(method: string, query: Readonly<Record<string, string>>): Promise<SlackAnswer> {
    const url = `${this.#base}/api/${method}?${new URLSearchParams(query)}`
    return this.#answer(method, { method: 'GET', url })
  }

  async #answer(method: string, request: Parameters<WebClient['send']>[0]): Promise<SlackAnswer> {
    const headers = { ...request.headers, authorization: `Bearer ${this.#token}` }
    const { text } = await this.#client.send({ ...request, headers })
    let answer: SlackAnswer
    try {
      answer = JSON.parse(text) as SlackAnswer
    } catch (cause) {
      const isUnsure = request.method === 'POST'
      throw new DeliveryProblem('failed', `${method}: no JSON in the answer`, { cause, isUnsure })
    }
    if (answer.ok === true) return answer
    throw new SlackError(method, answer.error ?? 'nothing')
  }
}
