import { encodeText } from '#events'
import type { SourceFile } from './diagnostic.ts'
import type { Selection } from './select-rules.ts'

/**
 * Names a rule set by its texts and selections: the same on every node and in the cloud. `sha256` gives
 * hex.
 */
export function ruleSetHash(
  files: readonly SourceFile[],
  selections: readonly Selection[],
  sha256: (text: string) => string,
): string {
  const texts = files.map(({ text }) => `${encodeText(text).length}\n${text}`)
  return sha256(`${texts.join('')}${JSON.stringify(selections)}`)
}
