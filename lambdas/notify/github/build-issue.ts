import {
  clip,
  type Notice,
  placesOf,
  severityOf,
  statusOf,
  timesOf,
  treeOf,
} from '../content/index.ts'
import { coded, fenced, plainMarkdown } from './markdown.ts'

export interface GithubIssue {
  readonly title: string
  readonly body: string
  readonly labels: readonly string[]
}

/** By which an issue is found again. Subjects are hexadecimal: nothing in it can end the comment. */
export function markerOf({ subject }: Notice): string {
  return `<!-- lanner:${subject.replace(/[^\w-]/g, '')} -->`
}

/** By which it is seen whether a message was told already. */
export function revisionMarker({ about, id, revision }: Notice): string {
  if (about === 'response') return `<!-- lanner-response:${id.replace(/[^\w-]/g, '')} -->`
  return `<!-- lanner-revision:${revision} -->`
}

/** GitHub takes 65,536 characters of a body and 256 of a title. */
const mostBody = 60_000

export function buildIssue(notice: Notice): GithubIssue {
  const { title, where } = notice
  const place = where.pod ?? where.node ?? where.cluster
  return {
    title: clip(`[${statusOf(notice).split(',')[0]}] ${title}${place ? ` (${place})` : ''}`, 250),
    body: `${markerOf(notice)}\n${revisionMarker(notice)}\n${clip(bodyOf(notice), mostBody)}`,
    labels: ['lanner', `severity:${severityOf(notice.priority)}`],
  }
}

/** What is new of an issue there is. */
export function buildComment(notice: Notice): string {
  const { about, sentence, words, reason } = notice
  const lines = [
    `**${statusOf(notice)}** (${reason})`,
    plainMarkdown(sentence),
    ...(words === undefined ? [] : [fenced(words)]),
    ...(about === 'response' ? stepTexts(notice) : []),
    plainMarkdown(timesOf(notice)),
    revisionMarker(notice),
  ]
  return clip(lines.join('\n\n'), mostBody)
}

function bodyOf(notice: Notice): string {
  const { sentence, words, meaning, steps, links, evidence, techniques, tactics } = notice
  const tree = treeOf(notice)
  const places = placesOf(notice)
  const sections = [
    plainMarkdown(sentence),
    words === undefined ? '' : fenced(words),
    places.length === 0
      ? ''
      : ['| | |', '|---|---|', ...places.map(([what, value]) => row(what, value))].join('\n'),
    tree.length === 0 ? '' : `### Processes\n\n${fenced(tree.join('\n'))}`,
    meaning === undefined && techniques.length + tactics.length === 0
      ? ''
      : [
          '### Why it matters',
          ...(meaning === undefined ? [] : [plainMarkdown(meaning)]),
          ...techniques.map(({ id, name, url }) => `- [${id}](${url}) ${plainMarkdown(name)}`),
        ].join('\n\n'),
    steps.length === 0 ? '' : ['### First steps', ...stepTexts(notice)].join('\n\n'),
    `### When\n\n${plainMarkdown(timesOf(notice))}`,
    `### Evidence\n\n${plainMarkdown(evidence)}`,
    links.length === 0
      ? ''
      : links.map(({ title, url }) => `- [${plainMarkdown(title)}](<${url}>)`).join('\n'),
  ]
  return sections.filter((text) => text !== '').join('\n\n')
}

function stepTexts({ steps }: Notice): string[] {
  return steps.map(({ text, commands }, at) =>
    [`${at + 1}. ${plainMarkdown(text)}`, ...commands.map(fenced)].join('\n\n'),
  )
}

/** A bar ends a cell even within code. */
function row(what: string, value: string): string {
  return `| ${what} | ${coded(value.replaceAll('|', '¦'))} |`
}
