import type { EventSource, FieldType, Scalar, Value } from '#events'
import type { Check, Expr } from './ast.ts'
import { type Constant, parseConstant, parseHex } from './constant.ts'
import { compileGlob, lower } from './match/glob.ts'
import { type IpNet, inIpNet } from './match/ip-net.ts'
import { compilePathPrefixes } from './match/path-prefix.ts'
import { bytesOf, compareOrder } from './match/text.ts'
import { operandType, type Quantity } from './operand-type.ts'
import { bindLeft, bindOperand } from './read-operand.ts'
import { compileRegex } from './regex.ts'
import { familyOf } from './type-family.ts'
import { constantsOf } from './walk.ts'

/**
 * Evaluates a checked condition without macros straight from its tree: the plain meaning of the
 * language, slow, to hold the compiled form against.
 */
export function interpret<E>(expr: Expr, event: E, source: EventSource<E>): boolean {
  switch (expr.kind) {
    case 'and':
      return expr.items.every((item) => interpret(item, event, source))
    case 'or':
      return expr.items.some((item) => interpret(item, event, source))
    case 'not':
      return !interpret(expr.item, event, source)
    case 'macro':
      throw new Error(`unresolved macro ${expr.name}`)
    case 'check': {
      const read = bindLeft(expr, (ref) => source.bind(ref) ?? (() => undefined))(event)
      if (expr.right?.kind !== 'transform') return holds(expr, read)
      const right = bindOperand(expr.right, (ref) => source.bind(ref) ?? (() => undefined))(event)
      return right === undefined ? false : holds(expr, read, right)
    }
  }
}

/**
 * Whether a check holds for the value of its left side (and the value of its right side, where that
 * is no constant). An unavailable value satisfies nothing.
 */
export function holds(check: Check, left: Value, right?: Value): boolean {
  if (left === undefined) return false
  const { type, quantity } = operandType(check.left)!
  if (check.op === 'exists') return !Array.isArray(left) || quantity === 'list' || left.length > 0
  const values: readonly Scalar[] = Array.isArray(left) ? left : [left as Scalar]
  const constants: readonly Scalar[] =
    right === undefined
      ? constantsOf(check).map(({ text }) => constantOf(check, text, type) as Scalar)
      : Array.isArray(right)
        ? right
        : [right as Scalar]
  if (check.modifier !== undefined) {
    const count = constants.filter((constant) =>
      overValues(check, quantity, values, (value) => compare(check, type, value, [constant])),
    ).length
    if (check.modifier === 'oneof') return count === 1
    return check.modifier === 'anyof' ? count > 0 : count > 0 && count === constants.length
  }
  return overValues(check, quantity, values, (value) => compare(check, type, value, constants))
}

function overValues(
  { op }: Check,
  quantity: Quantity,
  values: readonly Scalar[],
  test: (value: Scalar) => boolean,
): boolean {
  const every = quantity === 'list' ? op === 'in' : quantity === 'endpoints' && op === '!='
  return every ? values.every(test) : values.some(test)
}

function constantOf({ op }: Check, text: string, type: FieldType): Constant {
  if (op === 'bcontains' || op === 'bstartswith') return parseHex(text)!
  const constant = parseConstant(text, type)
  if ('problem' in constant) throw new Error(`unchecked constant ${text}: ${constant.problem}`)
  return constant.value
}

function compare(
  { op, siblingDefect }: Check,
  type: FieldType,
  value: Scalar,
  constants: readonly (Scalar | IpNet)[],
): boolean {
  const isBytes = familyOf(type) === 'bytes'
  const form = (scalar: Scalar | IpNet) =>
    isBytes && scalar instanceof Uint8Array ? bytesOf(scalar) : scalar
  const given = isBytes ? bytesOf(value) : value
  const equal = (constant: Scalar | IpNet) =>
    typeof constant === 'object' && 'groups' in constant
      ? inIpNet(String(given), constant)
      : form(constant) === given
  const [first] = constants
  if (op === 'in' || op === 'intersects') return constants.some(equal)
  if (first === undefined) return false
  if (op === '=' || op === '==') return equal(first)
  if (op === '!=') return !equal(first)
  const one = form(first) as Scalar
  switch (op) {
    case '<':
      return compareOrder(given, one) < 0
    case '<=':
      return compareOrder(given, one) <= 0
    case '>':
      return compareOrder(given, one) > 0
    case '>=':
      return compareOrder(given, one) >= 0
    default:
      return (
        typeof given === 'string' &&
        compareText(op, given, constants.map(String), siblingDefect === true)
      )
  }
}

function compareText(
  op: string,
  value: string,
  texts: readonly string[],
  siblingDefect: boolean,
): boolean {
  const text = texts[0]!
  switch (op) {
    case 'contains':
    case 'bcontains':
      return value.includes(text)
    case 'icontains':
      return lower(value).includes(lower(text))
    case 'startswith':
    case 'bstartswith':
      return value.startsWith(text)
    case 'endswith':
      return value.endsWith(text)
    case 'glob':
      return compileGlob(text)(value)
    case 'iglob':
      return compileGlob(text, true)(value)
    case 'pmatch':
      return compilePathPrefixes(texts, siblingDefect)(value)
    default: {
      const regex = compileRegex(text)
      if ('problem' in regex) throw new Error(`unchecked regular expression ${text}`)
      return regex.match(value)
    }
  }
}
