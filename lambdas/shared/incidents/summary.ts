import { priorityNames } from '#engine'
import type { Detection, Evidence, SenderState } from '../detection.ts'
import { type Incident, type Member, mostMembers, mostRules, mostTags } from '../incident.ts'

/** What an incident is opened with. */
export interface Opening {
  readonly id: string
  readonly family: string
  readonly lake: string
  /** ISO 8601. */
  readonly now: string
}

/** An incident of one detection, before it is said for the first time. */
export function openIncident(detection: Detection, { id, family, lake, now }: Opening): Incident {
  const { lanner, rule, priority } = detection
  const { cluster, node, account, region, pod, container, lineage, suppressed } = lanner
  return {
    ...{ id, revision: 0, state: 'open', title: rule, priority, cluster, node },
    ...(account !== undefined && { account }),
    ...(region !== undefined && { region }),
    ...(pod !== undefined && { pod }),
    ...(container !== undefined && { container }),
    ...(lineage !== undefined && { lineage }),
    ...{ family, rules: {}, tags: [], count: 0, first: detection.time, last: detection.time },
    ...{ members: { first: [], last: [] }, lake, sender: lanner.sender },
    evidence: { complete: true },
    ...(suppressed !== undefined && { suppressed }),
    ...{ ruleset: lanner.ruleset, runbooks: [], opened: now },
  }
}

/** The incident with one more detection. */
export function withDetection(incident: Incident, detection: Detection): Incident {
  const { lanner, rule, priority, time, tags } = detection
  const isWorse = rank(priority) < rank(incident.priority)
  const { suppressed: was, ...rest } = incident
  const rules = countRule(incident.rules, rule, lanner.count)
  const member = memberOf(detection)
  const { first, last } = incident.members
  // a later end for the same suppression; none as soon as one member is not covered
  const suppressed = lanner.suppressed === undefined || was === undefined ? undefined : was
  return {
    ...rest,
    ...(isWorse && { title: rule, priority }),
    rules,
    tags: union(incident.tags, tags, mostTags),
    count: incident.count + lanner.count,
    first: time < incident.first ? time : incident.first,
    last: time > incident.last ? time : incident.last,
    members: {
      first: first.length < mostMembers ? [...first, member] : first,
      last: [...last, member].slice(-mostMembers),
    },
    sender: leastSure(incident.sender, lanner.sender),
    evidence: withGaps(incident.evidence, lanner.evidence),
    ...(suppressed !== undefined && { suppressed }),
    ruleset: lanner.ruleset,
    runbooks: union(incident.runbooks, lanner.runbook === undefined ? [] : [lanner.runbook], 10),
  }
}

/** 0 for the most severe; unknown names last. */
export function rank(priority: string): number {
  const at = priorityNames.indexOf(priority as (typeof priorityNames)[number])
  return at < 0 ? priorityNames.length : at
}

const longestOutput = 300

function memberOf({ lanner, rule, priority, time, output }: Detection): Member {
  return {
    ...{ id: lanner.id, rule, priority, time },
    output: output.length > longestOutput ? `${output.slice(0, longestOutput - 1)}…` : output,
  }
}

function countRule(
  rules: Readonly<Record<string, number>>,
  rule: string,
  count: number,
): Readonly<Record<string, number>> {
  if (!Object.hasOwn(rules, rule) && Object.keys(rules).length >= mostRules) return rules
  return { ...rules, [rule]: (Object.hasOwn(rules, rule) ? rules[rule]! : 0) + count }
}

function union(known: readonly string[], more: readonly string[], most: number): readonly string[] {
  const added = more.filter((each) => !known.includes(each))
  return added.length === 0 ? known : [...known, ...added].slice(0, most)
}

const sureness: readonly SenderState[] = ['mismatched', 'unverified', 'verified']

function leastSure(a: SenderState, b: SenderState): SenderState {
  return sureness.indexOf(a) < sureness.indexOf(b) ? a : b
}

const mostGaps = 10

function withGaps(known: Evidence, more: Evidence): Evidence {
  if (more.complete) return known
  const gaps = known.complete ? [] : known.gaps
  return { complete: false, gaps: union(gaps, more.gaps, mostGaps) }
}
