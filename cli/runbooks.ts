import { existsSync } from 'node:fs'
import type { Position, SourceFile } from '#load'

/** The runbook beside each rules file that has one: `NAME.md` beside `NAME.yaml`. */
export function runbooksBeside(files: readonly SourceFile[]): Readonly<Record<string, string>> {
  const found = files.map(({ name }) => [name, name.replace(/\.ya?ml$/, '.md')] as const)
  return Object.fromEntries(found.filter(([name, path]) => path !== name && existsSync(path)))
}

/** Runbook of each rule or correlation, by its name. */
export function runbooksOf(
  rules: readonly { readonly name: string; readonly at: Position }[],
  beside: Readonly<Record<string, string>>,
): ReadonlyMap<string, string> {
  const known = rules.flatMap(({ name, at }) => {
    const path = beside[at.file]
    return path === undefined ? [] : [[name, path] as const]
  })
  return new Map(known)
}
