import {
  type Expr,
  type Macros,
  macrosOf as macrosIn,
  type Problem,
  parseCondition,
  resolveMacros,
} from '#engine'
import { CompiledRules } from './compile-rule.ts'
import { conditionContext, expansionProblem, laterNote } from './condition-place.ts'
import type { Definitions, MacroDefinition } from './definitions.ts'
import { makeDiagnostic, positionOf } from './diagnostic.ts'
import { ListExpander } from './expand-lists.ts'
import type { Report } from './node-reader.ts'
import type { OutputAddition } from './output-addition.ts'
import type { LoadedList, LoadedMacro, RuleSet } from './rule-set.ts'
import type { SourcedText } from './sourced-text.ts'

/** A macro whose text has been parsed. */
export interface ParsedMacro {
  readonly definition: MacroDefinition
  /** With its lists filled in: the offsets of `expr` count in it. */
  readonly text: SourcedText
  readonly expr: Expr
  /** Its macros replaced by their own conditions. */
  readonly resolved: Expr
  readonly macros: readonly string[]
  readonly lists: readonly string[]
}

/** Compiles everything defined so far, and reports what is wrong with it. */
export function compileDefinitions(
  definitions: Definitions,
  additions: readonly OutputAddition[],
  report: Report,
  strictCompat: boolean,
): RuleSet {
  const lists = new ListExpander(definitions)
  const macros = new MacroResolver(definitions, lists, report)
  macros.resolveAll()
  const compiled = new CompiledRules(definitions, lists, macros, additions, report, strictCompat)
  compiled.compileAll()
  return {
    rules: compiled.rules,
    inactive: compiled.inactive,
    missingPlugins: [],
    requiredEngineVersion: '',
    requiredPlugins: [],
    macros: [...macros.parsed.values()].map((macro) => loadedMacro(macro, macros.used)),
    lists: [...definitions.lists.values()].map(
      ({ name, members, namePlace }): LoadedList => ({
        name,
        items: members.map(({ text }) => text),
        used: lists.used.has(name),
        at: positionOf(namePlace),
      }),
    ),
  }
}

function loadedMacro(macro: ParsedMacro, used: ReadonlySet<string>): LoadedMacro {
  const { definition, resolved, macros, lists } = macro
  return {
    name: definition.name,
    conditionText: definition.condition.text,
    condition: resolved,
    used: used.has(definition.name),
    macros,
    lists,
    at: positionOf(definition.namePlace),
  }
}

/** Parses macros and replaces the macros within them; a macro sees those defined before it. */
export class MacroResolver {
  readonly parsed = new Map<string, ParsedMacro>()
  readonly used = new Set<string>()
  /** Macros with a mistake: it is reported once, not again where they are used. */
  readonly broken = new Set<string>()
  readonly #definitions: Definitions
  readonly #lists: ListExpander
  readonly #report: Report
  readonly #open: string[] = []

  constructor(definitions: Definitions, lists: ListExpander, report: Report) {
    this.#definitions = definitions
    this.#lists = lists
    this.#report = report
  }

  resolveAll(): void {
    for (const definition of this.#definitions.macros.values()) this.#resolve(definition)
  }

  /** What rules and macros may refer to: name to resolved condition. */
  get resolvedMacros(): Macros {
    return new Map([...this.parsed].map(([name, { resolved }]) => [name, resolved]))
  }

  #resolve(definition: MacroDefinition): void {
    const { name } = definition
    if (this.parsed.has(name) || this.broken.has(name)) return
    const mentioned = new Set<string>()
    const text = this.#lists.expand(definition.condition, mentioned)
    const parsed = this.#lists.tooLong.has(definition.condition)
      ? { problem: expansionProblem(text) }
      : parseCondition(text.text)
    if ('problem' in parsed) {
      this.#fail(definition, text, parsed.problem, 'LOAD_ERR_COMPILE_CONDITION')
      return
    }
    this.#open.push(name)
    const visible = new Map<string, Expr>()
    const { expr } = parsed
    for (const [inner, place] of macrosIn(expr)) {
      const other = this.#definitions.macros.get(inner)
      if (other === undefined || other.index >= definition.visibility) continue
      if (this.#open.includes(inner)) {
        const loop = [...this.#open.slice(this.#open.indexOf(inner)), inner].join(' -> ')
        const problem: Problem = {
          code: 'macro-loop',
          message: `the macro refers to itself: ${loop}`,
          at: place.at,
          end: place.end,
        }
        this.#fail(definition, text, problem, 'LOAD_ERR_VALIDATE')
        continue
      }
      this.#resolve(other)
      this.used.add(inner)
      const resolved = this.parsed.get(inner)?.resolved
      if (resolved !== undefined) visible.set(inner, resolved)
    }
    this.#open.pop()
    if (this.broken.has(name)) return
    const names = [...macrosIn(expr).keys()]
    if (names.some((inner) => this.broken.has(inner) && !visible.has(inner))) {
      this.broken.add(name)
      return
    }
    const resolved = resolveMacros(expr, visible)
    if (Array.isArray(resolved)) {
      for (const problem of resolved as readonly Problem[]) {
        this.#fail(definition, text, problem, 'LOAD_ERR_VALIDATE')
      }
      return
    }
    this.parsed.set(name, {
      definition,
      text,
      expr,
      resolved: resolved as Expr,
      macros: names,
      lists: [...mentioned],
    })
  }

  #fail(
    definition: MacroDefinition,
    text: SourcedText,
    problem: Problem,
    code: 'LOAD_ERR_COMPILE_CONDITION' | 'LOAD_ERR_VALIDATE',
  ): void {
    this.broken.add(definition.name)
    this.#report(
      makeDiagnostic(
        code,
        problem.message,
        text.placeOf(problem.at, problem.end),
        conditionContext(definition, text),
        laterNote(problem, text, this.#definitions),
      ),
    )
  }
}
