import type { Problem } from '#engine'
import type { Definitions } from './definitions.ts'
import type { Context, DiagnosticDetails } from './diagnostic.ts'
import type { SourcedText } from './sourced-text.ts'

/** The context of a mistake inside a condition; its name is the beginning of the text. */
export function conditionContext(
  { conditionContext: parent }: { readonly conditionContext: Context },
  { text }: SourcedText,
): Context {
  const line = text.replace(/[\r\n]/g, ' ')
  const name = `"${line.length > 20 ? `${line.slice(0, 17)}...` : line}"`
  return { parent, type: 'condition expression', name, place: parent.place }
}

/** Says so where a macro exists, but is defined too late to be seen. */
export function laterNote(
  { code, at, end }: Problem,
  { text }: SourcedText,
  { macros }: Definitions,
): DiagnosticDetails {
  const later = code === 'undefined-macro' ? macros.get(text.slice(at, end)) : undefined
  if (later === undefined) return {}
  return { notes: [{ message: 'it is defined later: move it up', place: later.namePlace }] }
}

/** What to say of a condition that its lists would make too long. */
export function expansionProblem({ text }: SourcedText): Problem {
  const message = 'with its lists the condition is longer than 32 MiB, or has too many of them'
  return { code: 'too-deep', message, at: 0, end: text.length }
}
