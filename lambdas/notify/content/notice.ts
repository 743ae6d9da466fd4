import type { Priority } from '#engine'
import type { SubjectKind } from '#routes'
import type { Detection, LineageStep } from '../../shared/detection.ts'
import type { Incident } from '../../shared/incident.ts'
import type { Step } from './runbook-steps.ts'
import type { Technique } from './techniques.ts'

/**
 * What people are told, the same for every destination: already without secrets, each text on one line
 * with nothing hidden in it. Text may still be markup to a destination, which escapes it.
 */
export interface Notice {
  /** Of the message; the same when it is said again. */
  readonly id: string
  /** What it is about: one living message, ticket or alert each. */
  readonly subject: string
  /** Grows with each message about the subject. */
  readonly revision: number
  readonly about: SubjectKind
  readonly state: 'open' | 'closed'
  /** Why it is said now. */
  readonly reason: string
  readonly priority: Priority
  /** At most 120 characters. */
  readonly title: string
  /** One sentence of what happened, and where. */
  readonly sentence: string
  /** The rule's own words. */
  readonly words?: string
  readonly where: Where
  /** The process itself first. */
  readonly lineage: readonly LineageStep[]
  readonly tactics: readonly string[]
  readonly techniques: readonly Technique[]
  /** What the runbook says that it means. */
  readonly meaning?: string
  readonly steps: readonly Step[]
  readonly links: readonly Link[]
  readonly count: number
  /** The rules that found it, the most frequent first. */
  readonly rules: readonly { readonly name: string; readonly count: number }[]
  readonly tags: readonly string[]
  /** ISO 8601. */
  readonly first: string
  readonly last: string
  readonly opened: string
  readonly closed?: string
  /** Whether something may be missing, in words. */
  readonly evidence: string
  readonly isComplete: boolean
  /** For machines; without secrets. */
  readonly incident?: Incident
  readonly detection?: Detection
  /** Of a message about a response. */
  readonly response?: NoticeOfResponse
}

/** What machines are told of a response. */
export interface NoticeOfResponse {
  readonly id: string
  readonly rule: string
  readonly mode: string
  readonly phase: string
  readonly outcome?: string
  /** What is proposed when it is not contained. */
  readonly next?: string
  /** What an approval is bound to, until when (ISO 8601), and what would be done. */
  readonly planHash?: string
  readonly approveUntil?: string
  readonly does?: readonly string[]
}

/** By what a destination knows that it was told a message about the subject already. */
export function markOf({ about, id, revision }: Notice): string {
  return about === 'response' ? `response ${id}` : `message ${revision}`
}

export interface Where {
  /** "" when nobody gave it a name. */
  readonly cluster: string
  readonly account?: string
  readonly region?: string
  readonly node?: string
  readonly namespace?: string
  readonly workload?: string
  readonly pod?: string
  readonly container?: string
  readonly image?: string
  readonly labels: Readonly<Record<string, string>>
}

export interface Link {
  readonly title: string
  readonly url: string
}

export type Severity = 'critical' | 'high' | 'medium' | 'low' | 'info'

/** Five degrees of severity for eight priorities. */
export function severityOf(priority: Priority): Severity {
  const severities: readonly Severity[] = [
    'critical',
    'critical',
    'critical',
    'high',
    'medium',
    'low',
  ]
  return severities[priority] ?? 'info'
}
