/**
 * Makes hostile text safe for a terminal: control characters, direction marks and broken UTF-8 come
 * out as \xNN or \u{NNNN}, so that nothing an attacker names can move the cursor or change colours.
 */
export function printable(text: string): string {
  // everything that is plain ASCII is by far the most common
  if (/^[\x20-\x7e]*$/.test(text)) return text
  let safe = ''
  for (const char of text) {
    const code = char.codePointAt(0)!
    if (code >= 0xdc80 && code <= 0xdcff) safe += `\\x${(code - 0xdc00).toString(16)}`
    else if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
      safe += `\\x${code.toString(16).padStart(2, '0')}`
    } else if (isInvisible(code)) safe += `\\u{${code.toString(16)}}`
    else safe += char
  }
  return safe
}

function isInvisible(code: number): boolean {
  return (
    (code >= 0xd800 && code <= 0xdfff) ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x206f) ||
    code === 0xfeff ||
    (code >= 0xe0000 && code <= 0xe0fff)
  )
}
