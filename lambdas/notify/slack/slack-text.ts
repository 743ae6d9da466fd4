/** What Slack reads as markup, as text. */
export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** A value in a code span, in which nothing is markup; a back-tick in it is shown by a look-alike. */
export function codeSpan(text: string): string {
  return `\`${escaped(text).replaceAll('`', 'ˋ')}\``
}

export function codeBlock(text: string): string {
  return `\`\`\`${escaped(text).replaceAll('`', 'ˋ')}\`\`\``
}
