import type { Suppressions } from '#artefact'
import { type Firing, formatFiring, isoTime } from '#correlate'
import { priorityNames } from '#engine'
import type { Detection, SenderState } from './detection.ts'
import type { Group } from './incidents/group.ts'

/** What of a rule set bears on the detections of its correlations. */
export interface SetFacts {
  /** Of the artefact. */
  readonly hash: string
  readonly runbookOf: Readonly<Record<string, string>>
  readonly suppressions: Pick<Suppressions<never>, 'of'>
}

export interface FiringContext {
  readonly set: SetFacts
  /** The least sure of those who told of the detections in its window. */
  readonly sender: SenderState
  /** ISO 8601. */
  readonly evaluateTime: string
  readonly account?: string
  readonly region?: string
}

/** What a correlation found. It is of the cluster that its group names; without one, of several. */
export function detectionOfFiring(firing: Firing, context: FiringContext): Detection {
  const { correlation, count, first, last, members, id, time, group } = firing
  const { set, sender, evaluateTime, account, region } = context
  const { name, tags } = correlation
  const { text, fields } = formatFiring(firing)
  const priority = priorityNames[correlation.priority]!
  const iso = isoTime(time)
  const runbook = set.runbookOf[name]
  const covered = set.suppressions.of(correlation, time, undefined)
  return {
    hostname: textOf(group['lanner.node']),
    output: `${iso}: ${priority} ${text}`.toWellFormed(),
    output_fields: fields,
    ...{ priority, rule: name, source: 'correlation', tags, time: iso },
    lanner: {
      ...{ id, kind: 'correlation', cluster: textOf(group['lanner.cluster']) },
      node: textOf(group['lanner.node']),
      ...(account !== undefined && { account }),
      ...(region !== undefined && { region }),
      ruleset: set.hash,
      ...(runbook !== undefined && { runbook }),
      ...{ count: 1, evidence: { complete: true }, sender },
      ...(covered !== undefined && {
        suppressed: {
          ...{ id: covered.name, owner: covered.owner, reason: covered.reason },
          until: isoTime(covered.until),
        },
      }),
      times: { event: iso, evaluate: evaluateTime },
      correlation: { count, first: isoTime(first), last: isoTime(last), members },
    },
  }
}

/** One incident for each group of a correlation. */
export function groupOfFiring({ correlation, group }: Firing): Group {
  return {
    cluster: textOf(group['lanner.cluster']),
    node: textOf(group['lanner.node']),
    place: 'correlation',
    origin: JSON.stringify(group, (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}` : value,
    ),
    family: correlation.name,
  }
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? '' : String(value)
}
