import { checkCondition, parseCondition } from '#engine'
import { type Context, makeDiagnostic, type Place } from './diagnostic.ts'
import {
  type ExceptionItem,
  type ExceptionScalar,
  type ExceptionValue,
  isTuple,
  type OneOrMany,
} from './items.ts'
import type { Report } from './node-reader.ts'
import { SourcedText } from './sourced-text.ts'

/** An exception that fits: as many operators as fields, and values of the form they ask for. */
export interface Exception {
  readonly name: string
  readonly fields: OneOrMany
  readonly comps: OneOrMany
  readonly values: readonly ExceptionValue[]
  readonly place: Place
  readonly context: Context
}

const wordOperators =
  '=|==|!=|contains|icontains|bcontains|startswith|bstartswith|endswith|glob|iglob|regex'
const listOperator = new RegExp(
  `^(?:in|intersects|pmatch|(?:${wordOperators}) +(?:oneof|anyof|allof))$`,
)
const anyOperator = new RegExp(`^(?:exists|<|<=|>|>=|${wordOperators})$`)

/** The exceptions of a new rule (or that replace all others). */
export function checkExceptions(
  items: readonly ExceptionItem[],
  foreign: boolean,
  report: Report,
  withDefaults = true,
): Exception[] {
  const exceptions: Exception[] = []
  for (const item of items) {
    if (exceptions.some(({ name }) => name === item.name)) {
      const message = `the rule has another exception called "${item.name}"`
      report(makeDiagnostic('LOAD_EXCEPTION_NAME_NOT_UNIQUE', message, item.place, item.context))
    }
    const exception = withDefaults
      ? checkException(item, foreign, report)
      : checkReplacement(item, foreign, report)
    if (exception !== undefined) exceptions.push(exception)
  }
  return exceptions
}

/** Falco fills in no operators where exceptions are replaced, so that their condition is wrong. */
function checkReplacement(
  item: ExceptionItem,
  foreign: boolean,
  report: Report,
): Exception | undefined {
  if (item.comps !== undefined || item.fields === undefined || !item.values?.length) {
    return checkException(item, foreign, report)
  }
  const message = `Falco needs comps where the exception "${item.name}" is replaced`
  report(makeDiagnostic('LOAD_ERR_COMPILE_CONDITION', message, item.place, item.context))
  return undefined
}

/** Adds values to exceptions that are there, and exceptions that are not. */
export function appendExceptions(
  known: readonly Exception[],
  items: readonly ExceptionItem[],
  foreign: boolean,
  report: Report,
): Exception[] {
  const exceptions = [...known]
  for (const item of items) {
    const at = exceptions.findIndex(({ name }) => name === item.name)
    if (at >= 0) {
      const changed = appendValues(exceptions[at]!, item, report)
      if (changed !== undefined) exceptions[at] = changed
      continue
    }
    if (item.fields === undefined || !item.values?.length) {
      const what = item.fields === undefined ? 'fields' : 'values'
      fail(`there is no exception "${item.name}" yet, so that it needs ${what}`, item, report)
      continue
    }
    const exception = checkException(item, foreign, report)
    if (exception !== undefined) exceptions.push(exception)
  }
  return exceptions
}

function appendValues(
  known: Exception,
  item: ExceptionItem,
  report: Report,
): Exception | undefined {
  for (const key of ['fields', 'comps'] as const) {
    if (item[key] === undefined) continue
    fail(
      `the exception "${item.name}" has its ${key} already: only values are appended`,
      item,
      report,
    )
    return undefined
  }
  if (item.values === undefined) {
    const message = `nothing is appended to the exception "${item.name}": it has no values`
    report(makeDiagnostic('LOAD_APPEND_NO_VALUES', message, item.place, item.context))
    return undefined
  }
  const changed = { ...known, values: [...known.values, ...item.values] }
  return valuesFit(changed, item.values, report) ? changed : undefined
}

function fail(
  message: string,
  { place, context }: { place: Place; context: Context },
  report: Report,
) {
  report(makeDiagnostic('LOAD_ERR_VALIDATE', message, place, context))
}

function checkException(
  item: ExceptionItem,
  foreign: boolean,
  report: Report,
): Exception | undefined {
  const { name, place, context, fields } = item
  if (fields === undefined) {
    const message = `the exception "${name}" has no fields`
    report(makeDiagnostic('LOAD_ERR_YAML_VALIDATE', message, place, context))
    return undefined
  }
  const comps = item.comps ?? defaultComps(fields)
  const values = item.values ?? []
  const exception: Exception = { name, place, context, fields, comps, values }
  const fits = [
    compsFit(exception, report),
    foreign || fieldsExist(exception, report),
    valuesFit(exception, values, report),
  ]
  return fits.every(Boolean) ? exception : undefined
}

function isMany(value: OneOrMany): value is readonly ExceptionScalar[] {
  return Array.isArray(value)
}

function defaultComps(fields: OneOrMany): OneOrMany {
  const comp = (field: ExceptionScalar, text: string): ExceptionScalar => ({
    text,
    place: field.place,
    sourced: SourcedText.at(text, field.place),
  })
  return isMany(fields) ? fields.map((field) => comp(field, '=')) : comp(fields, 'in')
}

