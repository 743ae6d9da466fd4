import type { Notice } from '../content/index.ts'
import { DeliveryProblem } from '../delivery/problem.ts'
import type { Before, Sender, SenderSetup, Telling } from '../delivery/sender.ts'
import { webClientOf } from '../delivery/web-client-of.ts'
import { buildMessage, buildPlace, buildReply } from './build-message.ts'
import { SlackApi, SlackError } from './slack-api.ts'

/** Where the living message is, and the newest revision that its thread has. */
interface Living {
  readonly channel: string
  readonly ts: string
  readonly replied: number
}

const eventType = 'lanner_notice'

/** A bot keeps one message per incident up to date, an incoming webhook can only add one. */
export function tellSlack(setup: SenderSetup): Sender {
  const { destination, secret } = setup
  const client = webClientOf(setup)
  const { token, url } = secret
  if (token !== undefined) {
    const base = destination.urls[0] ?? 'https://slack.com'
    const channel = destination.settings['channel']
    if (channel === undefined) {
      throw new DeliveryProblem('refused', 'a bot token needs the channel in the routes file')
    }
    const bot = new Bot(new SlackApi(client, base, token), channel)
    return { tell: (notice, before) => bot.tell(notice, before), close: () => client.close() }
  }
  if (url === undefined) {
    throw new DeliveryProblem('refused', 'the secret has neither "token" nor "url"')
  }
  return {
    tell: async (notice) => {
      // answers `ok`; errors come with a status
      await client.send({ method: 'POST', url, body: buildMessage(notice) })
      return { ref: null }
    },
    close: () => client.close(),
  }
}

class Bot {
  readonly #api: SlackApi
  readonly #channel: string

  constructor(api: SlackApi, channel: string) {
    this.#api = api
    this.#channel = channel
  }

  async tell(notice: Notice, before: Before): Promise<Telling> {
    if (notice.about === 'response') return this.#add(notice, before)
    // what was over and begins again is another story
    const isNew = before.shown === 'closed' && notice.state === 'open'
    const known = isNew ? undefined : ((before.ref as unknown as Living | null) ?? undefined)
    const living = known ?? (before.isUnsure ? await this.#find(notice) : undefined)
    if (living === undefined) return { ref: { ...(await this.#post(notice)) } }
    const updated = await this.#update(notice, living)
    if (!updated) return { ref: { ...(await this.#post(notice)) } }
    const replied = await this.#reply(notice, living, before.isUnsure)
    return { ref: { ...living, replied } }
  }

  /**
   * What a response did, in the thread of its incident; what waits for somebody is shown in the channel,
   * too. Where the incident is not known, a message in its place begins the thread.
   */
  async #add(notice: Notice, { ref, isUnsure }: Before): Promise<Telling> {
    const known = ref as unknown as Living | null
    const found = known ?? (isUnsure ? await this.#find(notice) : undefined)
    const living = found ?? (await this.#begin(notice))
    if (found !== undefined && isUnsure && (await this.#isSaid(living, 'response', notice.id))) {
      return { ref: { ...living } }
    }
    try {
      await this.#note(notice, living)
      return { ref: { ...living } }
    } catch (error) {
      // somebody deleted the thread: what happened still has to be somewhere
      const isLost =
        error instanceof SlackError && /^(?:thread|message)_not_found$/.test(error.code)
      if (!isLost) throw error
      const anew = await this.#begin(notice)
      await this.#note(notice, anew)
      return { ref: { ...anew } }
    }
  }

  async #note(notice: Notice, { channel, ts }: Living): Promise<void> {
    await this.#api.call('chat.postMessage', {
      ...{ ...buildMessage(notice), channel, thread_ts: ts, metadata: metadataOf(notice) },
      ...(notice.state === 'open' && { reply_broadcast: true }),
    })
  }

  /** In the place of an incident that the channel was not told of; it takes it when it comes. */
  async #begin(notice: Notice): Promise<Living> {
    const { channel = this.#channel, ts = '' } = await this.#api.call('chat.postMessage', {
      ...{ ...buildPlace(notice), channel: this.#channel },
      metadata: metadataOf({ ...notice, about: 'incident', revision: 0 }),
    })
    return { channel, ts, replied: 0 }
  }

  async #post(notice: Notice): Promise<Living> {
    const { channel = this.#channel, ts = '' } = await this.#api.call('chat.postMessage', {
      ...{ ...buildMessage(notice), channel: this.#channel },
      metadata: metadataOf(notice),
    })
    return { channel, ts, replied: notice.revision }
  }

  /** Whether a message of the thread has that in its metadata. */
  async #isSaid({ channel, ts }: Living, name: string, value: unknown): Promise<boolean> {
    const query = { channel, ts, include_all_metadata: 'true', limit: '100' }
    const { messages = [] } = await this.#api.read('conversations.replies', query)
    return messages.some(
      ({ ts: own, metadata }) => own !== ts && metadata?.event_payload[name] === value,
    )
  }

  /** Whether there still is a message to update. */
  async #update(notice: Notice, { channel, ts }: Living): Promise<boolean> {
    try {
      const body = { ...buildMessage(notice), channel, ts, metadata: metadataOf(notice) }
      await this.#api.call('chat.update', body)
      return true
    } catch (error) {
      const isLost =
        error instanceof SlackError &&
        /^(?:message_not_found|cant_update_message|edit_window_closed)$/.test(error.code)
      if (isLost) return false
      throw error
    }
  }

  async #reply(notice: Notice, living: Living, isUnsure: boolean): Promise<number> {
    const { channel, ts, replied } = living
    if (replied >= notice.revision) return replied
    if (isUnsure && (await this.#isSaid(living, 'revision', notice.revision))) {
      return notice.revision
    }
    const metadata = metadataOf(notice)
    await this.#api.call('chat.postMessage', {
      ...buildReply(notice),
      channel,
      thread_ts: ts,
      metadata,
    })
    return notice.revision
  }

  /** The message of an attempt whose answer was lost. Without the scope to look, it is told again. */
  async #find(notice: Notice): Promise<Living | undefined> {
    const query = { channel: this.#channel, include_all_metadata: 'true', limit: '100' }
    try {
      const { messages = [] } = await this.#api.read('conversations.history', query)
      const found = messages.find(
        ({ metadata }) =>
          metadata?.event_type === eventType &&
          metadata.event_payload['subject'] === notice.subject,
      )
      if (found === undefined) return undefined
      const replied = Number(found.metadata?.event_payload['revision'] ?? 0)
      return { channel: this.#channel, ts: found.ts, replied }
    } catch (error) {
      if (error instanceof SlackError && error.code === 'missing_scope') return undefined
      throw error
    }
  }
}

function metadataOf({ about, id, subject, revision }: Notice): object {
  const what = about === 'response' ? { response: id } : { revision }
  return { event_type: eventType, event_payload: { subject, ...what } }
}
