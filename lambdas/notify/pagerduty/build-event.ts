import { clip, type Notice, type Severity, severityOf, textOf } from '../content/index.ts'

/** An event of PagerDuty's Events API v2. */
export interface PagerDutyEvent {
  readonly routing_key: string
  readonly event_action: 'trigger' | 'resolve'
  readonly dedup_key: string
  readonly client?: string
  readonly client_url?: string
  readonly payload?: {
    readonly summary: string
    readonly source: string
    readonly severity: 'critical' | 'error' | 'warning' | 'info'
    readonly timestamp: string
    readonly component?: string
    readonly group?: string
    readonly class: string
    readonly custom_details: Readonly<Record<string, unknown>>
  }
  readonly links?: readonly { readonly href: string; readonly text: string }[]
}

const severities: Readonly<Record<Severity, NonNullable<PagerDutyEvent['payload']>['severity']>> = {
  ...{ critical: 'critical', high: 'error', medium: 'warning', low: 'info', info: 'info' },
}

/** Opens its incident in PagerDuty, or says more of it. */
export function buildTrigger(notice: Notice, routingKey: string): PagerDutyEvent {
  const { where, sentence, subject, links, priority, title, words, evidence, steps } = notice
  const source = where.pod ?? where.node ?? where.cluster
  return {
    ...{ routing_key: routingKey, event_action: 'trigger', dedup_key: dedupKey(subject) },
    client: 'Lanner',
    ...(links[0] !== undefined && { client_url: links[0].url }),
    payload: {
      summary: clip(sentence, 1024),
      source: clip(source || 'lanner', 255),
      severity: severities[severityOf(priority)],
      timestamp: notice.opened,
      ...(where.workload !== undefined && { component: where.workload }),
      ...(where.namespace !== undefined && { group: `${where.cluster}/${where.namespace}` }),
      class: title,
      custom_details: {
        ...(words !== undefined && { words }),
        ...{ where: whereOf(notice), rules: notice.rules, count: notice.count },
        ...{ first: notice.first, last: notice.last, evidence },
        steps: steps.map(({ text, commands }) => [text, ...commands].join('\n')),
        text: clip(textOf(notice), 20_000),
      },
    },
    links: links.map(({ title: text, url: href }) => ({ href, text })),
  }
}

/** Ends its incident in PagerDuty. */
export function buildResolve({ subject }: Notice, routingKey: string): PagerDutyEvent {
  return { routing_key: routingKey, event_action: 'resolve', dedup_key: dedupKey(subject) }
}

function dedupKey(subject: string): string {
  return `lanner-${subject}`.slice(0, 255)
}

function whereOf({ where }: Notice): object {
  const { labels: _, ...places } = where
  return places
}
