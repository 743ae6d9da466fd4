import { type BoundOutput, bindOutput, type JsonValue, parseOutput, type Rule } from '#engine'
import type { EventSource } from '#events'
import { type Correlation, contextFields, type Part } from './correlation.ts'
import type { Contribution } from './firing.ts'

/** Where a detection comes from, and its id. */
export interface DetectionOrigin {
  readonly id: string
  readonly cluster: string
  readonly node: string
  /** It is not proven that this node told of it. */
  readonly unsure?: true
}

type RuleNames = Pick<Rule, 'name' | 'tags'>

/** Correlations, compiled for the events of one source. */
export interface CorrelationPlan<E> {
  readonly correlations: readonly Correlation[]
  /** Names of the rules that some correlation looks at; only these need an id. */
  readonly watched: ReadonlySet<string>
  /** Names of the rules that do not alert by themselves. */
  readonly hidden: ReadonlySet<string>
  /**
   * What a rule's detection means to each correlation that looks at it. A detection without one of
   * the fields that make the group, or without the field that is counted, does not count.
   */
  contributions(rule: RuleNames, event: E, origin: DetectionOrigin): readonly Contribution[]
}

interface Bound<E> {
  readonly correlation: Correlation
  readonly parts: readonly number[]
  /** What must stay the same for the state of a group to keep its meaning. */
  readonly shape: string
  readonly group: readonly Reader<E>[]
  readonly value: Reader<E> | undefined
}

type Reader<E> = (event: E, origin: DetectionOrigin) => JsonValue

/** Compiles correlations over `rules` once; `sha256` makes the keys of groups (as hex). */
export function compileCorrelations<E>(
  correlations: readonly Correlation[],
  rules: readonly RuleNames[],
  source: EventSource<E>,
  sha256: (text: string) => string,
): CorrelationPlan<E> {
  const byRule = new Map<string, readonly Bound<E>[]>()
  const hidden = new Set<string>()
  const bound = correlations.map((correlation) => bind(correlation, source))
  for (const rule of rules) {
    const own = bound.flatMap((each): Bound<E>[] => {
      const parts = partsOf(each.correlation, rule)
      if (parts.length === 0) return []
      if (!each.correlation.generate) hidden.add(rule.name)
      return [{ ...each, parts }]
    })
    if (own.length > 0) byRule.set(rule.name, own)
  }
  return {
    correlations,
    watched: new Set(byRule.keys()),
    hidden,
    contributions: (rule, event, origin) =>
      (byRule.get(rule.name) ?? []).flatMap((each) =>
        contributionsTo(each, event, origin, source.time(event), sha256),
      ),
  }
}

function bind<E>(correlation: Correlation, source: EventSource<E>): Omit<Bound<E>, 'parts'> {
  const { name, type, parts, groupBy, field } = correlation
  return {
    correlation,
    shape: JSON.stringify([name, type, parts, groupBy, field]),
    group: groupBy.map((each) => reader(each, source)),
    value: field === undefined ? undefined : reader(field, source),
  }
}

/** Where order or variety matters, a rule may be several parts; where it is counted, it is one. */
function partsOf({ type, parts }: Correlation, rule: RuleNames): number[] {
  const found = parts.flatMap((part, i) => (matches(part, rule) ? [i] : []))
  return type === 'temporal' || type === 'temporal_ordered' ? found : found.slice(0, 1)
}

/** Whether a part means a rule. */
export function matches(part: Part, { name, tags }: RuleNames): boolean {
  return 'rule' in part ? part.rule === name : tags.includes(part.tag)
}

function reader<E>(field: string, source: EventSource<E>): Reader<E> {
  if (field === contextFields[0]) return (_, { cluster }) => cluster
  if (field === contextFields[1]) return (_, { node }) => node
  const output = parseOutput(`%${field}`)
  if ('problems' in output) throw new Error(output.problems[0]!.message)
  const bound: BoundOutput<E> = bindOutput(output.template, source)
  return (event) => bound.fields(event)[field] ?? null
}

function contributionsTo<E>(
  { correlation, parts, shape, group, value: readValue }: Bound<E>,
  event: E,
  origin: DetectionOrigin,
  time: bigint,
  sha256: (text: string) => string,
): Contribution[] {
  const values = group.map((read) => read(event, origin))
  const value = readValue?.(event, origin)
  if (values.includes(null) || value === null) return []
  const text = value === undefined ? '' : short(textOf(value), sha256)
  const isTerm = correlation.type === 'new_terms'
  const key = sha256(JSON.stringify([shape, values.map(textOf), ...(isTerm ? [text] : [])]))
  const fields = Object.fromEntries(correlation.groupBy.map((name, i) => [name, values[i]!]))
  return parts.map((part) => ({
    correlation,
    key: `correlation/${key}`,
    group: fields,
    part,
    value: text,
    id: origin.id,
    time,
    ...(origin.unsure && { unsure: origin.unsure }),
  }))
}

function textOf(value: JsonValue): string {
  return Array.isArray(value) ? value.map(textOf).join(',') : String(value)
}

const longestValue = 120

/** Long values are kept by their beginning and a digest: two of them stay two. */
function short(value: string, sha256: (text: string) => string): string {
  if (value.length <= longestValue) return value
  return `${value.slice(0, longestValue - 17).toWellFormed()}…${sha256(value).slice(0, 16)}`
}
