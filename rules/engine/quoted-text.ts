import { decodeBytes, encodeText } from '#events'

/** Result of reading what stands between two quotes. */
export type Unquoted =
  | { readonly text: string }
  | { readonly problem: string; readonly offset: number }

const simple: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  '\\': '\\',
  '/': '/',
  // A backslash before a blank stands for itself, and the blank is dropped: old rules rely on it.
  ' ': '\\',
}

/** Resolves the escapes of a text that stood between two `quote` characters. */
export function unescapeText(raw: string, quote: string): Unquoted {
  if (!raw.includes('\\')) return { text: raw }
  let text = ''
  for (let i = 0; i < raw.length; i++) {
    const char = raw[i]!
    if (char !== '\\') {
      text += char
      continue
    }
    i += 1
    const escaped = raw[i]
    if (escaped === undefined) return { problem: 'a backslash ends the text', offset: i - 1 }
    if (escaped === quote) {
      text += quote
    } else if (escaped === 'x') {
      const hex = raw.slice(i + 1, i + 3)
      if (!/^[0-9a-fA-F]{2}$/.test(hex)) {
        return { problem: '\\x needs two hexadecimal digits', offset: i - 1 }
      }
      text += byteText(Number.parseInt(hex, 16))
      i += 2
    } else {
      const known = simple[escaped]
      if (known === undefined) {
        return { problem: `there is no escape \\${escaped} in ${quote}…${quote}`, offset: i - 1 }
      }
      text += known
    }
  }
  return { text: text.isWellFormed() ? text : decodeBytes(encodeText(text)) }
}

/** A byte that is no ASCII character has the form that event texts give to stray bytes. */
function byteText(byte: number): string {
  return String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte)
}

const escapes: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\\': '\\\\',
  '"': '\\"',
}

/** The value as a condition writes it: bare where it can be, else between double quotes. */
export function printText(text: string): string {
  if (/^[^()"'=,\\\0-\x20\x7f\udc80-\udcff]+$/.test(text)) return text
  return quoteText(text)
}

/** As Falco writes a value again: it quotes for blanks, quotes, "=" and backslashes alone. */
export function printFalcoText(text: string): string {
  return /^[^"'=\\\0-\x20\x7f\udc80-\udcff]*$/.test(text) && text !== '' ? text : quoteText(text)
}

function quoteText(text: string): string {
  let quoted = ''
  for (let i = 0; i < text.length; i++) {
    quoted += printUnit(text, i)
  }
  // The first quote without a backslash before it closes the text: no escaped backslash may end it.
  return `"${quoted.endsWith('\\\\') ? `${quoted.slice(0, -2)}\\x5c` : quoted}"`
}

function printUnit(text: string, i: number): string {
  const char = text[i]!
  const written = escapes[char]
  if (written !== undefined) return written
  const unit = text.charCodeAt(i)
  if (unit < 0x20 || unit === 0x7f) return `\\x${unit.toString(16).padStart(2, '0')}`
  const stray = unit >= 0xdc80 && unit <= 0xdcff && !isHighSurrogate(text.charCodeAt(i - 1))
  return stray ? `\\x${(unit - 0xdc00).toString(16)}` : char
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}
