import { BlockList, isIP } from 'node:net'

/** An event as JSON. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue }
type JsonObject = { readonly [name: string]: JsonValue }

/** A pattern that EventBridge would refuse. */
export class InvalidPattern extends Error {
  override readonly name = 'InvalidPattern'
}

export type EventMatcher = (event: JsonValue) => boolean

/**
 * Compiles an event pattern, as PutRule takes it.
 *
 * - Every field of a pattern must match, one entry of its list is enough; what the pattern does not
 *   name does not matter.
 * - An event's array matches when one of its elements does. Fields of a pattern below an array of
 *   objects must match in the same object.
 * - `exists: false` holds when the field is nowhere, in no object of an array either.
 *
 * Source: Amazon EventBridge User Guide, "Event patterns" and "Comparison operators for use in event
 * patterns"; for arrays the documentation of the aws/event-ruler library.
 */
export function compilePattern(json: string): EventMatcher {
  let pattern: JsonValue
  try {
    pattern = JSON.parse(json) as JsonValue
  } catch (error) {
    throw new InvalidPattern(`it is not JSON: ${(error as Error).message}`)
  }
  if (!isObject(pattern)) throw new InvalidPattern('it is not an object')
  const test = compileObject(pattern, '')
  return (event) => test(event, [event])
}

/** Tests a place in the event; `all` are the places that the same path leads to. */
type Test = (place: JsonValue | undefined, all: readonly (JsonValue | undefined)[]) => boolean
/** Tests a value that is not an array; strings, numbers and the like. */
type ValueTest = (value: JsonValue) => boolean

function compileObject(pattern: JsonObject, path: string): Test {
  const fields = Object.entries(pattern)
  if (fields.length === 0) throw new InvalidPattern(`${path || 'the pattern'} is empty`)
  const tests = fields.map(([name, inner]) => {
    const at = path === '' ? name : `${path}.${name}`
    if (name === '$or' && isAlternatives(inner)) return compileOr(inner, path)
    const test = compileField(inner, at)
    return ((place, all) =>
      test(
        field(place, name),
        all.flatMap((one) => elements(field(one, name))),
      )) satisfies Test
  })
  return (place, all) => tests.every((test) => test(place, all))
}

/** A field may be called `$or`; it is the operator when it lists objects, more than one. */
function isAlternatives(inner: JsonValue): inner is readonly JsonObject[] {
  return Array.isArray(inner) && inner.length > 1 && inner.every(isObject)
}

function compileOr(alternatives: readonly JsonObject[], path: string): Test {
  const tests = alternatives.map((one) => compileObject(one, path))
  return (place, all) => tests.some((test) => test(place, all))
}

function compileField(inner: JsonValue, path: string): Test {
  if (isObject(inner)) {
    const test = compileObject(inner, path)
    // Without the object, its fields are absent: a pattern may ask for that.
    return (place, all) => {
      const places = elements(place)
      return places.length === 0 ? test(undefined, all) : places.some((one) => test(one, all))
    }
  }
  if (!Array.isArray(inner)) throw new InvalidPattern(`${path} must be an object or an array`)
  if (inner.length === 0) throw new InvalidPattern(`${path} has no value to match`)
  const tests = (inner as readonly JsonValue[]).map((one) => compileEntry(one, path))
  return (place, all) => tests.some((test) => test(place, all))
}

/** One entry of a list: a value, or an object with an operator. */
function compileEntry(entry: JsonValue, path: string): Test {
  if (isObject(entry) && 'exists' in entry) {
    const { exists, ...rest } = entry
    if (typeof exists !== 'boolean' || Object.keys(rest).length > 0) {
      throw new InvalidPattern(`${path}: exists takes true or false, alone`)
    }
    return exists
      ? (place) => elements(place).some((value) => !isObject(value))
      : (_, all) => !all.some((value) => value !== undefined && !isObject(value))
  }
  const test = isObject(entry) ? compileOperator(entry, path) : compileExact(entry, path)
  return (place) => elements(place).some((value) => !isObject(value) && test(value))
}

function compileExact(entry: JsonValue, path: string): ValueTest {
  if (Array.isArray(entry)) throw new InvalidPattern(`${path}: an array within an array`)
  return (value) => value === entry
}

function compileOperator(entry: JsonObject, path: string): ValueTest {
  const [[name, operand] = ['', null], ...more] = Object.entries(entry)
  if (more.length > 0) throw new InvalidPattern(`${path}: one operator to an object`)
  const compile = operators[name]
  if (compile === undefined) {
    const known = Object.keys(operators).join(', ')
    throw new InvalidPattern(`${path}: ${JSON.stringify(name)} is none of exists, ${known}`)
  }
  return compile(operand, `${path}: ${name}`)
}

const operators: Readonly<Record<string, (operand: JsonValue, at: string) => ValueTest>> = {
  prefix: (operand, at) => {
    if (isObject(operand)) {
      const start = fold(ignoringCase(operand, at))
      return onText((value) => fold(value).startsWith(start))
    }
    const start = text(operand, at)
    return onText((value) => value.startsWith(start))
  },
  suffix: (operand, at) => {
    if (isObject(operand)) {
      const end = fold(ignoringCase(operand, at))
      return onText((value) => fold(value).endsWith(end))
    }
    const end = text(operand, at)
    return onText((value) => value.endsWith(end))
  },
  'equals-ignore-case': (operand, at) => {
    const wanted = fold(text(operand, at))
    return onText((value) => fold(value) === wanted)
  },
  wildcard: (operand, at) => {
    const wildcard = compileWildcard(text(operand, at), at)
    return onText(wildcard)
  },
  numeric: compileNumeric,
  cidr: compileCidr,
  'anything-but': compileAnythingBut,
}

