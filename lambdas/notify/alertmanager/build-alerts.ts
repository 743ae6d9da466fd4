import { clip, type Notice, severityOf, textOf } from '../content/index.ts'

/** An alert of Alertmanager's API v2. */
export interface AlertmanagerAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** ISO 8601. */
  readonly startsAt: string
  readonly endsAt: string
  readonly generatorURL?: string
}

export interface AlertTimes {
  /** Milliseconds of the epoch. */
  readonly now: number
  /** For how long it burns without being sent again. */
  readonly holdMs: number
}

/**
 * What identifies the alert: few values each, the same from the first message to the last unless the
 * incident gets worse. Pods, processes and commands are annotations.
 */
export function labelsOf(notice: Notice, teamLabel: string): Record<string, string> {
  const { title, about, priority, subject, where, tactics } = notice
  if (notice.response !== undefined) return labelsOfResponse(notice, notice.response.id)
  const [kind, name] = where.workload?.split('/') ?? []
  const labels: readonly (readonly [string, string | undefined])[] = [
    ['alertname', title],
    ['severity', severityOf(priority)],
    ['source', 'lanner'],
    ['about', about],
    ['incident', subject.slice(0, 40)],
    ['cluster', where.cluster],
    ['namespace', where.namespace],
    ['workload_kind', name === undefined ? undefined : kind],
    ['workload', name ?? kind],
    ['tactic', tactics[0]],
    ['team', where.labels[teamLabel]],
  ]
  const given = labels.filter((label): label is readonly [string, string] => Boolean(label[1]))
  return Object.fromEntries(given.map(([label, value]) => [label, clip(value, 200)]))
}

/** One alert a response, with the incident's label: it burns while somebody has to do something. */
function labelsOfResponse({ subject, where }: Notice, response: string): Record<string, string> {
  const labels: readonly (readonly [string, string | undefined])[] = [
    ['alertname', 'Response needs somebody'],
    ['severity', 'critical'],
    ['source', 'lanner'],
    ['about', 'response'],
    ['incident', subject.slice(0, 40)],
    ['response', response.slice(0, 40)],
    ['cluster', where.cluster],
    ['namespace', where.namespace],
  ]
  const given = labels.filter((label): label is readonly [string, string] => Boolean(label[1]))
  return Object.fromEntries(given.map(([label, value]) => [label, clip(value, 200)]))
}

/** The alert under its labels: burning for a while, or resolved. */
export function buildAlert(
  notice: Notice,
  labels: Readonly<Record<string, string>>,
  isBurning: boolean,
  { now, holdMs }: AlertTimes,
): AlertmanagerAlert {
  const starts = Math.min(Date.parse(notice.opened), now)
  const ends = isBurning ? now + holdMs : Math.max(starts, now)
  const { where, words, links } = notice
  const annotations: readonly (readonly [string, string | undefined])[] = [
    ['summary', notice.sentence],
    ['description', clip(textOf(notice), 8000)],
    ['words', words],
    ['pod', where.pod],
    ['container', where.container],
    ['image', where.image],
    ['node', where.node],
    ['count', String(notice.count)],
    ['first_seen', notice.first],
    ['last_seen', notice.last],
    ['evidence', notice.evidence],
    ['runbook_url', links.find(({ title }) => /runbook/i.test(title))?.url],
    ['mitre', notice.techniques.map(({ id, name }) => `${id} ${name}`).join(', ')],
    ['incident', notice.subject],
  ]
  const given = annotations.filter((one): one is readonly [string, string] => Boolean(one[1]))
  return {
    ...{ labels, annotations: Object.fromEntries(given) },
    ...{ startsAt: new Date(starts).toISOString(), endsAt: new Date(ends).toISOString() },
    ...(links[0] !== undefined && { generatorURL: links[0].url }),
  }
}
