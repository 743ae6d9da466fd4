import {
  canonicalIp,
  encodeText,
  eventTypeId,
  eventTypes,
  type FieldType,
  nearestName,
} from '#events'
import { type IpNet, parseIpNet } from './match/ip-net.ts'
import { didYouMean } from './problem.ts'
import { servicePort } from './service-names.ts'
import { familyOf, widthOf } from './type-family.ts'

/**
 * A constant in the form of the values it is compared with. Bytes are text with one character of
 * 0 to 255 a byte.
 */
export type Constant = string | number | bigint | boolean | IpNet

export type ConstantResult =
  | { readonly value: Constant }
  | { readonly problem: string; readonly code?: 'unknown-event-type' }

/** Longest constant in bytes that Falco keeps. */
const longest = 255

/** What to say of a constant that {@link isTooLong}. */
export const tooLong = `the constant is too long: ${longest} bytes at most`

export function isTooLong(text: string): boolean {
  // No character takes more than three bytes for each of its units.
  return text.length * 3 > longest && encodeText(text).length > longest
}

/** Reads the text of a constant that is compared with a value of `type`. */
export function parseConstant(text: string, type: FieldType, field?: string): ConstantResult {
  if (isTooLong(text)) return { problem: tooLong }
  const family = familyOf(type)
  if (family !== 'bytes' && text.includes('\0')) {
    return { problem: 'the constant contains a NUL character' }
  }
  if (field === 'evt.type' && eventTypeId(text) < 0) {
    const nearest = nearestName(
      text,
      eventTypes.map(({ name }) => name),
    )
    const problem = `no event is called "${text}"${didYouMean(nearest)}`
    return { problem, code: 'unknown-event-type' }
  }
  switch (family) {
    case 'text':
      return { value: text }
    case 'bytes':
      return { value: byteText(encodeText(text)) }
    case 'bool':
      if (text === 'true' || text === 'false') return { value: text === 'true' }
      return { problem: `"${text}" is neither true nor false` }
    case 'ip':
      return parseIp(text)
    case 'net': {
      const net = parseIpNet(text)
      return typeof net === 'string' ? { problem: net } : { value: net }
    }
    case 'number':
      return type === 'PORT' ? parsePort(text) : parseInteger(text, type)
    case 'other':
      return { problem: 'fields of this type are not compared' }
  }
}

function parseIp(text: string): ConstantResult {
  // A dot says IPv4 to Falco, so that an IPv4-mapped IPv6 address is refused.
  const ip = text.includes('.') && text.includes(':') ? undefined : canonicalIp(text)
  return ip === undefined ? { problem: `"${text}" is no IP address` } : { value: ip }
}

function parsePort(text: string): ConstantResult {
  if (text === '') return { value: 0 }
  if (/^\d+$/.test(text)) return parseInteger(text, 'PORT')
  const port = servicePort(text)
  return port === undefined ? { problem: `no service is called "${text}"` } : { value: port }
}

function parseInteger(text: string, type: FieldType): ConstantResult {
  if (!/^[ \t\n\v\f\r]*[+-]?\d+$/.test(text)) {
    const hint = /^\s*[+-]?0[xX]|[.eE]/.test(text) ? ': only plain decimal integers are read' : ''
    return { problem: `"${text}" is no number${hint}` }
  }
  const { bits, signed } = widthOf(type)!
  const given = BigInt(text.trim().replace(/^\+/, ''))
  if (given >= 1n << 64n || given < -(1n << 63n)) return { problem: `${text} exceeds 64 bits` }
  const value = signed ? BigInt.asIntN(bits, given) : BigInt.asUintN(bits, given)
  return { value: exact(value) }
}

function exact(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** Bytes as text with one character of 0 to 255 a byte. */
export function byteText(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!)
  return text
}

/** The bytes that hexadecimal digits stand for, as {@link byteText}; `undefined` when they do not. */
export function parseHex(text: string): string | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined
  let bytes = ''
  for (let i = 0; i < text.length; i += 2) {
    bytes += String.fromCharCode(Number.parseInt(text.slice(i, i + 2), 16))
  }
  return bytes
}
