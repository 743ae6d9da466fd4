import { createHash } from 'node:crypto'
import { parsePriority, priorityNames } from '#engine'
import type { TextRedactor } from '#redact'
import type { DeliveryMessage, HealthMessage, IncidentMessage } from '../../shared/bus-messages.ts'
import { statePriorities, type Told } from '../../shared/route-subject.ts'
import type { Notice, Where } from './notice.ts'
import { cleaned, linksOf, nowhere, placeOf } from './places.ts'
import { clip, visible } from './plain-text.ts'
import { redactMessage } from './redact-message.ts'
import { lineOf, responseNotice } from './response-notice.ts'
import { meaningOf, stepsOf } from './runbook-steps.ts'
import { tacticsOf, techniquesOf } from './techniques.ts'

export interface NoticeContext {
  readonly redactor: TextRedactor
  /** Markdown by name, of the rule set in force. */
  readonly runbooks: Readonly<Record<string, string>>
  /** Name of the runbook of a rule. */
  readonly runbookOf?: Readonly<Record<string, string>>
  /** URLs by title; `{incident}`, `{cluster}`, `{pod}` and the like stand for values. */
  readonly links: Readonly<Record<string, string>>
}

/** A message of the bus as people are told it. */
export function makeNotice(told: Told, context: NoticeContext): Notice {
  switch (told.about) {
    case 'incident':
      return incidentNotice(redactMessage(told.message, context.redactor), context)
    case 'health':
      return healthNotice(redactMessage(told.message, context.redactor), context)
    case 'delivery':
      return deliveryNotice(redactMessage(told.message, context.redactor))
    case 'response':
      return responseNotice(told, context)
  }
}

/** What a message is about, and how new it is: known without reading the rest of it. */
export function identityOf(told: Told): Pick<Notice, 'subject' | 'revision'> {
  const { about, message } = told
  if (about === 'incident') {
    return { subject: message.incident.id, revision: message.incident.revision }
  }
  // what a response does belongs to its incident, in whose thread nothing of it takes the place of another
  if (about === 'response') return { subject: message.incident, revision: lineOf(message) }
  const revision = Date.parse(message.time)
  if (about === 'delivery') return { subject: idOf('delivery', message.destination), revision }
  return { subject: idOf('health', message.cluster, message.node), revision }
}

