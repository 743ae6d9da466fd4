import type { FieldType, Scalar } from '#events'
import type { Check } from '../ast.ts'
import { type Constant, parseConstant, parseHex } from '../constant.ts'
import { compileGlob, lower } from '../match/glob.ts'
import { type IpNet, inIpNet } from '../match/ip-net.ts'
import { compilePathPrefixes } from '../match/path-prefix.ts'
import { bytesOf, compareOrder } from '../match/text.ts'
import { compileRegex } from '../regex.ts'
import { familyOf } from '../type-family.ts'

/** Whether an available value satisfies an operator with its constants built in. */
export type TestValue = (value: Scalar) => boolean

/** The test of a check against the constants given as texts. */
export function compileTest(check: Check, type: FieldType, texts: readonly string[]): TestValue {
  const test = compileFamilyTest(check, type, texts)
  return familyOf(type) === 'bytes' ? (value) => test(bytesOf(value)) : test
}

function compileFamilyTest(
  { op, siblingDefect }: Check,
  type: FieldType,
  texts: readonly string[],
): TestValue {
  const constants = () => texts.map((text) => constantOf(text, type))
  const text = texts[0] ?? ''
  switch (op) {
    case '=':
    case '==':
      return equals(constants()[0]!)
    case '!=': {
      const equal = equals(constants()[0]!)
      return (value) => !equal(value)
    }
    case 'in':
    case 'intersects':
      return isAmong(constants())
    case '<':
    case '<=':
    case '>':
    case '>=':
      return ordered(op, constants()[0] as number | bigint | string)
    case 'contains':
      return onText((constants()[0] ?? '') as string, (value, part) => value.includes(part))
    case 'startswith':
      return onText((constants()[0] ?? '') as string, (value, part) => value.startsWith(part))
    case 'endswith':
      return onText((constants()[0] ?? '') as string, (value, part) => value.endsWith(part))
    case 'bcontains':
      return onText(parseHex(text)!, (value, part) => value.includes(part))
    case 'bstartswith':
      return onText(parseHex(text)!, (value, part) => value.startsWith(part))
    case 'icontains':
      return onText(lower(text), (value, part) => lower(value).includes(part))
    case 'glob':
      return onMatch(compileGlob(text))
    case 'iglob':
      return onMatch(compileGlob(text, true))
    case 'pmatch':
      return onMatch(compilePathPrefixes(texts, siblingDefect))
    case 'regex': {
      const regex = compileRegex(text)
      if ('problem' in regex) throw new Error(`unchecked regular expression ${text}`)
      return onMatch(regex.match)
    }
    case 'exists':
      return () => true
  }
}

function constantOf(text: string, type: FieldType): Constant {
  const constant = parseConstant(text, type)
  if ('problem' in constant) throw new Error(`unchecked constant ${text}: ${constant.problem}`)
  return constant.value
}

function isNet(constant: Constant): constant is IpNet {
  return typeof constant === 'object'
}

function equals(constant: Constant): TestValue {
  if (isNet(constant)) return remembered((value) => inIpNet(value, constant))
  return (value) => value === constant
}

function isAmong(constants: readonly Constant[]): TestValue {
  if (constants.some(isNet)) {
    const nets = constants as readonly IpNet[]
    return remembered((value) => nets.some((net) => inIpNet(value, net)))
  }
  if (constants.length === 0) return () => false
  const [first, second, third] = constants
  if (constants.length === 1) return (value) => value === first
  if (constants.length === 2) return (value) => value === first || value === second
  if (constants.length === 3) {
    return (value) => value === first || value === second || value === third
  }
  const set = new Set<unknown>(constants)
  return (value) => set.has(value)
}

/** The few addresses that a machine talks to come again and again. */
function remembered(test: (address: string) => boolean): TestValue {
  const known = new Map<string, boolean>()
  return (value) => {
    const address = String(value)
    let result = known.get(address)
    if (result === undefined) {
      if (known.size >= 4096) known.clear()
      result = test(address)
      known.set(address, result)
    }
    return result
  }
}

function ordered(op: '<' | '<=' | '>' | '>=', constant: number | bigint | string): TestValue {
  if (typeof constant === 'string') {
    switch (op) {
      case '<':
        return (value) => compareOrder(value, constant) < 0
      case '<=':
        return (value) => compareOrder(value, constant) <= 0
      case '>':
        return (value) => compareOrder(value, constant) > 0
      case '>=':
        return (value) => compareOrder(value, constant) >= 0
    }
  }
  switch (op) {
    case '<':
      return (value) => (value as number) < constant
    case '<=':
      return (value) => (value as number) <= constant
    case '>':
      return (value) => (value as number) > constant
    case '>=':
      return (value) => (value as number) >= constant
  }
}

function onText(part: string, test: (value: string, part: string) => boolean): TestValue {
  return (value) => typeof value === 'string' && test(value, part)
}

function onMatch(match: (text: string) => boolean): TestValue {
  return (value) => typeof value === 'string' && match(value)
}
