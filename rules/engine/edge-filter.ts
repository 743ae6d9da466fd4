import type { FieldRef, Value } from '#events'
import type { Check, Expr } from './ast.ts'
import { parseConstant } from './constant.ts'
import { holds } from './interpret.ts'
import { operandType } from './operand-type.ts'
import { bindLeft, bindOperand, fieldsDeciding, refOf } from './read-operand.ts'
import type { Rule } from './rule.ts'
import { constantsOf } from './walk.ts'

/** The value of a field that the one who asks cannot know. */
export const unknown = Symbol('unknown')

/** A number of which only the bounds are known. */
export interface NumberRange {
  readonly least: number
  readonly most: number
}

/** A text that is there, and is none of these. */
export interface OtherText {
  readonly not: readonly string[]
}

export type Known = Value | typeof unknown | NumberRange | OtherText

/**
 * Whether a condition (without macros) can hold when some fields are not known. Sound: false means
 * that no values of the unknown fields make it hold.
 */
export function couldMatch(condition: Expr, known: (ref: FieldRef) => Known): boolean {
  return verdictOf(condition, known) !== false
}

/** `undefined` when it depends on what is not known. */
export function verdictOf(expr: Expr, known: (ref: FieldRef) => Known): boolean | undefined {
  switch (expr.kind) {
    case 'macro':
      throw new Error(`unresolved macro ${expr.name}`)
    case 'check':
      return checkVerdict(expr, known)
    case 'not': {
      const item = verdictOf(expr.item, known)
      return item === undefined ? undefined : !item
    }
    default: {
      const decides = expr.kind === 'or'
      let result: boolean | undefined = !decides
      for (const item of expr.items) {
        const value = verdictOf(item, known)
        if (value === decides) return decides
        if (value === undefined) result = undefined
      }
      return result
    }
  }
}

function checkVerdict(check: Check, known: (ref: FieldRef) => Known): boolean | undefined {
  const { left } = check
  const simple = left.kind === 'field' ? known(refOf(left)) : undefined
  if (isRange(simple)) return rangeVerdict(check, simple)
  if (isOther(simple)) return otherVerdict(check, simple)
  const isKnown = fieldsDeciding(check).every((ref) => {
    const value = known(ref)
    return value !== unknown && !isRange(value) && !isOther(value)
  })
  if (!isKnown) return undefined
  const read = (ref: FieldRef) => () => known(ref) as Value
  const value = bindLeft(check, read)(undefined)
  if (check.right?.kind !== 'transform') return holds(check, value)
  const right = bindOperand(check.right, read)(undefined)
  return right === undefined ? false : holds(check, value, right)
}

function isRange(value: Known): value is NumberRange {
  return typeof value === 'object' && value !== null && 'least' in value
}

function isOther(value: Known): value is OtherText {
  return typeof value === 'object' && value !== null && 'not' in value
}

function otherVerdict(check: Check, { not }: OtherText): boolean | undefined {
  const { op, right, modifier } = check
  if (op === 'exists') return true
  if (modifier !== undefined || right === undefined || right.kind === 'transform') return undefined
  const excluded = constantsOf(check).every(({ text }) => not.includes(text))
  if (op === '!=') return excluded ? true : undefined
  return ['=', '==', 'in', 'intersects'].includes(op) && excluded ? false : undefined
}

/** Comparisons that every number of the range decides in the same way. */
function rangeVerdict(check: Check, range: NumberRange): boolean | undefined {
  const { op, right, modifier } = check
  if (op === 'exists') return true
  if (modifier !== undefined || right === undefined || right.kind === 'transform') return undefined
  const type = operandType(check.left)!.type
  const numbers = constantsOf(check).map(({ text }) => {
    const constant = parseConstant(text, type)
    return 'value' in constant ? Number(constant.value) : Number.NaN
  })
  const outside = numbers.every((number) => number < range.least || number > range.most)
  const [number] = numbers as [number]
  switch (op) {
    case '=':
    case '==':
    case 'in':
    case 'intersects':
      if (outside) return false
      return range.least === range.most ? true : undefined
    case '!=':
      if (outside) return true
      return range.least === range.most ? false : undefined
    case '<':
      return range.most < number ? true : range.least >= number ? false : undefined
    case '<=':
      return range.most <= number ? true : range.least > number ? false : undefined
    case '>':
      return range.least > number ? true : range.most <= number ? false : undefined
    case '>=':
      return range.least >= number ? true : range.most < number ? false : undefined
    default:
      return undefined
  }
}

const always: Expr = { kind: 'and', items: [], at: 0, end: 0 }
const never: Expr = { kind: 'or', items: [], at: 0, end: 0 }

/**
 * The rules with every check on a field that is not known taken for possible. They match wherever
 * the rules themselves could, whatever those fields say, and compile like any others.
 */
export function relaxRules(rules: readonly Rule[], knows: (ref: FieldRef) => boolean): Rule[] {
  return rules.map((rule) => ({ ...rule, condition: relax(rule.condition, true, knows) }))
}

function relax(expr: Expr, positive: boolean, knows: (ref: FieldRef) => boolean): Expr {
  switch (expr.kind) {
    case 'macro':
      return expr
    case 'check': {
      if (fieldsDeciding(expr).every(knows)) return expr
      return positive ? always : never
    }
    case 'not':
      return { ...expr, item: relax(expr.item, !positive, knows) }
    default:
      return { ...expr, items: expr.items.map((item) => relax(item, positive, knows)) }
  }
}
