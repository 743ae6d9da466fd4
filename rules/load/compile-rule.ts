import {
  checkCondition,
  type Expr,
  type ExtraField,
  eventTypesOf,
  fatalInFalco,
  macrosOf,
  type OutputTemplate,
  type Problem,
  parseCondition,
  parseOutput,
  resolveMacros,
  strictCondition,
} from '#engine'
import { eventTypes } from '#events'
import type { MacroResolver, ParsedMacro } from './compile-definitions.ts'
import { conditionContext, expansionProblem, laterNote } from './condition-place.ts'
import { type Definitions, defaultSource, type RuleDefinition } from './definitions.ts'
import { type Diagnostic, makeDiagnostic, positionOf } from './diagnostic.ts'
import { type Exception, withExceptions } from './exceptions.ts'
import type { ListExpander } from './expand-lists.ts'
import { deprecatedIn, hintsOf, unsafeChecks } from './hints.ts'
import type { ExceptionScalar, OneOrMany } from './items.ts'
import type { Report } from './node-reader.ts'
import { additionsFor, type OutputAddition } from './output-addition.ts'
import type { InactiveRule, LoadedRule } from './rule-set.ts'
import { SourcedText } from './sourced-text.ts'

/** A mistake, and whether `skip-if-unknown-filter` forgives it. */
interface Finding {
  readonly diagnostic: Diagnostic
  readonly unknownFilter: boolean
}

/** Compiles the rules: conditions, outputs, and what is added to them. */
export class CompiledRules {
  readonly rules: LoadedRule[] = []
  readonly inactive: InactiveRule[] = []
  readonly #definitions: Definitions
  readonly #lists: ListExpander
  readonly #macros: MacroResolver
  readonly #additions: readonly OutputAddition[]
  readonly #report: Report
  readonly #strictCompat: boolean

  constructor(
    definitions: Definitions,
    lists: ListExpander,
    macros: MacroResolver,
    additions: readonly OutputAddition[],
    report: Report,
    strictCompat: boolean,
  ) {
    this.#strictCompat = strictCompat
    this.#definitions = definitions
    this.#lists = lists
    this.#macros = macros
    this.#additions = additions
    this.#report = report
  }

  compileAll(): void {
    const resolved = this.#macros.resolvedMacros
    for (const rule of this.#definitions.rules.values()) {
      if (rule.source !== defaultSource) this.#skipSource(rule)
      else this.#compile(rule, resolved)
    }
  }

