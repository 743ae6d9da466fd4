import { decodeBytes, encodeText, type Scalar, type Value } from '#events'
import type { TransformNode } from './ast.ts'
import { lower } from './match/glob.ts'

/** What a transformer makes of the values of its arguments. */
export type Transform = (args: readonly Value[]) => Value

/** The function behind a transformer. Any unavailable argument makes the result unavailable. */
export function transformOf(node: TransformNode): Transform {
  const { selector } = node
  switch (node.name) {
    case 'val':
      return ([value]) => value
    case 'tolower':
      return ([value]) => each(value, lower)
    case 'toupper':
      return ([value]) => each(value, upper)
    case 'basename':
      return ([value]) => each(value, (text) => text.slice(text.lastIndexOf('/') + 1))
    case 'b64':
      return ([value]) => decodeBase64(value)
    case 'len':
      return ([value]) => lengthOf(value)
    case 'join':
      return ([separator, items]) => {
        if (separator === undefined || items === undefined) return undefined
        return list(items)
          .map(plainText)
          .join(plainText(separator as Scalar))
      }
    case 'concat':
      return (args) =>
        args.some((arg) => arg === undefined)
          ? undefined
          : args.map((arg) => plainText(arg as Scalar)).join('')
    case 'getopt':
      return ([args, options]) => {
        if (args === undefined || options === undefined) return undefined
        const found = getopt(list(args).map(plainText), plainText(options as Scalar))
        if (selector === undefined)
          return found.flatMap(({ letter, value }) =>
            value === undefined ? [letter] : [letter, value],
          )
        const last = found.findLast(({ letter }) => letter === selector)
        return last === undefined ? undefined : (last.value ?? last.letter)
      }
  }
}

function upper(text: string): string {
  return /[a-z]/.test(text) ? text.replace(/[a-z]+/g, (letters) => letters.toUpperCase()) : text
}

function list(value: Exclude<Value, undefined>): readonly Scalar[] {
  return Array.isArray(value) ? value : [value as Scalar]
}

function plainText(value: Scalar): string {
  return value instanceof Uint8Array ? decodeBytes(value) : String(value)
}

function each(value: Value, change: (text: string) => string): Value {
  if (value === undefined) return undefined
  if (Array.isArray(value)) return value.map((item) => change(plainText(item)))
  return change(plainText(value as Scalar))
}

function lengthOf(value: Value): Value {
  if (value === undefined) return undefined
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length
  const text = plainText(value as Scalar)
  const nul = text.indexOf('\0')
  return encodeText(nul < 0 ? text : text.slice(0, nul)).length
}

function decodeBase64(value: Value): Value {
  if (value === undefined || Array.isArray(value)) return undefined
  const text = plainText(value as Scalar)
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  const digits = text.replace(/=+$/, '')
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4))
  let bits = 0
  let held = 0
  let at = 0
  for (const digit of digits) {
    bits = (bits << 6) | alphabet.indexOf(digit)
    held += 6
    if (held < 8) continue
    held -= 8
    bytes[at] = (bits >> held) & 255
    bits &= (1 << held) - 1
    at += 1
  }
  return value instanceof Uint8Array ? bytes : decodeBytes(bytes)
}
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

interface FoundOption {
  /** `?` for an option that is not known. */
  readonly letter: string
  /** Absent for an option without argument, "" where the argument is missing. */
  readonly value?: string
}

/** Short options of a command line, read until `--`, `-` or a word that is no option. */
function getopt(args: readonly string[], options: string): FoundOption[] {
  const found: FoundOption[] = []
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!
    if (word === '--' || word === '-' || !word.startsWith('-')) break
    if (word.startsWith('--')) continue
    for (let at = 1; at < word.length; at++) {
      const letter = word[at]!
      const place = letter === ':' ? -1 : options.indexOf(letter)
      if (place < 0) {
        found.push({ letter: '?' })
      } else if (options[place + 1] !== ':') {
        found.push({ letter })
      } else {
        const rest = word.slice(at + 1)
        found.push({ letter, value: rest !== '' ? rest : (args[i + 1] ?? '') })
        if (rest === '') i += 1
        break
      }
    }
  }
  return found
}
