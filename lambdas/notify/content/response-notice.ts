import { priorityNames } from '#engine'
import type { TextRedactor } from '#redact'
import { needsSomebody } from '#routes'
import type { ResponseMessage } from '../../shared/bus-messages.ts'
import { type ResponseNews, responsePriority, type Told } from '../../shared/route-subject.ts'
import type { Notice } from './notice.ts'
import { cleaned, linksOf, nowhere, placeOf } from './places.ts'
import { clip, visible } from './plain-text.ts'
import { redactMessage } from './redact-message.ts'
import type { Step } from './runbook-steps.ts'

interface Context {
  readonly redactor: TextRedactor
  readonly links: Readonly<Record<string, string>>
}

const titles: Readonly<Record<Exclude<ResponseNews, 'verified'>, string>> = {
  planned: 'Response planned',
  awaiting: 'Response waits for approval',
  approved: 'Response approved',
  done: 'Response done',
  failed: 'Response failed',
  expired: 'Response is over',
}
const outcomeTitles: Readonly<Record<NonNullable<ResponseMessage['outcome']>, string>> = {
  contained: 'Pod is contained',
  partially_contained: 'Pod is only partially contained',
  unenforced: 'Pod is not contained',
  unverified: 'Nobody knows whether the pod is contained',
}

/** Number of a line among those of its response, from 1. */
export function lineOf({ id }: Pick<ResponseMessage, 'id'>): number {
  return Number(/-(\d{1,9})$/.exec(id)?.[1] ?? 0) + 1
}

/** What a response did or waits for: open while somebody has to do something about it. */
export function responseNotice(
  told: Extract<Told, { about: 'response' }>,
  { redactor, links }: Context,
): Notice {
  const { news, message: given } = told
  const message = redactMessage(given, redactor)
  const { target, cluster, time, outcome, evidence } = message
  const rule = clip(visible(message.rule), 120)
  const title =
    news === 'verified'
      ? outcomeTitles[outcome ?? 'unverified']
      : (titles[news] as string | undefined)!
  const name = target.name === '' ? undefined : target.name
  const namespace = target.namespace === '' ? undefined : target.namespace
  const where = cleaned({ ...nowhere, cluster, namespace, pod: name })
  const isOpen = needsSomebody({ state: news, ...(outcome !== undefined && { outcome }) })
  const place = name === undefined ? '' : ` ${placeOf(where)}`
  const text = clip(visible(message.text), 2000)
  return {
    ...{ id: visible(given.id), subject: given.incident, revision: lineOf(given) },
    ...{ about: 'response', state: isOpen ? 'open' : 'closed', reason: news, title, where },
    priority: priorityNames.indexOf(
      responsePriority(news, given) as (typeof priorityNames)[number],
    ),
    sentence: `${title}: ${rule}${place}.`,
    words: text,
    ...{ lineage: [], tactics: [], techniques: [], steps: stepsOf(given, message, isOpen) },
    links: linksOf(links, { incident: given.incident, cluster, namespace, pod: name }),
    ...{ count: 1, rules: [{ name: rule, count: 1 }], tags: [] },
    ...{ first: time, last: time, opened: time, ...(!isOpen && { closed: time }) },
    evidence:
      evidence === undefined
        ? 'None is kept.'
        : `Kept in ${clip(visible(evidence.manifest), 300)}, last hash ${hexOf(given.evidence?.head) ?? '?'}.`,
    isComplete: true,
    response: {
      ...{ id: given.response, rule, mode: given.mode, phase: given.phase },
      ...(outcome !== undefined && { outcome }),
      ...(message.next !== undefined && { next: clip(visible(message.next), 500) }),
      ...(given.approve !== undefined && {
        planHash: given.approve.planHash,
        approveUntil: given.approve.until,
        does: message.approve!.does.slice(0, 20).map((one) => clip(visible(one), 300)),
      }),
    },
  }
}

/** What a person can do about it, with commands that hold nothing but numbers. */
function stepsOf(given: ResponseMessage, message: ResponseMessage, isOpen: boolean): Step[] {
  const id = hexOf(given.response)
  if (!isOpen || id === undefined) return []
  const { approve } = given
  const hash = hexOf(approve?.planHash)
  const look = { text: 'See all of it', commands: [`lanner approve ${id}`] }
  if (approve !== undefined && hash !== undefined) {
    const does = message.approve!.does.map((one) => visible(one)).join('; ')
    return [
      { ...look, text: clip(`See what it would do: ${does}`, 1200) },
      {
        text: `Approve this plan and no other, until ${visible(approve.until)}`,
        commands: [`lanner approve ${id} --plan ${hash}`],
      },
    ]
  }
  const { next } = message
  return [
    ...(next === undefined ? [] : [{ text: clip(`Next: ${visible(next)}`, 600), commands: [] }]),
    look,
  ]
}

/** Ids and hashes are told as they are, whatever a redactor takes them for; anything else is not. */
function hexOf(text: string | undefined): string | undefined {
  return text !== undefined && /^[0-9a-f]{8,128}$/.test(text) ? text : undefined
}
