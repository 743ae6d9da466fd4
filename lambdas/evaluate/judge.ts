import type { Contribution } from '#correlate'
import type { Detection } from '../shared/detection.ts'
import { groupOfEvent } from '../shared/incidents/group.ts'
import type { Grouped } from '../shared/incidents/incidents.ts'
import { type BatchContext, detectionId, detectionOfEvent } from './detection-of-event.ts'
import type { ReadRecord } from './read-record.ts'

/** What a batch amounts to. */
export interface Verdict {
  /** Detections that alert by themselves, each with its incident's group. */
  readonly grouped: readonly Grouped[]
  /** Those that are only parts of correlations. */
  readonly parts: readonly Detection[]
  readonly contributions: readonly Contribution[]
}

/** Evaluates all events of a batch by the rules of its set. */
export function judge({ batch }: Pick<ReadRecord, 'batch'>, context: BatchContext): Verdict {
  const { header, set, sender } = context
  const { program, plan } = set
  const { cluster, node, sequence } = header
  const origin = { cluster, node, ...(sender !== 'verified' && { unsure: true as const }) }
  const unit = { run: `${node}/${header.run}`, sequence }
  const grouped: Grouped[] = []
  const parts: Detection[] = []
  const contributions: Contribution[] = []
  for (const event of batch.events) {
    for (const rule of program.evaluate(event)) {
      const id = detectionId(rule, event, header)
      if (plan.watched.has(rule.name)) {
        contributions.push(...plan.contributions(rule, event, { id, ...origin }))
      }
      const detection = detectionOfEvent(rule, event, id, context)
      if (plan.hidden.has(rule.name)) parts.push(detection)
      else grouped.push({ group: groupOfEvent(event, header, rule), unit, detection })
    }
  }
  return { grouped, parts, contributions }
}
