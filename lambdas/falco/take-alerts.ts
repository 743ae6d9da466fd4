import { type RuleArtefact, Suppressions } from '#artefact'
import {
  type Contribution,
  type Correlation,
  type CorrelationPlan,
  compileCorrelations,
} from '#correlate'
import { type FieldMap, fieldMapSource } from '#events'
import { Conclude, type ConcludeFigures, type ConcludeOptions } from '../shared/conclude.ts'
import type { RuleSets } from '../shared/rule-sets/rule-sets.ts'
import { sha256 } from '../shared/sha256.ts'
import { NoAlert, type ReadAlert, readAlert } from './read-alert.ts'

/** What of a rule set bears on alerts that others made. */
export interface AlertSet {
  readonly hash: string
  readonly correlations: readonly Correlation[]
  readonly suppressions: Suppressions<FieldMap>
  readonly runbookOf: Readonly<Record<string, string>>
}

export function prepareAlertSet(artefact: RuleArtefact, hash: string): AlertSet {
  const { correlations, suppressions, runbookOf } = artefact
  return {
    ...{ hash, correlations, runbookOf },
    suppressions: new Suppressions(suppressions, fieldMapSource),
  }
}

export interface TakeAlertsOptions extends ConcludeOptions {
  readonly sets: Pick<RuleSets<AlertSet>, 'of'>
  /** Of alerts that do not name theirs. */
  readonly cluster: string
}

/** An alert on its way in: the name by which it is asked for again, and its text. */
export interface IncomingAlert {
  readonly id: string
  readonly text: string
}

export interface AlertsResult {
  /** Those that are no alerts: trying again is of no use, keeping them is. */
  readonly refused: readonly { readonly id: string; readonly reason: string }[]
  readonly figures: ConcludeFigures
}

/** Correlates, groups and tells alerts of Falco like what Lanner found; responses never act on them. */
export class TakeAlerts {
  readonly #options: TakeAlertsOptions
  readonly #conclude: Conclude

  constructor(options: TakeAlertsOptions) {
    this.#options = options
    this.#conclude = new Conclude(options)
  }

  async run(incoming: readonly IncomingAlert[]): Promise<AlertsResult> {
    const { cluster, now, sets } = this.#options
    const evaluateTime = new Date(now()).toISOString()
    const refused: { id: string; reason: string }[] = []
    const alerts = incoming.flatMap(({ id, text }): ReadAlert[] => {
      try {
        return [readAlert(text, { cluster, evaluateTime })]
      } catch (error) {
        if (!(error instanceof NoAlert)) throw error
        refused.push({ id, reason: error.message })
        return []
      }
    })
    const contributions: Contribution[] = []
    const setOf = new Map<Correlation, AlertSet>()
    const judged: { readonly alert: ReadAlert; readonly isPart: boolean }[] = []
    for (const alert of alerts) {
      const set = await sets.of(alert.detection.lanner.cluster)
      for (const correlation of set.correlations) setOf.set(correlation, set)
      const { isPart, contributed } = correlate(alert, set)
      contributions.push(...contributed)
      judged.push({ alert: withSet(alert, set), isPart })
    }
    const figures = await this.#conclude.run({
      contributions,
      firingContext: ({ correlation }) => ({
        ...{ set: setOf.get(correlation)!, sender: 'unverified', evaluateTime },
      }),
      grouped: judged
        .filter(({ isPart }) => !isPart)
        .map(({ alert: { detection, group } }) => ({
          ...{ detection, group, unit: { id: detection.lanner.id } },
        })),
      parts: judged.filter(({ isPart }) => isPart).map(({ alert }) => alert.detection),
      health: [],
      lake:
        incoming[0] === undefined
          ? undefined
          : { time: evaluateTime, name: `falco-${incoming[0].id.replace(/[^\w-]/g, '_')}` },
    })
    return { refused, figures }
  }
}

/** What an alert means to correlations; its rule need not be one of the set. */
function correlate(
  { detection, fields }: ReadAlert,
  set: AlertSet,
): { readonly isPart: boolean; readonly contributed: readonly Contribution[] } {
  const { rule, tags, lanner } = detection
  const named = { name: rule, tags }
  const plan = planFor(named, set)
  const { id, cluster, node } = lanner
  return {
    isPart: plan.hidden.has(rule),
    contributed: plan.contributions(named, fields, { id, cluster, node, unsure: true }),
  }
}

/** Plans of a set by rule and tags: of many alerts few are of a kind not seen before. */
const plans = new WeakMap<AlertSet, Map<string, CorrelationPlan<FieldMap>>>()
const mostPlans = 500

function planFor(
  rule: { readonly name: string; readonly tags: readonly string[] },
  set: AlertSet,
): CorrelationPlan<FieldMap> {
  const known = plans.get(set) ?? new Map<string, CorrelationPlan<FieldMap>>()
  plans.set(set, known)
  const key = JSON.stringify([rule.name, rule.tags])
  const plan =
    known.get(key) ?? compileCorrelations(set.correlations, [rule], fieldMapSource, sha256)
  if (known.size >= mostPlans) known.delete(known.keys().next().value!)
  known.set(key, plan)
  return plan
}

function withSet(alert: ReadAlert, { hash, suppressions, runbookOf }: AlertSet): ReadAlert {
  const { detection, fields } = alert
  const { rule, tags, lanner } = detection
  const time = fieldMapSource.time(fields)
  const covered = suppressions.of({ name: rule, tags }, time, fields)
  const runbook = runbookOf[rule]
  return {
    ...alert,
    detection: {
      ...detection,
      lanner: {
        ...{ ...lanner, ruleset: hash },
        ...(runbook !== undefined && { runbook }),
        ...(covered !== undefined && {
          suppressed: {
            ...{ id: covered.name, owner: covered.owner, reason: covered.reason },
            until: new Date(Number(covered.until / 1_000_000n)).toISOString(),
          },
        }),
      },
    },
  }
}
