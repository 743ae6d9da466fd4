import { type EventSource, eventTypes } from '#events'
import type { Test } from './compile/compile-check.ts'
import { NodeCompiler } from './compile/compile-node.ts'
import { Dag, markShared } from './compile/dag.ts'
import { Memory } from './compile/memory.ts'
import { specialise } from './compile/specialise.ts'
import { eventTypesOf } from './event-types-of.ts'
import type { Priority, Rule, RuleMatching } from './rule.ts'

export interface CompileOptions {
  /** Whether the first rule that matches ends the search, or all that match are found. */
  readonly matching: RuleMatching
  /** Rules less severe than this are left out; 7 (Debug), which keeps all, by default. */
  readonly leastPriority?: Priority
}

/** Compiled rules. Not re-entrant: one event at a time. */
export interface Program<E> {
  /** The enabled rules of sufficient priority, in the order in which they are tried. */
  readonly rules: readonly Rule[]
  /** Numbers of the event types for which a rule can match at all. */
  readonly eventTypes: ReadonlySet<number>
  /** The rules that match, in order; nothing is allocated when none does. */
  evaluate(event: E): readonly Rule[]
}

const nothing: readonly Rule[] = Object.freeze([])

interface TypeProgram<E> {
  readonly tests: readonly Test<E>[]
  readonly rules: readonly Rule[]
  /** Each rule as the whole result, for `first`. */
  readonly results: readonly (readonly Rule[])[]
}

/**
 * Compiles checked rules for events from `source`. What an event type leaves of the conditions is
 * worked out when the first event of the type comes.
 */
export function compileRules<E>(
  rules: readonly Rule[],
  source: EventSource<E>,
  options: CompileOptions,
): Program<E> {
  const active = rules.filter(
    ({ enabled, priority }) => enabled && priority <= (options.leastPriority ?? 7),
  )
  const types = active.map(({ condition }) => eventTypesOf(condition))
  const dag = new Dag()
  const roots = active.map(({ condition }) => dag.add(condition))
  markShared(roots)
  const memory = new Memory<E>()
  const compiler = new NodeCompiler(source, memory)
  const first = options.matching === 'first'
  const programs: (TypeProgram<E> | undefined)[] = new Array(eventTypes.length + 1).fill(undefined)

  function programFor(type: number): TypeProgram<E> {
    const tests: Test<E>[] = []
    const found: Rule[] = []
    const done = new Map()
    for (const [i, rule] of active.entries()) {
      // The sets say nothing of an event without a type, where no comparison of evt.type holds.
      if (type >= 0 && types[i]![type] === 0) continue
      const rest = specialise(roots[i]!, type, dag, done)
      if (rest === dag.never) continue
      tests.push(compiler.compile(rest))
      found.push(rule)
    }
    return { tests, rules: found, results: found.map((rule) => Object.freeze([rule])) }
  }

  function evaluate(event: E): readonly Rule[] {
    const type = source.type(event)
    let program = programs[type + 1]
    if (program === undefined) {
      program = programFor(type)
      programs[type + 1] = program
    }
    const { tests } = program
    if (tests.length === 0) return nothing
    memory.next()
    let matched: Rule[] | undefined
    for (let i = 0; i < tests.length; i++) {
      if (!tests[i]!(event)) continue
      if (first) return program.results[i]!
      matched ??= []
      matched.push(program.rules[i]!)
    }
    return matched ?? nothing
  }

  return {
    rules: active,
    eventTypes: new Set(
      eventTypes.flatMap((_, type) => (types.some((set) => set[type] === 1) ? [type] : [])),
    ),
    evaluate,
  }
}