function compsFit(exception: Exception, report: Report): boolean {
  const { fields, comps, name } = exception
  if (isMany(fields) !== isMany(comps)) {
    const message = isMany(fields)
      ? `the exception "${name}" has a list of fields, and so needs a list of comps`
      : `the exception "${name}" has a single field, and so needs a single comp`
    fail(message, exception, report)
    return false
  }
  if (isMany(fields) && isMany(comps) && fields.length !== comps.length) {
    const message = `the exception "${name}" has ${fields.length} fields, but ${comps.length} comps`
    fail(message, exception, report)
    return false
  }
  let fits = true
  for (const comp of isMany(comps) ? comps : [comps]) {
    const operator = comp.text.trim()
    const known = listOperator.test(operator) || (isMany(comps) && anyOperator.test(operator))
    if (known) continue
    const hint = isMany(comps) ? '' : ': in, pmatch, intersects or an operator with a modifier is'
    const message = `"${comp.text}" is no operator for this exception${hint}`
    fail(message, { place: comp.place, context: exception.context }, report)
    fits = false
  }
  return fits
}

function fieldsExist({ fields, context }: Exception, report: Report): boolean {
  let exist = true
  for (const field of isMany(fields) ? fields : [fields]) {
    const parsed = parseCondition(`${field.text} exists`)
    const problems = 'problem' in parsed ? [parsed.problem] : checkCondition(parsed.expr)
    for (const { message } of problems.slice(0, 1)) {
      fail(
        `"${field.text}" cannot be compared: ${message}`,
        { place: field.place, context },
        report,
      )
      exist = false
    }
  }
  return exist
}

function valuesFit(
  { fields, context, name }: Exception,
  values: readonly ExceptionValue[],
  report: Report,
): boolean {
  let fit = true
  for (const value of values) {
    const message = !isMany(fields)
      ? isTuple(value) && `the exception "${name}" has one field: its values are texts, not lists`
      : !isTuple(value)
        ? `the exception "${name}" has ${fields.length} fields: its values are lists of as many`
        : value.items.length !== fields.length &&
          `the exception "${name}" has ${fields.length} fields, but this value has ${value.items.length} members`
    if (message === false) continue
    fail(message, { place: value.place, context }, report)
    fit = false
  }
  return fit
}

/** `(CONDITION) and not CLAUSE …`: the condition of a rule with its exceptions. */
export function withExceptions(
  condition: SourcedText,
  exceptions: readonly Exception[],
): SourcedText {
  const clauses = exceptions.filter(({ values }) => values.length > 0)
  if (exceptions.length === 0) return condition
  const start = condition.placeOf(0, 0)
  const parts = [SourcedText.at('(', start), condition, SourcedText.at(')', start)]
  for (const exception of clauses) {
    parts.push(SourcedText.at(' and not ', exception.place), clause(exception))
  }
  return SourcedText.join(parts)
}

function clause({ fields, comps, values, place }: Exception): SourcedText {
  const glue = (text: string) => SourcedText.at(text, place)
  if (!isMany(fields)) {
    const comp = (comps as ExceptionScalar).sourced.trim()
    const items = separated(values.map(valueText), glue(', '))
    return SourcedText.join([
      glue('('),
      fields.sourced,
      glue(' '),
      comp,
      glue(' ('),
      ...items,
      glue('))'),
    ])
  }
  const tuples = values.map((value) => {
    const members = isTuple(value) ? value.items : []
    const checks = members.map((member, i) => {
      const comp = (comps as readonly ExceptionScalar[])[i]!.sourced.trim()
      const operand = listOperator.test(comp.text) ? listText(member) : valueText(member)
      return SourcedText.join([fields[i]!.sourced, glue(' '), comp, glue(' '), operand])
    })
    return SourcedText.join([glue('('), ...separated(checks, glue(' and ')), glue(')')])
  })
  return SourcedText.join([glue('('), ...separated(tuples, glue(' or ')), glue(')')])
}

function separated(parts: readonly SourcedText[], between: SourcedText): SourcedText[] {
  return parts.flatMap((part, i) => (i === 0 ? [part] : [between, part]))
}

/** A value as the condition has it: quoted only when it contains a blank and is not quoted yet. */
function valueText(value: ExceptionValue): SourcedText {
  if (isTuple(value)) return listText(value)
  const { text, place, sourced } = value
  if (!text.includes(' ') || text.startsWith('"') || text.startsWith("'")) return sourced
  return SourcedText.join([SourcedText.at('"', place), sourced, SourcedText.at('"', place)])
}

function listText(value: ExceptionValue): SourcedText {
  const { place } = value
  if (!isTuple(value) && value.text.startsWith('(')) return value.sourced
  // A single text is put between parentheses as it is, blanks and commas included.
  const items = isTuple(value) ? value.items.map(valueText) : [value.sourced]
  const open = SourcedText.at('(', place)
  return SourcedText.join([
    open,
    ...separated(items, SourcedText.at(', ', place)),
    SourcedText.at(')', place),
  ])
}
