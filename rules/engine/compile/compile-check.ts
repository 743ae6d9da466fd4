import type { Extractor, FieldType, Scalar, Value } from '#events'
import type { Check, Operand } from '../ast.ts'
import { parseConstant } from '../constant.ts'
import { holds } from '../interpret.ts'
import { operandType, type Quantity } from '../operand-type.ts'
import { familyOf } from '../type-family.ts'
import { constantsOf } from '../walk.ts'
import { compileTest, type TestValue } from './test-value.ts'

export type Test<E> = (event: E) => boolean

/** Gives the readers of the two sides of a check. */
export interface BindSides<E> {
  left(check: Check): Extractor<E>
  right(operand: Operand): Extractor<E>
}

/** The function that evaluates one check. */
export function compileCheck<E>(check: Check, bind: BindSides<E>): Test<E> {
  const { type, quantity } = operandType(check.left)!
  const read = bind.left(check)
  if (check.op === 'exists') return compileExists(read, quantity)
  if (check.right?.kind === 'transform') {
    const readRight = bind.right(check.right)
    return (event) => {
      const left = read(event)
      if (left === undefined) return false
      const right = readRight(event)
      return right !== undefined && holds(check, left, right)
    }
  }
  const texts = constantsOf(check).map(({ text }) => text)
  if (check.modifier !== undefined) return compileModifier(check, type, quantity, texts, read)
  if (quantity === 'one') {
    return compileFrequent(check, type, texts, read) ?? onOne(compileTest(check, type, texts), read)
  }
  return onMany(check, quantity, compileTest(check, type, texts), read)
}

function compileExists<E>(read: Extractor<E>, quantity: Quantity): Test<E> {
  if (quantity === 'one' || quantity === 'list') return (event) => read(event) !== undefined
  return (event) => {
    const value = read(event)
    return value !== undefined && (!Array.isArray(value) || value.length > 0)
  }
}

/** The operators that rules use most, each as one function. */
function compileFrequent<E>(
  { op }: Check,
  type: FieldType,
  texts: readonly string[],
  read: Extractor<E>,
): Test<E> | undefined {
  const family = familyOf(type)
  if (family === 'bytes' || family === 'net' || family === 'other') return undefined
  const constants = texts.map((text) => {
    const constant = parseConstant(text, type)
    return 'value' in constant ? constant.value : undefined
  })
  const [constant] = constants
  switch (op) {
    case '=':
    case '==':
      return (event) => read(event) === constant
    case '!=':
      return (event) => {
        const value = read(event)
        return value !== undefined && value !== constant
      }
    case 'in':
    case 'intersects': {
      if (constants.length < 4) return undefined
      const set = new Set<unknown>(constants)
      return (event) => set.has(read(event))
    }
    case 'startswith': {
      const prefix = texts[0]!
      return (event) => {
        const value = read(event)
        return typeof value === 'string' && value.startsWith(prefix)
      }
    }
    case 'contains': {
      const part = texts[0]!
      return (event) => {
        const value = read(event)
        return typeof value === 'string' && value.includes(part)
      }
    }
    default:
      return undefined
  }
}

function onOne<E>(test: TestValue, read: Extractor<E>): Test<E> {
  return (event) => {
    const value = read(event)
    return value !== undefined && test(value as Scalar)
  }
}

function onMany<E>(
  { op }: Check,
  quantity: Quantity,
  test: TestValue,
  read: Extractor<E>,
): Test<E> {
  const every = asksForEvery(quantity, op)
  return (event) => overValues(read(event), test, every)
}

function asksForEvery(quantity: Quantity, op: Check['op']): boolean {
  return quantity === 'list' ? op === 'in' : quantity === 'endpoints' && op === '!='
}

function overValues(value: Value, test: TestValue, every: boolean): boolean {
  if (value === undefined) return false
  if (!Array.isArray(value)) return test(value as Scalar)
  for (let i = 0; i < value.length; i++) {
    if (test(value[i]!) !== every) return !every
  }
  return every
}

/** `oneof`, `anyof`, `allof`: the operator holds for one, some or all of the constants. */
function compileModifier<E>(
  check: Check,
  type: FieldType,
  quantity: Quantity,
  texts: readonly string[],
  read: Extractor<E>,
): Test<E> {
  const tests = texts.map((text) => compileTest(check, type, [text]))
  const every = asksForEvery(quantity, check.op)
  const least = check.modifier === 'allof' ? tests.length : 1
  const most = check.modifier === 'oneof' ? 1 : tests.length
  return (event) => {
    const value = read(event)
    let count = 0
    for (const test of tests) if (overValues(value, test, every)) count += 1
    return count > 0 && count >= least && count <= most
  }
}
