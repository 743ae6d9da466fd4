import {
  compileRules,
  decidingChecks,
  type Expr,
  eventTypesOf,
  type Reasoning,
  type RuleMatching,
  reasonOf,
} from '#engine'
import { eventTypeId, type FieldMap, fieldMapSource, type Value } from '#events'
import { type LoadedRule, matchesPattern, type RuleSet } from '#load'
import { type Io, paint } from './io.ts'
import { printable } from './printable.ts'

/** How one rule judges one event. */
interface Verdict {
  readonly rule: LoadedRule
  readonly reasoning: Reasoning
  /** What kept the rule from firing although its condition is right but for that. */
  readonly beatenBy: string | undefined
}

export interface WhyOptions {
  readonly matching: RuleMatching
  readonly leastPriority: number
  /** Name pattern of the rules to show in full; those that match the event without it. */
  readonly rule: string | undefined
}

/** Explains verdicts on events, for `eval --why`. */
export class Explainer {
  readonly #rules: readonly LoadedRule[]
  readonly #options: WhyOptions
  /** Macros and exceptions by the part of a condition that they stand for. */
  readonly #names = new Map<Expr, string>()

  constructor(ruleSet: RuleSet, options: WhyOptions) {
    this.#options = options
    for (const { name, condition } of ruleSet.macros) this.#names.set(condition, `macro ${name}`)
    // What counts is decided as everywhere else: by the compiled program.
    const { matching, leastPriority } = options
    const program = compileRules(ruleSet.rules, fieldMapSource, { matching, leastPriority })
    const active = new Set(program.rules.map(({ name }) => name))
    this.#rules = ruleSet.rules.filter(({ name }) => active.has(name))
    for (const { condition, exceptionClauses } of this.#rules) {
      if (condition.kind !== 'and') continue
      const clauses = condition.items.slice(condition.items.length - exceptionClauses.length)
      for (const [i, name] of exceptionClauses.entries()) {
        const clause = clauses[i]
        if (clause !== undefined) this.#names.set(clause, `exception ${name}`)
      }
    }
  }

  /** The verdicts on an event of all rules that look at events of its type, in order. */
  verdicts(event: FieldMap): Verdict[] {
    const type = typeof event['evt.type'] === 'string' ? eventTypeId(event['evt.type']) : -1
    let winner: string | undefined
    return this.#rules.flatMap((rule): Verdict[] => {
      const wanted = this.#options.rule
      const isShown = wanted !== undefined && matchesPattern(rule.name, wanted)
      if (!isShown && type >= 0 && eventTypesOf(rule.condition)[type] === 0) return []
      const reasoning = reasonOf(rule.condition, event, fieldMapSource)
      const beatenBy = reasoning.holds ? winner : undefined
      if (reasoning.holds && this.#options.matching === 'first') winner ??= rule.name
      return wanted === undefined || isShown ? [{ rule, reasoning, beatenBy }] : []
    })
  }

  /** Text for people: the tree of each rule that matters, one line for each of the others. */
  show(title: string, event: FieldMap, io: Io): void {
    io.out(`${paint(title, 'bold', io)}\n`)
    const verdicts = this.verdicts(event)
    if (verdicts.length === 0) io.out('  no rule looks at events of this type\n')
    for (const verdict of verdicts) {
      const { rule, reasoning, beatenBy } = verdict
      const word = reasoning.holds
        ? beatenBy === undefined
          ? paint('fires', 'red', io)
          : `matches, but "${beatenBy}" comes earlier and won`
        : 'silent'
      io.out(`  ${rule.name}: ${word}\n`)
      const inFull = this.#options.rule !== undefined || reasoning.holds
      if (inFull) io.out(this.#tree(reasoning, '    ', io))
      else io.out(`    ${this.#because(reasoning)}\n`)
    }
  }

  /** The same for machines. */
  json(event: FieldMap): object[] {
    return this.verdicts(event).map(({ rule, reasoning, beatenBy }) => ({
      rule: rule.name,
      matches: reasoning.holds,
      fires: reasoning.holds && beatenBy === undefined,
      ...(beatenBy !== undefined && { beaten_by: beatenBy }),
      because: this.#because(reasoning),
      condition: this.#jsonOf(reasoning),
    }))
  }

  #because(reasoning: Reasoning): string {
    const exception = reasoning.parts.find(
      (part) => part.decides && this.#names.get(part.expr)?.startsWith('exception '),
    )
    if (exception !== undefined && !reasoning.holds) {
      return `the ${this.#names.get(exception.expr)} applies`
    }
    const [first] = decidingChecks(reasoning)
    if (first === undefined) return 'nothing decides'
    return `${first.text} is ${first.holds}${valuesText(first)}`
  }

  #tree(reasoning: Reasoning, indent: string, io: Io): string {
    const { kind, text, holds, decides, parts, expr } = reasoning
    const name = this.#names.get(expr)
    const isLeaf = kind === 'check'
    const mark = decides && isLeaf ? paint('  <- decides', 'yellow', io) : ''
    const value = paint(String(holds), holds ? 'green' : 'dim', io)
    const label = name === undefined ? '' : `  (${name})`
    const line = `${indent}${value} ${printable(text)}${valuesText(reasoning)}${label}${mark}\n`
    return line + parts.map((part) => this.#tree(part, `${indent}  `, io)).join('')
  }

  #jsonOf(reasoning: Reasoning): object {
    const { kind, text, holds, decides, parts, values, expr } = reasoning
    const name = this.#names.get(expr)
    return {
      kind,
      ...(kind === 'check' && { text }),
      ...(name !== undefined && { name }),
      holds,
      decides,
      ...(values.length > 0 && {
        values: Object.fromEntries(values.map((one) => [one.name, jsonValue(one.value)])),
      }),
      ...(parts.length > 0 && { parts: parts.map((part) => this.#jsonOf(part)) }),
    }
  }
}

function valuesText({ values }: Reasoning): string {
  if (values.length === 0) return ''
  const shown = values.map(({ name, value }) => `${name} ${valueText(value)}`)
  return `  [${shown.join(', ')}]`
}

function valueText(value: Value): string {
  if (value === undefined) return 'has no value'
  const text = Array.isArray(value)
    ? `(${value.map((item) => shortText(item)).join(', ')})`
    : shortText(value)
  return `is ${text}`
}

function shortText(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (typeof value !== 'string') return String(value)
  const text = value.length > 120 ? `${value.slice(0, 117)}...` : value
  return printable(JSON.stringify(text))
}

function jsonValue(value: Value): unknown {
  if (value === undefined) return null
  if (Array.isArray(value)) return value.map(jsonValue)
  if (typeof value === 'bigint') return String(value)
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
}
