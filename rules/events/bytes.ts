// Declared here because this folder is compiled without Node's and the DOM's types.
declare const TextDecoder: new (
  label: string,
  options: { fatal: boolean; ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string }
declare const TextEncoder: new () => { encode(text: string): Uint8Array }

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Decodes bytes of unknown encoding without losing any: valid UTF-8 as usual, every other byte `b`
 * as the lone surrogate U+DC00+b. {@link encodeText} is the inverse.
 */
export function decodeBytes(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes)
  } catch {
    return decodeLossless(bytes)
  }
}

function decodeLossless(bytes: Uint8Array): string {
  let text = ''
  let valid = 0
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at)
    if (length > 0) {
      at += length
      continue
    }
    text += strict.decode(bytes.subarray(valid, at)) + String.fromCharCode(0xdc00 + bytes[at]!)
    at += 1
    valid = at
  }
  return text + strict.decode(bytes.subarray(valid))
}

/** Length of the well-formed UTF-8 sequence at `at`, 0 when there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  if (first < 0x80) return 1
  if (first < 0xc2 || first > 0xf4) return 0
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  for (let i = 1; i < length; i++) {
    const next = bytes[at + i]
    if (next === undefined || next < 0x80 || next > 0xbf) return 0
  }
  const second = bytes[at + 1]!
  if (first === 0xe0 && second < 0xa0) return 0
  if (first === 0xed && second > 0x9f) return 0
  if (first === 0xf0 && second < 0x90) return 0
  if (first === 0xf4 && second > 0x8f) return 0
  return length
}

const encoder = new TextEncoder()
const escaped = /[\udc80-\udcff]/

/** Bytes of a text made by {@link decodeBytes}. */
export function encodeText(text: string): Uint8Array {
  if (text.isWellFormed() || !escaped.test(text)) return encoder.encode(text)
  const parts: Uint8Array[] = []
  let from = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0xd800 && unit <= 0xdbff) {
      i += 1
      continue
    }
    if (unit < 0xdc80 || unit > 0xdcff) continue
    parts.push(encoder.encode(text.slice(from, i)), Uint8Array.of(unit - 0xdc00))
    from = i + 1
  }
  parts.push(encoder.encode(text.slice(from)))
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
