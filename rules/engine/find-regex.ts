import { RE2JS } from 're2js'

/** Start and end of a part of a text. */
export type TextSpan = readonly [start: number, end: number]

export type FindResult =
  | { readonly find: (text: string) => TextSpan[] }
  | { readonly problem: string }

/**
 * Compiles a regular expression that is looked for anywhere in a text: RE2, with its Perl classes and
 * flags. `find` gives what the first group matched, or the whole where there is none; empty matches
 * are left out. It takes time linear in the text for each match.
 */
export function compileFinder(pattern: string): FindResult {
  try {
    const regex = RE2JS.compile(pattern.toWellFormed())
    return {
      find: (text) => {
        const found: TextSpan[] = []
        const matcher = regex.matcher(text.toWellFormed())
        const group = matcher.groupCount() > 0 ? 1 : 0
        while (matcher.find()) {
          const span: TextSpan = [matcher.start(group), matcher.end(group)]
          if (span[0] >= 0 && span[0] < span[1]) found.push(span)
        }
        return found
      },
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { problem: reason.replace(/^error parsing regexp: /, '') }
  }
}
