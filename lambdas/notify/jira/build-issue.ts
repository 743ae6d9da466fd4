import {
  clip,
  markOf,
  type Notice,
  placesOf,
  severityOf,
  statusOf,
  timesOf,
  treeOf,
} from '../content/index.ts'

/** A node of Atlassian's document format: text in it is never markup. */
export interface AdfNode {
  readonly type: string
  readonly text?: string
  readonly version?: 1
  readonly attrs?: Readonly<Record<string, unknown>>
  readonly marks?: readonly { readonly type: string; readonly attrs?: object }[]
  readonly content?: readonly AdfNode[]
}

export interface JiraIssue {
  readonly fields: {
    readonly project: { readonly key: string }
    readonly issuetype: { readonly name: string }
    readonly summary: string
    readonly description: AdfNode
    readonly labels: readonly string[]
  }
}

/** By which an issue is found again. */
export function labelOf({ subject }: Notice): string {
  return `lanner-${subject.slice(0, 40).replace(/[^\w-]/g, '')}`
}

export function buildIssue(notice: Notice, project: string, issueType: string): JiraIssue {
  const { title, where } = notice
  const place = where.pod ?? where.node ?? where.cluster
  const summary = `[${statusOf(notice).split(',')[0]}] ${title}${place ? ` (${place})` : ''}`
  return {
    fields: {
      project: { key: project },
      issuetype: { name: issueType },
      summary: clip(summary, 255),
      description: descriptionOf(notice),
      labels: ['lanner', labelOf(notice), `severity-${severityOf(notice.priority)}`],
    },
  }
}

/** What is new of an issue there is. */
export function buildComment(notice: Notice): AdfNode {
  const { about, sentence, words, reason } = notice
  return document([
    paragraph([strong(statusOf(notice)), plain(` (${reason}) ${sentence}`)]),
    ...(words === undefined ? [] : [codeBlock(words)]),
    ...(about === 'response' ? stepNodes(notice) : []),
    paragraph([plain(`${timesOf(notice)} · ${markOf(notice)}`)]),
  ])
}

function descriptionOf(notice: Notice): AdfNode {
  const { sentence, words, meaning, steps, links, evidence, techniques } = notice
  const tree = treeOf(notice)
  const places = placesOf(notice).map(([what, value]) =>
    item([paragraph([plain(`${what}: `), code(value)])]),
  )
  return document([
    paragraph([plain(sentence)]),
    ...(words === undefined ? [] : [codeBlock(words)]),
    ...(places.length === 0 ? [] : [{ type: 'bulletList', content: places }]),
    ...(tree.length === 0 ? [] : [heading('Processes'), codeBlock(tree.join('\n'))]),
    ...(meaning === undefined && techniques.length === 0 ? [] : [heading('Why it matters')]),
    ...(meaning === undefined ? [] : [paragraph([plain(meaning)])]),
    ...techniques.map(({ id, name, url }) => paragraph([linked(id, url), plain(` ${name}`)])),
    ...(steps.length === 0 ? [] : [heading('First steps')]),
    ...stepNodes(notice),
    heading('When'),
    paragraph([plain(`${timesOf(notice)} · ${markOf(notice)}`)]),
    heading('Evidence'),
    paragraph([plain(evidence)]),
    ...links.map(({ title, url }) => paragraph([linked(title, url)])),
  ])
}

function stepNodes({ steps }: Notice): AdfNode[] {
  return steps.flatMap(({ text, commands }, at) => [
    paragraph([plain(`${at + 1}. ${text}`)]),
    ...commands.map(codeBlock),
  ])
}

function document(content: readonly AdfNode[]): AdfNode {
  return { type: 'doc', version: 1, content }
}

/** Texts are never empty in this format. */
function plain(text: string): AdfNode {
  return { type: 'text', text: text === '' ? ' ' : text }
}

function strong(text: string): AdfNode {
  return { ...plain(text), marks: [{ type: 'strong' }] }
}

function code(text: string): AdfNode {
  return { ...plain(text), marks: [{ type: 'code' }] }
}

function linked(text: string, href: string): AdfNode {
  return { ...plain(text), marks: [{ type: 'link', attrs: { href } }] }
}

function paragraph(content: readonly AdfNode[]): AdfNode {
  return { type: 'paragraph', content }
}

function item(content: readonly AdfNode[]): AdfNode {
  return { type: 'listItem', content }
}

function heading(text: string): AdfNode {
  return { type: 'heading', attrs: { level: 3 }, content: [plain(text)] }
}

function codeBlock(text: string): AdfNode {
  return { type: 'codeBlock', content: [plain(text)] }
}