  #skipSource(rule: RuleDefinition): void {
    const { name, source, namePlace, context } = rule
    const message = `the source ${source} is not supported: only ${defaultSource} is; the rule is inactive`
    const place = rule.sourcePlace ?? namePlace
    const code = this.#strictCompat ? 'LOAD_ERR_VALIDATE' : 'LOAD_UNKNOWN_SOURCE'
    this.#report(makeDiagnostic(code, message, place, context))
    this.inactive.push({ name, reason: 'source not supported', at: positionOf(namePlace) })
  }

  #compile(rule: RuleDefinition, macros: ReadonlyMap<string, Expr>): void {
    const findings: Finding[] = []
    // The output comes first, as in Falco: its mistake decides whether the rule is left out.
    const output = this.#output(rule, findings)
    const condition = this.#condition(rule, macros, findings)
    if (condition === undefined || output === undefined || findings.length > 0) {
      this.#fail(rule, findings)
      return
    }
    const { name, source, desc, priority, tags, enabled, capture, captureDuration } = rule
    this.rules.push({
      name,
      source,
      description: desc,
      condition: condition.expr,
      output: output.template,
      extraFields: output.extraFields,
      priority,
      tags,
      enabled,
      conditionText: condition.text.text,
      outputText: rule.output.text,
      at: positionOf(rule.namePlace),
      capture,
      captureDuration,
      macros: condition.macros,
      lists: condition.lists,
      ...aboutExceptions(rule.exceptions),
    })
  }

  #fail(rule: RuleDefinition, findings: readonly Finding[]): void {
    const [unknown] = findings
    if (!rule.skipIfUnknownFilter || unknown?.unknownFilter !== true) {
      for (const { diagnostic } of findings) this.#report(diagnostic)
      return
    }
    const { message } = unknown.diagnostic
    const text = `the rule is left out, as it asks for: ${message}`
    this.#report(makeDiagnostic('LOAD_UNKNOWN_FILTER', text, rule.namePlace, rule.context))
    this.inactive.push({ name: rule.name, reason: message, at: positionOf(rule.namePlace) })
  }

  #condition(
    rule: RuleDefinition,
    resolvedMacros: ReadonlyMap<string, Expr>,
    findings: Finding[],
  ): { expr: Expr; text: SourcedText; macros: string[]; lists: string[] } | undefined {
    const plain = withExceptions(rule.condition, rule.exceptions)
    const lists = new Set<string>()
    const text = this.#lists.expand(plain, lists)
    const add = (problem: Problem, code: 'LOAD_ERR_COMPILE_CONDITION' | 'LOAD_ERR_VALIDATE') => {
      const place = text.placeOf(problem.at, problem.end)
      const details = laterNote(problem, text, this.#definitions)
      const context = conditionContext(rule, text)
      findings.push({
        diagnostic: makeDiagnostic(code, problem.message, place, context, details),
        unknownFilter: isUnknownFilter(problem),
      })
    }
    const parsed = this.#lists.tooLong.has(plain)
      ? { problem: expansionProblem(text) }
      : parseCondition(text.text)
    if ('problem' in parsed) {
      add(parsed.problem, 'LOAD_ERR_COMPILE_CONDITION')
      return undefined
    }
    for (const problem of checkCondition(parsed.expr)) add(problem, 'LOAD_ERR_COMPILE_CONDITION')
    const names = [...macrosOf(parsed.expr).keys()]
    const used = this.#usedMacros(names)
    for (const macro of used) this.#addMacroProblems(macro, rule, findings)
    // A macro that is broken has been reported; the rule fails silently with it.
    const known = names.filter((name) => !this.#macros.broken.has(name))
    if (known.length < names.length) return undefined
    const resolved = resolveMacros(parsed.expr, resolvedMacros)
    if (Array.isArray(resolved)) {
      for (const problem of resolved as readonly Problem[]) add(problem, 'LOAD_ERR_VALIDATE')
      return undefined
    }
    const expr = resolved as Expr
    this.#warnOfUnsafe(rule, text, parsed.expr, expr)
    if (findings.length > 0) return undefined
    if (this.#strictCompat) {
      for (const problem of fatalInFalco(parsed.expr)) add(problem, 'LOAD_ERR_COMPILE_CONDITION')
    }
    this.#warn(rule, text, parsed.expr, expr)
    const meant = this.#strictCompat ? strictCondition(expr) : expr
    return { expr: meant, text: plain, macros: names, lists: [...lists] }
  }

  #warnOfUnsafe(rule: RuleDefinition, text: SourcedText, written: Expr, resolved: Expr): void {
    const context = conditionContext(rule, text)
    for (const { code, message, at, end } of unsafeChecks(written, resolved)) {
      this.#report(makeDiagnostic(code, message, text.placeOf(at, end), context))
    }
  }

  /** The macros that a condition reaches, itself or through others. */
  #usedMacros(names: readonly string[]): ParsedMacro[] {
    const reached = new Set<string>()
    const visit = (name: string) => {
      if (reached.has(name)) return
      reached.add(name)
      this.#macros.used.add(name)
      this.#macros.parsed.get(name)?.macros.forEach(visit)
    }
    names.forEach(visit)
    return [...reached].flatMap((name) => this.#macros.parsed.get(name) ?? [])
  }

  #addMacroProblems(macro: ParsedMacro, rule: RuleDefinition, findings: Finding[]): void {
    for (const problem of checkCondition(macro.expr)) {
      const place = macro.text.placeOf(problem.at, problem.end)
      const context = conditionContext(macro.definition, macro.text)
      const notes = [{ message: `used by the rule "${rule.name}"`, place: rule.namePlace }]
      findings.push({
        diagnostic: makeDiagnostic('LOAD_ERR_COMPILE_CONDITION', problem.message, place, context, {
          notes,
        }),
        unknownFilter: isUnknownFilter(problem),
      })
    }
  }

  #warn(rule: RuleDefinition, text: SourcedText, written: Expr, resolved: Expr): void {
    const context = conditionContext(rule, text)
    for (const hint of hintsOf(written, resolved)) {
      const place = text.placeOf(hint.at, hint.end)
      this.#report(makeDiagnostic(hint.code, hint.message, place, context, hint.details))
    }
    if (rule.warnEventTypes && wantsMostEvents(resolved)) {
      const message =
        'the condition does not restrict the event type: it is evaluated for every event'
      this.#report(makeDiagnostic('LOAD_NO_EVTTYPE', message, rule.namePlace, context))
    }
  }

  #output(
    rule: RuleDefinition,
    findings: Finding[],
  ): { template: OutputTemplate; extraFields: ExtraField[] } | undefined {
    const { text: added, fields } = additionsFor(rule, this.#additions)
    const end = rule.output.placeOf(rule.output.text.length, rule.output.text.length)
    const plain = this.#withoutContainerInfo(rule)
    const text = SourcedText.join([plain, SourcedText.at(added, end)])
    const add = (problem: Problem, source: SourcedText) => {
      const place = source.placeOf(problem.at, problem.end)
      const context = {
        parent: rule.outputContext,
        type: 'rule output expression',
        name: '',
        place: rule.outputContext.place,
      }
      findings.push({
        diagnostic: makeDiagnostic('LOAD_ERR_COMPILE_OUTPUT', problem.message, place, context),
        unknownFilter: isUnknownFilter(problem),
      })
    }
    for (const field of deprecatedIn(text.text)) {
      const at = plain.text.indexOf(field)
      const place = at < 0 ? end : plain.placeOf(at, at + field.length)
      const message = `${field} is deprecated: it always has the same value`
      this.#report(
        makeDiagnostic('LOAD_DEPRECATED_ITEM', message, place, rule.outputContext, {
          deprecatedField: field,
        }),
      )
    }
    const result = parseOutput(text.text)
    if ('problems' in result) for (const problem of result.problems) add(problem, text)
    const extraFields: ExtraField[] = []
    for (const { key, format, raw } of fields) {
      const field = parseOutput(format)
      if ('problems' in field) {
        for (const problem of field.problems) add(problem, SourcedText.at(format, end))
      } else {
        extraFields.push({ key, template: field.template, raw })
      }
    }
    return 'problems' in result ? undefined : { template: result.template, extraFields }
  }

  #withoutContainerInfo(rule: RuleDefinition): SourcedText {
    const info = '%container.info'
    let { output } = rule
    for (let at = output.text.indexOf(info); at >= 0; at = output.text.indexOf(info)) {
      const message = '%container.info is deprecated and shows as nothing'
      const place = output.placeOf(at, at + info.length)
      this.#report(makeDiagnostic('LOAD_DEPRECATED_ITEM', message, place, rule.outputContext))
      output = SourcedText.join([output.slice(0, at), output.slice(at + info.length)])
    }
    return output
  }
}

