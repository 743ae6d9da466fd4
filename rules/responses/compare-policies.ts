import { fits, fitsPattern, modeOf } from './match-response.ts'
import { nameClasses } from './name-classes.ts'
import type { Limits, Mode, ResponsePolicy, ResponseRule } from './policy.ts'

/** A rule that may go further than before somewhere, or less far. `none`: there is no such rule. */
export interface ModeChange {
  readonly rule: string
  readonly from: Mode | 'none'
  readonly to: Mode | 'none'
  /** In words: names, patterns, `every cluster`. */
  readonly clusters: string
  readonly namespaces: string
}

export interface PolicyDifference {
  readonly modes: readonly ModeChange[]
  /** What else is different of a rule, by its name: `actions`, `match`, … */
  readonly rules: readonly { readonly rule: string; readonly what: readonly string[] }[]
  /** Limits and protections, in words. */
  readonly settings: readonly string[]
  /** All that is done without a person and was not before, or not in this way; a sentence each. */
  readonly automatic: readonly string[]
}

/** Where a rule is automatic, in words. */
export interface Automatic {
  readonly rule: string
  readonly clusters: string
  readonly namespaces: string
}

const nothing: Pick<ResponsePolicy, 'rules' | 'modes'> = { rules: [], modes: [] }

/**
 * What it means to put one policy in the place of another, for every cluster and namespace there can be;
 * `clusters` that are known are called by name. What cannot be told counts as automatic.
 */
export function comparePolicies(
  before: ResponsePolicy | undefined,
  after: ResponsePolicy,
  clusters: readonly string[] = [],
): PolicyDifference {
  const old = before ?? { ...after, ...nothing }
  const cells = cellsOf([old, after], clusters)
  const rules = ruleChanges(old, after)
  const settings = settingChanges(old, after)
  if (cells === undefined) {
    const automatic = after.modes.some(({ mode }) => mode === 'auto')
      ? ['there are too many patterns to tell where rules become automatic']
      : []
    return { modes: [], rules, settings: settings.map(({ text }) => text), automatic }
  }
  const modes: ModeChange[] = []
  const automatic: string[] = []
  let isAnyAuto = false
  for (const name of namesOf(old, after)) {
    const [was, is] = [ruleCalled(old, name), ruleCalled(after, name)]
    const changed = cells.changes(
      (cell) => (was === undefined ? 'none' : modeOf(old, was, cell.cluster, cell.namespace)),
      (cell) => (is === undefined ? 'none' : modeOf(after, is, cell.cluster, cell.namespace)),
    )
    for (const { from, to, clusters, namespaces } of changed) {
      isAnyAuto ||= to === 'auto'
      if (from !== to) modes.push({ rule: name, from, to, clusters, namespaces })
      if (to !== 'auto') continue
      const where = `${clusters}, ${namespaces}`
      if (from !== 'auto') automatic.push(`"${name}" becomes automatic in ${where}`)
      else {
        const what = goesFurther(old, after, was!, is!)
        if (what.length > 0) automatic.push(`"${name}", automatic in ${where}: ${what.join('; ')}`)
      }
    }
  }
  if (isAnyAuto && before !== undefined) {
    automatic.push(...settings.flatMap(({ text, isWeaker }) => (isWeaker ? [text] : [])))
  }
  return { modes, rules, settings: settings.map(({ text }) => text), automatic }
}

/** The rules that are automatic somewhere in a cluster; `undefined` when there are too many patterns. */
export function automaticIn(
  policy: ResponsePolicy,
  cluster: string,
): readonly Automatic[] | undefined {
  const here = {
    ...policy,
    modes: policy.modes
      .filter(({ clusters }) => fits(clusters, cluster))
      .map((mode) => ({ ...mode, clusters: [] })),
  }
  const cells = cellsOf([here], [cluster])
  return cells === undefined
    ? undefined
    : namesOf(here).flatMap((rule) => {
        const mode = ({ namespace }: Cell) => {
          return modeOf(here, ruleCalled(here, rule)!, cluster, namespace)
        }
        return cells
          .changes(mode, mode)
          .filter(({ to }) => to === 'auto')
          .map(({ namespaces }) => ({ rule, clusters: cluster, namespaces }))
      })
}

interface Cell {
  readonly cluster: string
  readonly namespace: string
}
type Reach = Mode | 'none'
interface CellChange {
  readonly from: Reach
  readonly to: Reach
  readonly clusters: string
  readonly namespaces: string
}

/** One cluster and namespace for each way in which modes can tell them apart. */
function cellsOf(policies: readonly Pick<ResponsePolicy, 'modes'>[], known: readonly string[]) {
  const all = policies.flatMap(({ modes }) => modes)
  const clusters = axisOf(
    all.flatMap((mode) => mode.clusters),
    known,
    'cluster',
  )
  const namespaces = axisOf(
    all.flatMap((mode) => mode.namespaces),
    [],
    'namespace',
  )
  if (clusters === undefined || namespaces === undefined) return undefined
  return {
    /** Where it changes and where not, as few places as it takes. */
    changes(from: (cell: Cell) => Reach, to: (cell: Cell) => Reach): CellChange[] {
      const places = new Map<string, { from: Reach; to: Reach; at: Map<number, number[]> }>()
      for (const [c, { example: cluster }] of clusters.classes.entries()) {
        for (const [n, { example: namespace }] of namespaces.classes.entries()) {
          const [was, is] = [from({ cluster, namespace }), to({ cluster, namespace })]
          const change = places.get(`${was} ${is}`) ?? { from: was, to: is, at: new Map() }
          places.set(`${was} ${is}`, change)
          change.at.set(c, [...(change.at.get(c) ?? []), n])
        }
      }
      return [...places.values()].flatMap(({ from, to, at }) => {
        const together = new Map<string, { c: number[]; n: number[] }>()
        for (const [c, n] of at) {
          const one = together.get(n.join()) ?? { c: [], n }
          one.c.push(c)
          together.set(n.join(), one)
        }
        return [...together.values()].map(({ c, n }) => ({
          ...{ from, to, clusters: clusters.words(c), namespaces: namespaces.words(n) },
        }))
      })
    },
  }
}

