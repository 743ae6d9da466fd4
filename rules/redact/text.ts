import { compileFinder, type TextSpan } from '#engine'
import { type Finder, pathFinder, textFinder } from './finders.ts'

/** What stands in place of a secret. */
export const marker = '[redacted]'

/** Replaces what finders find. */
export interface TextRedactor {
  text(text: string): string
  /** Paths have no flags and variables: only unmistakable secrets and custom patterns are replaced. */
  path(path: string): string
}

/** Each round leaves less of the text: this many have no good end. */
const mostRounds = 8

/** Throws an `Error` that names the pattern which is not RE2. */
export function createTextRedactor(patterns: readonly string[]): TextRedactor {
  const custom = patterns.map((pattern): Finder => {
    const result = compileFinder(pattern)
    if ('find' in result) return result.find
    throw new Error(`redact.patterns: ${JSON.stringify(pattern)}: ${result.problem}`)
  })
  return {
    text: (text) => redact(text, textFinder, custom),
    path: (text) => redact(text, pathFinder, custom),
  }
}

/** Until nothing more is found: redacting again changes nothing. */
function redact(text: string, builtIn: Finder, custom: readonly Finder[]): string {
  let before = text
  for (let round = 0; round < mostRounds; round++) {
    const after = replaceOnce(before, builtIn, custom)
    if (after === before) return after
    before = after
  }
  return marker
}

function replaceOnce(text: string, builtIn: Finder, custom: readonly Finder[]): string {
  const found = builtIn(text)
  const markers = text.includes(marker) ? markersOf(text) : []
  for (const find of custom) {
    // a pattern that fits the marker itself would go on for ever
    for (const span of find(text)) if (!markers.some((m) => overlap(m, span))) found.push(span)
  }
  if (found.length === 0) return text
  const spans = union([...found, ...markers])
  let result = ''
  let end = 0
  for (const span of spans) {
    result += text.slice(end, span[0]) + marker
    end = span[1]
  }
  return result + text.slice(end)
}

function markersOf(text: string): TextSpan[] {
  const found: TextSpan[] = []
  for (let at = text.indexOf(marker); at >= 0; at = text.indexOf(marker, at + marker.length)) {
    found.push([at, at + marker.length])
  }
  return found
}

function overlap(a: TextSpan, b: TextSpan): boolean {
  return a[0] < b[1] && b[0] < a[1]
}

function union(spans: readonly TextSpan[]): TextSpan[] {
  const merged: TextSpan[] = []
  for (const span of spans.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const last = merged.at(-1)
    if (last !== undefined && overlap(last, span)) {
      merged[merged.length - 1] = [last[0], Math.max(last[1], span[1])]
    } else if (span[0] < span[1]) merged.push(span)
  }
  return merged
}
