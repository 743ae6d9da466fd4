import { json, type Received, type Reply, type Vendor } from './fault-server.ts'

interface Posted {
  readonly channel: string
  readonly ts: string
  readonly threadTs?: string
  body: SlackBody
  edits: number
}

interface SlackBody {
  readonly text?: string
  readonly channel?: string
  readonly ts?: string
  readonly thread_ts?: string
  readonly attachments?: readonly { readonly color?: string; readonly blocks?: readonly Block[] }[]
  readonly blocks?: readonly Block[]
  readonly metadata?: { readonly event_type: string; readonly event_payload: object }
}
interface Block {
  readonly type: string
  readonly text?: Text
  readonly fields?: readonly Text[]
  readonly elements?: readonly Text[]
}
interface Text {
  readonly type: string
  readonly text: string
  readonly verbatim?: boolean
}

/**
 * Slack's Web API and an incoming webhook, with the limits of Block Kit as documented: 50 blocks,
 * 3,000 characters in a section, ten fields of 2,000, ten elements of a context, 40,000 characters of
 * text; about 13,000 in all blocks together, which is not documented.
 */
export class SlackStandIn implements Vendor {
  token = 'xoxb-good'
  readonly webhookPath = '/services/T0/B0/secret'
  readonly channels = new Set(['C0123456789'])
  readonly messages: Posted[] = []
  /** Texts that Slack would read as a mention or a link that is not in the list of ours. */
  readonly markup: string[] = []
  #clock = 0

  serve({ method, path, headers, body, query }: Received): Reply {
    if (path === this.webhookPath) {
      const parsed = JSON.parse(body.toString()) as SlackBody
      const wrong = this.#check(parsed)
      if (wrong !== undefined) return { status: 400, body: wrong }
      this.#post({ ...parsed, channel: 'webhook' })
      return { status: 200, body: 'ok', headers: { 'content-type': 'text/html' } }
    }
    if (path.startsWith('/services/')) return { status: 404, body: 'no_service' }
    if (headers.authorization !== `Bearer ${this.token}`) return error('invalid_auth')
    const name = path.replace('/api/', '')
    if (method === 'GET') return this.#read(name, query)
    const parsed = JSON.parse(body.toString()) as SlackBody
    const { channel = '' } = parsed
    if (!this.channels.has(channel)) return error('channel_not_found')
    const wrong = this.#check(parsed)
    if (wrong !== undefined) return error(wrong)
    if (name === 'chat.postMessage') {
      const { ts } = this.#post(parsed)
      return json(200, { ok: true, channel, ts })
    }
    if (name === 'chat.update') {
      const found = this.messages.find(({ ts }) => ts === parsed.ts)
      if (found === undefined) return error('message_not_found')
      found.body = parsed
      found.edits += 1
      return json(200, { ok: true, channel, ts: found.ts })
    }
    return error('unknown_method')
  }

  /** Messages that are no replies. */
  get living(): readonly Posted[] {
    return this.messages.filter(({ threadTs }) => threadTs === undefined)
  }

  #read(name: string, query: URLSearchParams): Reply {
    const wanted = query.get('ts') ?? undefined
    const found =
      name === 'conversations.history'
        ? this.living
        : this.messages.filter(({ ts, threadTs }) => ts === wanted || threadTs === wanted)
    const messages = found.toReversed().map(({ ts, body }) => ({ ts, metadata: body.metadata }))
    return json(200, { ok: true, messages })
  }

  #post(body: SlackBody): Posted {
    this.#clock += 1
    const posted: Posted = {
      ...{ channel: body.channel ?? '', ts: `1790000000.${String(this.#clock).padStart(6, '0')}` },
      ...(body.thread_ts !== undefined && { threadTs: body.thread_ts }),
      ...{ body, edits: 0 },
    }
    this.messages.push(posted)
    return posted
  }

  #check(body: SlackBody): string | undefined {
    const blocks = [
      ...(body.blocks ?? []),
      ...(body.attachments ?? []).flatMap((a) => a.blocks ?? []),
    ]
    if ((body.text ?? '') === '' && blocks.length === 0) return 'no_text'
    if ((body.text ?? '').length > 40_000) return 'msg_too_long'
    if (blocks.length > 50) return 'invalid_blocks'
    if (JSON.stringify(blocks).length > 13_000) return 'msg_blocks_too_long'
    if (JSON.stringify(body.metadata ?? {}).length > 16_000) return 'metadata_too_large'
    this.#look(body.text ?? '')
    for (const { type, text, fields = [], elements = [] } of blocks) {
      if (type === 'header' && (text?.text.length ?? 0) > 150) return 'invalid_blocks'
      if (text !== undefined && (text.text.length > 3000 || text.text === ''))
        return 'invalid_blocks'
      if (fields.length > 10 || fields.some((one) => one.text.length > 2000))
        return 'invalid_blocks'
      if (elements.length > 10 || elements.some((one) => one.text.length > 3000)) {
        return 'invalid_blocks'
      }
      for (const one of [text, ...fields, ...elements]) {
        if (one === undefined) continue
        if (one.type === 'mrkdwn') this.#look(one.text)
        if (one.type === 'mrkdwn' && one.verbatim !== true) return 'invalid_blocks'
      }
    }
    return undefined
  }

  #look(text: string): void {
    for (const [mention] of text.matchAll(/<[!@#][^>]*>|<(?!https:\/\/lanner\.example\/)[^>]*>/g)) {
      this.markup.push(mention)
    }
  }
}

function error(code: string): Reply {
  return json(200, { ok: false, error: code })
}
