import { RE2JS } from 're2js'

export type RegexResult =
  | { readonly match: (text: string) => boolean }
  | { readonly problem: string }

/** Falco's options: POSIX syntax, of the flags of RE2's parser only "classes match newlines". */
const classesMatchNewlines = 4

interface Compiler {
  compileImpl(pattern: string, flags: number, longest: boolean): ReturnType<RE2JS['re2']>
}

// The public door compiles in Perl mode only; the class behind it has the POSIX mode.
const compiler = RE2JS.compile('').re2().constructor as unknown as Compiler

/**
 * Compiles a regular expression as Falco does: RE2, POSIX syntax, anchored at both ends. There is no
 * `\d \w \s \b`, no `(?…)`, no back-reference; `.` does not match a newline. Matching takes time
 * linear in the text. Text that is not UTF-8 has U+FFFD in its place.
 *
 * Known difference: `\C` (any byte) is refused.
 */
export function compileRegex(pattern: string): RegexResult {
  try {
    const regex = new RE2JS(pattern, 0)
    regex.re2Input = compiler.compileImpl(pattern.toWellFormed(), classesMatchNewlines, true)
    return { match: (text) => regex.testExact(text.toWellFormed()) }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { problem: reason.replace(/^error parsing regexp: /, '') }
  }
}
