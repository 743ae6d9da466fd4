/**
 * Characters that are not what they look like: controls, line separators, and those that turn the
 * direction of text, join or hide it.
 */
const unseen =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ufe00-\ufe0f]|[\u{e0000}-\u{e0fff}]/gu

/** Text on one line, in which nothing is hidden: such characters are shown by their number. */
export function visible(text: string): string {
  return text.toWellFormed().replace(unseen, (char) => {
    if (char === '\n' || char === '\t' || char === '\r') return ' '
    const code = char.codePointAt(0)!
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}

const ellipsis = '…'

/** At most `most` UTF-16 units; what is cut ends in an ellipsis, and no character is cut in two. */
export function clip(text: string, most: number): string {
  if (text.length <= most) return text
  return `${text.slice(0, Math.max(0, most - 1)).replace(/[\ud800-\udbff]$/, '')}${ellipsis}`
}

/** At most `most` bytes of UTF-8. */
export function clipBytes(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text
  let kept = clip(text, most)
  while (Buffer.byteLength(kept) > most) {
    const over = Buffer.byteLength(kept) - most
    kept = clip(kept, kept.length - Math.max(1, Math.ceil(over / 3)))
  }
  return kept
}

/** As one word of a shell's command line, whatever it holds; `undefined` for what cannot be shown. */
export function shellWord(text: string): string | undefined {
  if (text === '' || visible(text) !== text || text.length > 256) return undefined
  // what begins with a dash would be an option
  if (text.startsWith('-')) return undefined
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
