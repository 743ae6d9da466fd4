import type { Diagnostic } from '../diagnostic.ts'
import { type LoadOptions, type LoadResult, loadRules } from '../load-rules.ts'

/** Loads texts as files a.yaml, b.yaml, … For tests. */
export function load(texts: string | readonly string[], options?: LoadOptions): LoadResult {
  const list = typeof texts === 'string' ? [texts] : texts
  const files = list.map((text, i) => ({ name: `${String.fromCharCode(97 + i)}.yaml`, text }))
  return loadRules(files, { additions: [], ...options })
}

export function diagnosticsOf({ files }: LoadResult): Diagnostic[] {
  return files.flatMap(({ diagnostics }) => diagnostics)
}

/** Diagnostics in one line each: `a.yaml:2:3 CODE message`. */
export function lines(result: LoadResult): string[] {
  return diagnosticsOf(result).map(
    ({ at, code, message }) => `${at.file}:${at.line}:${at.column} ${code} ${message}`,
  )
}

/** A rule with everything that is required. */
export function rule(name: string, condition: string, more = ''): string {
  return `- rule: ${name}
  desc: what it is
  condition: ${condition}
  output: it happened
  priority: WARNING
${more}`
}