function incidentNotice(message: IncidentMessage, context: NoticeContext): Notice {
  const { id, incident, detection, reason } = message
  const { pod, container, cluster, node, account, region } = incident
  const priority = parsePriority(incident.priority) ?? 2
  const process = incident.lineage?.[0]
  const where: Where = cleaned({
    ...{ cluster, account, region, node, labels: pod?.labels ?? {} },
    ...{ namespace: pod?.namespace, workload: pod?.workload, pod: pod?.name },
    ...{ container: container?.name ?? container?.id, image: container?.image },
  })
  const values = {
    ...fieldsOf(detection?.output_fields ?? {}),
    ...{ namespace: pod?.namespace, pod: pod?.name, workload: pod?.workload, cluster, node },
    ...{ container: container?.name, image: container?.image, incident: incident.id },
    ...{ pid: process === undefined ? undefined : String(process.pid), process: process?.name },
    ...{ exe: process?.exe, rule: incident.title },
  }
  const runbook = runbookOf(message, context)
  const meaning = runbook === undefined ? undefined : meaningOf(runbook)
  const rules = Object.entries(incident.rules)
    .map(([name, count]) => ({ name: visible(name), count }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
  const title = clip(visible(incident.title), 120)
  const words = detection?.output ?? incident.members.last.at(-1)?.output
  return {
    ...{ id, ...identityOf({ about: 'incident', message }), about: 'incident' },
    ...{ state: incident.state, reason, priority, title, where },
    sentence: sentenceOf(message, title, where),
    ...(words !== undefined && { words: clip(visible(withoutPrefix(words)), 2000) }),
    lineage: (incident.lineage ?? []).slice(0, 12).map(({ pid, name, exe }) => ({
      ...{ pid, name: clip(visible(name), 64), exe: clip(visible(exe), 200) },
    })),
    ...{ tactics: tacticsOf(incident.tags), techniques: techniquesOf(incident.tags) },
    ...(meaning !== undefined && { meaning: visible(meaning) }),
    steps: runbook === undefined ? [] : stepsOf(runbook, values),
    links: linksOf(context.links, values),
    ...{ count: incident.count, rules, tags: incident.tags.map(visible) },
    ...{ first: incident.first, last: incident.last, opened: incident.opened },
    ...(incident.closed !== undefined && { closed: incident.closed }),
    ...{ evidence: evidenceOf(message), isComplete: incident.evidence.complete },
    incident,
    ...(detection !== undefined && { detection }),
  }
}

/** The runbook of the rule that gave the incident its name, else of what made the message, else any. */
function runbookOf(
  { incident, detection }: IncidentMessage,
  { runbooks, runbookOf = {} }: NoticeContext,
): string | undefined {
  const { title } = incident
  const own = Object.hasOwn(runbookOf, title) ? runbookOf[title] : undefined
  return [own, detection?.lanner.runbook, ...incident.runbooks]
    .map((name) =>
      name !== undefined && Object.hasOwn(runbooks, name) ? runbooks[name] : undefined,
    )
    .find((text) => text !== undefined)
}

/** Falco's output begins with the time and the priority, which are told apart. */
function withoutPrefix(output: string): string {
  return output.replace(
    /^\S+: (?:Emergency|Alert|Critical|Error|Warning|Notice|Informational|Debug) /,
    '',
  )
}

function sentenceOf({ incident, reason }: IncidentMessage, title: string, where: Where): string {
  const process = incident.lineage?.[0]
  const by = process === undefined ? '' : ` by ${clip(visible(process.name), 64)}`
  const times = incident.count > 1 ? `, ${incident.count} times since ${clock(incident.first)}` : ''
  const ended =
    incident.state === 'closed'
      ? `; over, nothing more since ${clock(incident.last)}`
      : reason === 'escalated'
        ? `; now ${incident.priority}`
        : ''
  return `${title}${by} ${placeOf(where)}${times}${ended}.`
}

function clock(time: string): string {
  return /T(\d{2}:\d{2}:\d{2})/.exec(time)?.[1]?.concat(' UTC') ?? time
}

function evidenceOf({ incident, cut, full }: IncidentMessage): string {
  const { evidence, sender } = incident
  const gaps = evidence.complete
    ? 'Complete'
    : `Incomplete: events were lost (${evidence.gaps.map(visible).join(', ')})`
  const sure = sender === 'verified' ? '' : `; sender ${sender}`
  const shortened = cut === undefined || cut.length === 0 ? '' : `; shortened, in full at ${full}`
  return clip(`${gaps}${sure}${shortened}.`, 500)
}

function fieldsOf(fields: Readonly<Record<string, unknown>>): Record<string, string> {
  const known = Object.entries(fields).filter(
    ([, value]) =>
      typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint',
  )
  return Object.fromEntries(known.map(([name, value]) => [name, String(value)]))
}

const healthTitles: Readonly<Record<HealthMessage['state'], string>> = {
  silent: 'Sensor is silent',
  back: 'Sensor is back',
  stopped: 'Sensor stopped',
  started: 'Sensor started',
  losing: 'Sensor loses events',
  changed: 'Sensor was changed',
  canary: 'Canary arrived',
  'dead-path': 'Canary did not arrive',
}

function healthNotice(message: HealthMessage, { links }: NoticeContext): Notice {
  const { cluster, node, state, text, time } = message
  const where = cleaned({ ...nowhere, cluster, node })
  const isOver = state === 'back' || state === 'started' || state === 'canary'
  return {
    ...stateNotice({ about: 'health', message }, healthTitles[state]),
    state: isOver ? 'closed' : 'open',
    sentence: `${healthTitles[state]} ${placeOf(where)}: ${clip(visible(text), 600)}`,
    where,
    links: linksOf(links, { cluster, node }),
    ...(isOver && { closed: time }),
  }
}

const deliveryTitles: Readonly<Record<DeliveryMessage['state'], string>> = {
  refused: 'Destination refuses our credentials',
  gone: 'Destination is not there any more',
  failing: 'Destination fails',
  back: 'Destination is back',
}

function deliveryNotice(message: DeliveryMessage): Notice {
  const { destination, kind, state, text, time } = message
  return {
    ...stateNotice({ about: 'delivery', message }, deliveryTitles[state]),
    state: state === 'back' ? 'closed' : 'open',
    sentence: `${deliveryTitles[state]}: ${visible(destination)} (${kind}): ${clip(visible(text), 600)}`,
    where: cleaned({ ...nowhere, cluster: '' }),
    ...(state === 'back' && { closed: time }),
  }
}

function stateNotice(told: Extract<Told, { about: 'health' | 'delivery' }>, title: string) {
  const { id, state, time } = told.message
  return {
    ...{ id, ...identityOf(told), about: told.about, reason: state, title },
    priority: priorityNames.indexOf(statePriorities[state] as (typeof priorityNames)[number]),
    ...{ lineage: [], tactics: [], techniques: [], steps: [], links: [], rules: [], tags: [] },
    ...{ count: 1, first: time, last: time, opened: time },
    ...{ evidence: 'Complete.', isComplete: true },
  } satisfies Partial<Notice>
}

function idOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
