import { parsePriority, priorityNames } from '#engine'
import {
  defaultMode,
  type FieldTest,
  type Mode,
  modes,
  type ResponseMatch,
  type ResponsePolicy,
  type ResponseRule,
} from './policy.ts'

/** What a response rule looks at: Falco's keys of an alert. */
export interface Matched {
  readonly rule: string
  readonly priority: string
  readonly tags: readonly string[]
  readonly source: string
  readonly output_fields: Readonly<Record<string, unknown>>
}

/** The rules that answer a detection, in order, up to the first that ends the search. */
export function responsesTo(policy: ResponsePolicy, detection: Matched): ResponseRule[] {
  const found: ResponseRule[] = []
  for (const rule of policy.rules) {
    if (mismatch(rule.match, detection) !== undefined) continue
    found.push(rule)
    if (!rule.continue) break
  }
  return found
}

/** How far a rule may go in a namespace of a cluster; `dry_run` never beyond a plan. */
export function modeOf(
  policy: ResponsePolicy,
  rule: Pick<ResponseRule, 'name' | 'dryRun'>,
  cluster: string,
  namespace: string,
): Mode {
  const set = policy.modes.findLast(
    ({ rules, clusters, namespaces }) =>
      fits(rules, rule.name) && fits(clusters, cluster) && fits(namespaces, namespace),
  )
  const mode = set?.mode ?? defaultMode
  return rule.dryRun ? lower(mode, 'observe') : mode
}

/** The one of two modes that does less. */
export function lower(a: Mode, b: Mode): Mode {
  return modes.indexOf(a) < modes.indexOf(b) ? a : b
}

/** Whether any pattern stands for the text; no patterns stand for all. */
export function fits(patterns: readonly string[], text: string): boolean {
  return patterns.length === 0 || patterns.some((pattern) => fitsPattern(pattern, text))
}

/** `*` stands for any text. In time proportional to both lengths together, whatever they hold. */
export function fitsPattern(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return first === text
  const last = rest.pop()!
  if (!text.startsWith(first)) return false
  let at = first.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}

/** Why a rule does not answer a detection; `undefined` when it does. */
export function mismatch(match: ResponseMatch, detection: Matched): string | undefined {
  const { rules, priority, tags, fields, source } = match
  if (rules.length > 0 && !rules.includes(detection.rule)) {
    return `it does not answer "${detection.rule}"`
  }
  if (priority !== undefined && !isPriority(priority, detection.priority)) {
    return `the priority ${detection.priority} is not ${priority.operator}${priorityNames[priority.priority]}`
  }
  if (tags.length > 0 && !tags.some((all) => all.every((tag) => detection.tags.includes(tag)))) {
    return `it has not the tags ${tags.map((all) => all.join('+')).join(' or ')}`
  }
  if (fields.length > 0 && !fields.some((all) => all.every((test) => isField(test, detection)))) {
    const wanted = fields.map((all) => {
      return all.map(({ field, operator, value }) => `${field}${operator}${value}`).join(' and ')
    })
    return `no field is as it must be: ${wanted.join(' or ')}`
  }
  if (source === undefined || source === detection.source) return undefined
  return `the source ${detection.source} is not ${source}`
}

/** Priorities count from 0, the most severe: `>=` means at least as severe. */
function isPriority(
  { operator, priority }: NonNullable<ResponseMatch['priority']>,
  name: string,
): boolean {
  const given = parsePriority(name)
  if (given === undefined) return false
  switch (operator) {
    case '=':
      return given === priority
    case '<':
      return given > priority
    case '>':
      return given < priority
    case '<=':
      return given >= priority
    case '>=':
      return given <= priority
  }
}

/** As in Talon, a field that is not there differs from everything. */
function isField({ field, operator, value }: FieldTest, { output_fields }: Matched): boolean {
  const held = Object.hasOwn(output_fields, field) ? output_fields[field] : undefined
  const text = held === undefined || held === null ? undefined : textOf(held)
  return operator === '=' ? text === value : text !== value
}

function textOf(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
