import { matches } from '#correlate'
import { compileRules, type Program, parseOutput, type Rule } from '#engine'
import type { EventSource } from '#events'
import type { Suppression } from './suppression.ts'

/** What covers a detection. */
export type Suppressed = Pick<Suppression, 'name' | 'owner' | 'reason' | 'until'>

/** The suppressions of a set, compiled for events of one source. */
export class Suppressions<E> {
  readonly #all: readonly Suppression[]
  /** Conditions as rules of the same name; none when no suppression has one. */
  readonly #program: Program<E> | undefined

  constructor(suppressions: readonly Suppression[], source: EventSource<E>) {
    this.#all = suppressions
    const rules = suppressions.flatMap((suppression) => ruleOf(suppression))
    this.#program =
      rules.length === 0 ? undefined : compileRules(rules, source, { matching: 'all' })
  }

  /**
   * The suppression that covers what a rule or correlation found at `time`, the one that lasts longest
   * of several. Without an event, as for a correlation, those with a condition cover nothing.
   */
  of(
    rule: Pick<Rule, 'name' | 'tags'>,
    time: bigint,
    event: E | undefined,
  ): Suppressed | undefined {
    const inTime = this.#all.filter(
      ({ from, until, parts }) =>
        (from === undefined || from <= time) &&
        time <= until &&
        (parts.length === 0 || parts.some((part) => matches(part, rule))),
    )
    if (inTime.length === 0) return undefined
    const met = new Set(
      event === undefined ? [] : this.#program?.evaluate(event).map(({ name }) => name),
    )
    return inTime
      .filter(({ name, condition }) => condition === undefined || met.has(name))
      .sort((a, b) => (a.until > b.until ? -1 : 1))[0]
  }
}

function ruleOf({ name, reason, condition }: Suppression): Rule[] {
  if (condition === undefined) return []
  return [
    {
      ...{ name, source: 'syscall', description: reason, condition, extraFields: [], tags: [] },
      ...{ output: emptyOutput(), priority: 7, enabled: true },
    },
  ]
}

function emptyOutput(): Rule['output'] {
  const output = parseOutput('')
  if ('problems' in output) throw new Error(output.problems[0]!.message)
  return output.template
}
