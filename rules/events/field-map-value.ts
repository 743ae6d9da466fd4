import type { FieldInfo } from './field-catalogue.ts'
import { toInteger } from './integer.ts'
import { canonicalIp } from './ip-text.ts'
import { parameterTypes } from './parameter-types.ts'
import { parseIsoTime } from './time-text.ts'
import type { FieldRef, FieldType, Scalar, Value } from './value.ts'

export type Checked = { readonly value: Value } | { readonly problem: string }

/** Fields that hold one item for each ancestor, the parent first, when written without an index. */
export const ancestorFields: ReadonlySet<string> = new Set([
  'proc.aname',
  'proc.aexe',
  'proc.aexepath',
  'proc.acmdline',
  'proc.aargs',
  'proc.aenv',
  'proc.apid',
])

/** Fields that stand for both endpoints, or for all names of an address: one item or several. */
const severalAllowed = new Set([
  'fd.ip',
  'fd.port',
  'fd.proto',
  'fd.net',
  'fd.cip.name',
  'fd.sip.name',
  'fd.lip.name',
  'fd.rip.name',
])

/** Bits and signedness of the integer types. */
const integerTypes: ReadonlyMap<FieldType, readonly [bits: bigint, signed: boolean]> = new Map<
  FieldType,
  readonly [bigint, boolean]
>([
  ['INT8', [8n, true]],
  ['INT16', [16n, true]],
  ['INT32', [32n, true]],
  ['INT64', [64n, true]],
  ['UINT8', [8n, false]],
  ['UINT16', [16n, false]],
  ['UINT32', [32n, false]],
  ['UINT64', [64n, false]],
  ['FD', [64n, true]],
  ['PID', [64n, true]],
  ['UID', [32n, false]],
  ['GID', [32n, false]],
  ['ERRNO', [64n, true]],
  ['PORT', [16n, false]],
  ['MODE', [32n, false]],
  ['FLAGS8', [8n, false]],
  ['FLAGS16', [16n, false]],
  ['FLAGS32', [32n, false]],
  ['ENUMFLAGS8', [8n, false]],
  ['ENUMFLAGS16', [16n, false]],
  ['ENUMFLAGS32', [32n, false]],
  ['SIGTYPE', [8n, false]],
  ['SYSCALLID', [16n, false]],
  ['RELTIME', [64n, true]],
  ['ABSTIME', [64n, false]],
])

/** Checks one value of a field map against the catalogue and brings it into its one form. */
export function checkFieldValue(ref: FieldRef, info: FieldInfo, given: unknown): Checked {
  if (ref.name === 'evt.time') return checkTime(given)
  if (ref.name === 'evt.arg') return checkDisplay(given)
  const type = ref.name === 'evt.rawarg' ? (parameterTypes.get(ref.arg!) ?? 'DYN') : info.type
  if (ref.arg === undefined && (info.list || ancestorFields.has(ref.name))) {
    if (!Array.isArray(given)) return { problem: 'an array is needed here' }
    return checkItems(type, given)
  }
  if (Array.isArray(given) && severalAllowed.has(ref.name)) return checkItems(type, given)
  return checkScalar(type, given)
}

function checkItems(type: FieldType, given: readonly unknown[]): Checked {
  const items: Scalar[] = []
  for (const [index, item] of given.entries()) {
    const checked = checkScalar(type, item)
    if ('problem' in checked) return { problem: `item ${index}: ${checked.problem}` }
    items.push(checked.value as Scalar)
  }
  return { value: items }
}

function checkScalar(type: FieldType, given: unknown): Checked {
  const integer = integerTypes.get(type)
  if (integer !== undefined) return checkInteger(given, ...integer)
  switch (type) {
    case 'BOOL':
      if (typeof given === 'boolean') return { value: given }
      if (given === 'true' || given === 'false') return { value: given === 'true' }
      return { problem: 'true or false is needed here' }
    case 'DOUBLE':
      return typeof given === 'number' ? { value: given } : { problem: 'a number is needed here' }
    case 'IPADDR':
    case 'IPNET': {
      const ip = typeof given === 'string' ? canonicalIp(given) : undefined
      return ip === undefined ? { problem: 'an IP address is needed here' } : { value: ip }
    }
    case 'DYN':
      return typeof given === 'number' ? checkInteger(given, 64n, true) : checkText(given)
    default:
      return checkText(given)
  }
}

function checkText(given: unknown): Checked {
  return typeof given === 'string' ? { value: given } : { problem: 'a text is needed here' }
}

/** The display form is text; numbers are taken as their decimal digits. */
function checkDisplay(given: unknown): Checked {
  if (typeof given === 'string') return { value: given }
  if (Number.isSafeInteger(given)) return { value: String(given) }
  return { problem: 'a text (the display form of the argument) is needed here' }
}

function checkInteger(given: unknown, bits: bigint, signed: boolean): Checked {
  const value = integerOf(given)
  if (value === undefined) {
    return typeof given === 'number' && Number.isInteger(given)
      ? { problem: 'the number is too large to be exact; write it as a decimal text' }
      : { problem: 'an integer is needed here' }
  }
  const least = signed ? -(1n << (bits - 1n)) : 0n
  const most = signed ? (1n << (bits - 1n)) - 1n : (1n << bits) - 1n
  if (value < least || value > most) return { problem: `outside of ${least} to ${most}` }
  return { value: toInteger(value) }
}

function integerOf(given: unknown): bigint | undefined {
  if (typeof given === 'bigint') return given
  if (Number.isSafeInteger(given)) return BigInt(given as number)
  if (typeof given === 'string' && /^-?\d{1,20}$/.test(given)) return BigInt(given)
  return undefined
}

function checkTime(given: unknown): Checked {
  const iso = typeof given === 'string' ? parseIsoTime(given) : undefined
  if (iso !== undefined) return { value: toInteger(iso) }
  const checked = checkInteger(given, 64n, true)
  return 'problem' in checked
    ? { problem: 'the time is needed as integer nanoseconds or as ISO 8601 text with a zone' }
    : checked
}
