import type { Detection, SenderState } from './detection.ts'

/** What the pipeline itself found: about a sensor, or the way from it. */
export interface SensorFinding {
  readonly rule: string
  /** Falco's name of it. */
  readonly priority: 'Critical' | 'Error' | 'Warning' | 'Notice'
  /** Whom it is about. "" when nobody knows: never a name that was only claimed. */
  readonly cluster: string
  readonly node: string
  /** How sure it is that they are meant. */
  readonly sender: SenderState
  /** ISO 8601. */
  readonly time: string
  /** Names that nodes chose stand in it quoted. */
  readonly text: string
  readonly fields: Readonly<Record<string, string | number | null>>
  readonly tags: readonly string[]
  /** What makes it this one: the same when it is found again, here or by another function. */
  readonly key: readonly string[]
}

/** The id of a finding, which does not depend on who finds it when. */
export function findingId(finding: SensorFinding, sha256: (text: string) => string): string {
  return sha256(JSON.stringify(['sensor', finding.rule, ...finding.key]))
}

export interface FindingContext {
  readonly sha256: (text: string) => string
  /** ISO 8601. */
  readonly evaluatedAt: string
  /** Hash of the rule set in force. */
  readonly ruleset?: string
  readonly account?: string
  readonly region?: string
}

/** A finding as everything else that is found. */
export function detectionOfFinding(finding: SensorFinding, context: FindingContext): Detection {
  const { rule, priority, cluster, node, sender, time, text, fields, tags } = finding
  const { account, region, ruleset = '', evaluatedAt } = context
  return {
    hostname: node.toWellFormed(),
    output: `${time}: ${priority} ${text}`.toWellFormed(),
    output_fields: Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [
        name,
        typeof value === 'string' ? value.toWellFormed() : value,
      ]),
    ),
    priority,
    rule,
    source: 'lanner',
    tags,
    time,
    lanner: {
      id: findingId(finding, context.sha256),
      kind: 'sensor',
      cluster,
      node,
      ...(account !== undefined && { account }),
      ...(region !== undefined && { region }),
      ruleset,
      count: 1,
      evidence: { complete: true },
      sender,
      times: { event: time, evaluate: evaluatedAt },
    },
  }
}

/** A name that somebody chose, as it may stand in a text. */
export function quoted(name: string): string {
  return JSON.stringify(name.toWellFormed())
}
