import { encodeText, type Scalar } from '#events'
import { byteText } from '../constant.ts'

/** Bytes of a value as text with one character of 0 to 255 a byte. */
export function bytesOf(value: Scalar): string {
  return byteText(value instanceof Uint8Array ? value : encodeText(String(value)))
}

/** Order of two values: numbers by size, texts by their bytes. Negative, zero or positive. */
export function compareOrder(a: Scalar, b: Scalar): number {
  if (typeof a === 'string' && typeof b === 'string') return compareBytes(bytesOf(a), bytesOf(b))
  return a < b ? -1 : a > b ? 1 : 0
}

function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