function aboutExceptions(
  exceptions: readonly Exception[],
): Pick<
  LoadedRule,
  'exceptionNames' | 'exceptionClauses' | 'exceptionFields' | 'exceptionOperators'
> {
  const filled = exceptions.filter(({ values }) => values.length > 0)
  const texts = (value: OneOrMany) =>
    (Array.isArray(value) ? (value as readonly ExceptionScalar[]) : [value as ExceptionScalar]).map(
      ({ text }) => text.trim(),
    )
  return {
    exceptionNames: exceptions.map(({ name }) => name),
    exceptionClauses: filled.map(({ name }) => name),
    exceptionFields: [...new Set(filled.flatMap(({ fields }) => texts(fields)))],
    exceptionOperators: [...new Set(filled.flatMap(({ comps }) => texts(comps)))],
  }
}

function isUnknownFilter({ code }: Problem): boolean {
  return code === 'unknown-field' || code === 'unknown-event-type'
}

/** Falco warns from 100 event codes on; each of our types has two of them, all generic ones share two. */
function wantsMostEvents(condition: Expr): boolean {
  const wanted = eventTypesOf(condition)
  let codes = 0
  let generic = 0
  for (const [type, possible] of wanted.entries()) {
    if (possible === 0) continue
    if (eventTypes[type]!.params.length > 0) codes += 2
    else generic = 2
  }
  return codes + generic > 100
}