function axisOf(given: readonly string[], known: readonly string[], noun: string) {
  const patterns = [...new Set(given)]
  const classes = nameClasses(patterns)
  if (classes === undefined) return undefined
  const words = classes.map(({ fits }) => {
    const names = known.filter((name) => patterns.every((p, i) => fitsPattern(p, name) === fits[i]))
    const those = patterns.filter((_, i) => fits[i])
    const exact = those.find((pattern) => !pattern.includes('*'))
    if (exact !== undefined) return exact
    const like = those.length === 0 ? `every other ${noun}` : those.join(' + ')
    return names.length === 0
      ? like
      : `${like} (${names.slice(0, 20).join(', ')}${names.length > 20 ? `, ${names.length - 20} more` : ''})`
  })
  return {
    classes,
    words(which: readonly number[]): string {
      if (which.length < classes.length) return which.map((i) => words[i]).join(', ')
      return known.length === 1 && classes.length === 1 ? known[0]! : `every ${noun}`
    },
  }
}

function namesOf(...policies: readonly Pick<ResponsePolicy, 'rules'>[]): string[] {
  return [...new Set(policies.flatMap(({ rules }) => rules.map(({ name }) => name)))]
}

function ruleCalled(policy: Pick<ResponsePolicy, 'rules'>, name: string): ResponseRule | undefined {
  return policy.rules.find((rule) => rule.name === name)
}

const parts = {
  match: 'what it answers',
  steps: 'actions',
  continue: 'continue',
  dryRun: 'dry_run',
  expiresSeconds: 'expires',
  approveSeconds: 'approve_within',
} as const satisfies Partial<Record<keyof ResponseRule, string>>

function ruleChanges(old: ResponsePolicy, after: ResponsePolicy): PolicyDifference['rules'] {
  return after.rules.flatMap((rule) => {
    const was = ruleCalled(old, rule.name)
    const what = was === undefined ? [] : differentParts(was, rule)
    return what.length === 0 ? [] : [{ rule: rule.name, what }]
  })
}

function differentParts(was: ResponseRule, is: ResponseRule): string[] {
  const keys = Object.keys(parts) as (keyof typeof parts)[]
  return keys.filter((key) => !isSame(was[key], is[key])).map((key) => parts[key])
}

/** What an automatic rule does beyond what it did. */
function goesFurther(
  old: ResponsePolicy,
  after: ResponsePolicy,
  was: ResponseRule,
  is: ResponseRule,
): string[] {
  const what: string[] = []
  if (!isSame(was.match, is.match)) what.push('answers other detections')
  if (!isSame(was.steps, is.steps)) what.push('has other actions')
  if (is.expiresSeconds > was.expiresSeconds) what.push('holds for longer')
  const [before, now] = [endsBefore(old, was), endsBefore(after, is)]
  const missing = before.find((one) => !now.some((each) => isSame(each.match, one.match)))
  if (missing !== undefined)
    what.push(`"${missing.name}" before it does not end the search any more`)
  return what
}

/** Rules that keep detections from a later one. */
function endsBefore(policy: ResponsePolicy, rule: ResponseRule): readonly ResponseRule[] {
  return policy.rules
    .slice(
      0,
      policy.rules.findIndex(({ name }) => name === rule.name),
    )
    .filter((each) => !each.continue)
}

interface SettingChange {
  readonly text: string
  /** Whether more is done because of it. */
  readonly isWeaker: boolean
}

function settingChanges(old: ResponsePolicy, after: ResponsePolicy): SettingChange[] {
  const changes: SettingChange[] = []
  for (const key of ['workload', 'namespace', 'cluster', 'breaker'] as const) {
    const [was, is] = [old.limits[key], after.limits[key]]
    if (isSame(was, is)) continue
    const isWeaker = is.count > was.count || is.seconds < was.seconds
    changes.push({ text: `limit ${key}: ${rateText(was)} -> ${rateText(is)}`, isWeaker })
  }
  const [was, is] = [old.limits.breakerSeconds, after.limits.breakerSeconds]
  if (was !== is)
    changes.push({ text: `limit breaker_holds: ${was}s -> ${is}s`, isWeaker: is < was })
  for (const key of ['namespaces', 'labels'] as const) {
    const [before, now] = [old.protect[key], after.protect[key]]
    for (const one of before.filter((each) => !now.includes(each))) {
      changes.push({ text: `not protected any more: ${key} ${one}`, isWeaker: true })
    }
    for (const one of now.filter((each) => !before.includes(each))) {
      changes.push({ text: `protected: ${key} ${one}`, isWeaker: false })
    }
  }
  return changes
}

function rateText({ count, seconds }: Limits['workload']): string {
  return `${count}/${seconds}s`
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