/** Everything but a value, one of a list, or what an operator on text matches. */
function compileAnythingBut(operand: JsonValue, at: string): ValueTest {
  if (isObject(operand)) {
    const [[name, inner] = ['', null], ...more] = Object.entries(operand)
    const compile = butOperators.has(name) ? operators[name] : undefined
    if (compile === undefined || more.length > 0) {
      throw new InvalidPattern(`${at} takes one of ${[...butOperators].join(', ')}`)
    }
    const list = Array.isArray(inner) ? (inner as readonly JsonValue[]) : [inner]
    if (list.length === 0) throw new InvalidPattern(`${at} has an empty list`)
    const tests = list.map((one) => compile(one, `${at}: ${name}`))
    return (value) => !tests.some((test) => test(value))
  }
  const list = Array.isArray(operand) ? (operand as readonly JsonValue[]) : [operand]
  const types = new Set(list.map((one) => typeof one))
  if (types.size !== 1 || !(types.has('string') || types.has('number'))) {
    throw new InvalidPattern(`${at} takes a string, a number, or a list of either`)
  }
  return (value) => !list.includes(value)
}

const butOperators = new Set(['prefix', 'suffix', 'equals-ignore-case', 'wildcard'])

const comparisons: Readonly<Record<string, (value: number, limit: number) => boolean>> = {
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
  '=': (value, limit) => value === limit,
}

/** `["=", 5]`, or one or two limits: `[">", 0, "<=", 5]`. */
function compileNumeric(operand: JsonValue, at: string): ValueTest {
  const list = Array.isArray(operand) ? (operand as readonly JsonValue[]) : []
  const tests = Array.from({ length: list.length / 2 }, (_, pair) => {
    const [sign, limit] = list.slice(pair * 2, pair * 2 + 2)
    const compare = comparisons[String(sign)]
    if (compare === undefined || typeof limit !== 'number' || Math.abs(limit) > 5e9) {
      throw new InvalidPattern(`${at}: ${JSON.stringify([sign, limit])} is no comparison`)
    }
    return (value: number) => compare(value, limit)
  })
  const signs = list.filter((_, place) => place % 2 === 0).map(String)
  const isRange = signs.length === 2 && signs[0]!.startsWith('>') && signs[1]!.startsWith('<')
  if (list.length % 2 === 1 || !(signs.length === 1 || isRange)) {
    throw new InvalidPattern(`${at} takes one comparison, or a lower and an upper limit`)
  }
  return (value) => typeof value === 'number' && tests.every((test) => test(value))
}

function compileCidr(operand: JsonValue, at: string): ValueTest {
  const [address = '', bits = '', ...more] = text(operand, at).split('/')
  const family = isIP(address)
  const isRange = /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
  if (family === 0 || !isRange || more.length > 0) {
    throw new InvalidPattern(`${at}: ${JSON.stringify(operand)} is no range of addresses`)
  }
  const range = new BlockList()
  range.addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6')
  return onText((value) => {
    const its = isIP(value)
    return its === family && range.check(value, its === 4 ? 'ipv4' : 'ipv6')
  })
}

/** `*` is any text, `\*` and `\\` are themselves. Matches piece by piece, so in linear time a piece. */
function compileWildcard(wildcard: string, at: string): (value: string) => boolean {
  const pieces = ['']
  for (let place = 0; place < wildcard.length; place += 1) {
    const char = wildcard[place]!
    if (char === '*') {
      if (wildcard[place + 1] === '*') throw new InvalidPattern(`${at}: two * in a row`)
      pieces.push('')
    } else if (char !== '\\') pieces[pieces.length - 1] += char
    else {
      place += 1
      const next = wildcard[place]
      if (next !== '*' && next !== '\\')
        throw new InvalidPattern(`${at}: \\ before neither * nor \\`)
      pieces[pieces.length - 1] += next
    }
  }
  const [first = '', ...rest] = pieces
  const last = rest.pop()
  if (last === undefined) return (value) => value === first
  return (value) => {
    if (!value.startsWith(first)) return false
    let from = first.length
    for (const piece of rest) {
      const found = value.indexOf(piece, from)
      if (found < 0) return false
      from = found + piece.length
    }
    return value.length - last.length >= from && value.endsWith(last)
  }
}

function onText(test: (value: string) => boolean): ValueTest {
  return (value) => typeof value === 'string' && test(value)
}

function text(operand: JsonValue, at: string): string {
  if (typeof operand !== 'string') throw new InvalidPattern(`${at} takes a string`)
  return operand
}

function ignoringCase(operand: JsonObject, at: string): string {
  const { 'equals-ignore-case': wanted, ...rest } = operand
  if (wanted === undefined || Object.keys(rest).length > 0) {
    throw new InvalidPattern(`${at} takes a string, or {"equals-ignore-case": …}`)
  }
  return text(wanted, at)
}

const fold = (value: string) => value.toLowerCase()

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function field(place: JsonValue | undefined, name: string): JsonValue | undefined {
  return isObject(place) && Object.hasOwn(place, name) ? place[name] : undefined
}

/** An array's elements, those of arrays in it too; a value by itself; nothing of nothing. */
function elements(value: JsonValue | undefined): readonly JsonValue[] {
  if (value === undefined) return []
  return Array.isArray(value) ? (value as readonly JsonValue[]).flatMap(elements) : [value]
}
