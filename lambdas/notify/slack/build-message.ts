import {
  clip,
  markOf,
  type Notice,
  placesOf,
  type Severity,
  severityOf,
  statusOf,
  timesOf,
  treeOf,
  whyOf,
} from '../content/index.ts'
import { codeBlock, codeSpan, escaped } from './slack-text.ts'

/** A message of Slack, without the channel it goes to. */
export interface SlackMessage {
  /** Shown above the rest, and in notifications. */
  readonly text: string
  readonly mrkdwn: false
  readonly attachments: readonly SlackAttachment[]
  readonly unfurl_links: false
  readonly unfurl_media: false
  readonly link_names: false
  readonly parse: 'none'
}

interface SlackAttachment {
  readonly color: string
  readonly fallback: string
  readonly blocks: readonly SlackBlock[]
}

export type SlackBlock =
  | { readonly type: 'section'; readonly text: SlackText }
  | { readonly type: 'section'; readonly fields: readonly SlackText[] }
  | { readonly type: 'context'; readonly elements: readonly SlackText[] }

/** `verbatim`: names, channels and URLs in it stay text. */
type SlackText =
  | { readonly type: 'plain_text'; readonly text: string; readonly emoji: false }
  | { readonly type: 'mrkdwn'; readonly text: string; readonly verbatim: true }

/** The more severe, the redder. */
const colors: Readonly<Record<Severity, string>> = {
  ...{ critical: '#d7001f', high: '#e8590c', medium: '#f2b705', low: '#8a94a6', info: '#2f80ed' },
}
const closedColor = '#2e9e5b'

/** Slack takes about 13,000 characters in all blocks together, and 3,000 in a section. */
const mostInAll = 10_000
const mostInSection = 2900
const mostInField = 300
/** A text in the open, which is all that a phone shows. */
const mostInText = 700

/** The living message about a subject. */
export function buildMessage(notice: Notice): SlackMessage {
  const text = plainLine(`${statusOf(notice)}: ${notice.sentence}`)
  const color = notice.state === 'closed' ? closedColor : colors[severityOf(notice.priority)]
  const attachment = { color, fallback: text, blocks: withinBudget(blocksOf(notice)) }
  return message(text, [attachment])
}

/** The place of an incident of which only responses are told: they are in its thread. */
export function buildPlace({ subject, where }: Notice): SlackMessage {
  const of = where.cluster === '' ? '' : ` of cluster ${where.cluster}`
  return message(plainLine(`Incident ${subject.slice(0, 40)}${of}: what responses do`), [])
}

/** What is new, for the thread of the living message. */
export function buildReply(notice: Notice): SlackMessage {
  const what = notice.words === undefined ? '' : ` ${notice.words}`
  return message(
    plainLine(`${statusOf(notice)} (${notice.reason}): ${timesOf(notice)}.${what}`),
    [],
  )
}

function message(text: string, attachments: readonly SlackAttachment[]): SlackMessage {
  return {
    ...{ text, mrkdwn: false, attachments },
    ...{ unfurl_links: false, unfurl_media: false, link_names: false, parse: 'none' },
  }
}

function plainLine(text: string): string {
  // escaping makes it longer, five times at most
  return escaped(clip(text, mostInText))
}

function blocksOf(notice: Notice): SlackBlock[] {
  const { words, steps, links, evidence, subject } = notice
  const why = whyOf(notice)
  const tree = treeOf(notice)
  const blocks: SlackBlock[] = []
  const fields = placesOf(notice).map(([what, value]) =>
    markup(`*${what}*\n${codeSpan(clip(value, mostInField))}`),
  )
  if (words !== undefined) blocks.push(section(fitted(words, codeBlock)))
  if (fields.length > 0) blocks.push({ type: 'section', fields: fields.slice(0, 10) })
  if (tree.length > 0) blocks.push(section(fitted(tree.join('\n'), codeBlock)))
  if (why !== undefined) blocks.push(section(`*Why it matters*\n${fitted(why, plain)}`))
  for (const [at, { text, commands }] of steps.entries()) {
    const shown = commands.map((command) => `\n${fitted(command, codeBlock)}`).join('')
    blocks.push(section(`*${at + 1}.* ${fitted(text, plain)}${shown}`))
  }
  blocks.push({
    type: 'context',
    elements: [
      markup(plain(clip(timesOf(notice), 500))),
      markup(plain(clip(`Evidence: ${evidence}`, 500))),
      ...links.slice(0, 7).map(({ title, url }) => markup(link(title, url))),
      markup(plain(`${subject.slice(0, 40)} · ${clip(markOf(notice), 100)}`)),
    ],
  })
  return blocks
}

/** Text whose signs of markup mean nothing: Slack knows no escape for them, so that they are replaced. */
function plain(text: string): string {
  const replaced = text.replace(
    /[*_~`]/g,
    (sign) => ({ '*': '∗', _: 'ˍ', '~': '∼', '`': 'ˋ' })[sign]!,
  )
  return escaped(replaced)
}

/** A URL of ours, from which nothing can break out. */
function link(title: string, url: string): string {
  return `<${escaped(url).replaceAll('|', '%7C')}|${plain(title)}>`
}

/** As much of a text as fits into a section once it is escaped. */
function fitted(text: string, show: (text: string) => string): string {
  for (let most = 2000; ; most = Math.floor(most / 2)) {
    const shown = show(clip(text, most))
    if (shown.length <= mostInSection - 300) return shown
  }
}

function section(text: string): SlackBlock {
  return { type: 'section', text: markup(text.length > mostInSection ? '…' : text) }
}

function markup(text: string): SlackText {
  return { type: 'mrkdwn', text, verbatim: true }
}

/** The last block says when and which; of the others those go that come last. */
function withinBudget(blocks: SlackBlock[]): SlackBlock[] {
  const kept = [...blocks]
  while (kept.length > 1 && JSON.stringify(kept).length > mostInAll) kept.splice(-2, 1)
  return kept
}
