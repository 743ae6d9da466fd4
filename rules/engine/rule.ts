import type { Expr } from './ast.ts'
import type { OutputTemplate } from './output-template.ts'

/** Priorities from the most to the least severe; a priority is an index into this list. */
export const priorityNames = [
  'Emergency',
  'Alert',
  'Critical',
  'Error',
  'Warning',
  'Notice',
  'Informational',
  'Debug',
] as const

/** 0 (Emergency) to 7 (Debug). */
export type Priority = number

/** Index of a priority by its name in any case, `info` too; `undefined` for other words. */
export function parsePriority(name: string): Priority | undefined {
  const wanted = name.toLowerCase()
  if (wanted === 'info') return 6
  const index = priorityNames.findIndex((known) => known.toLowerCase() === wanted)
  return index < 0 ? undefined : index
}

/** A further member of `output_fields`. */
export interface ExtraField {
  readonly key: string
  readonly template: OutputTemplate
  /** The template is one field, and the member has its type instead of its text. */
  readonly raw: boolean
}

/** A rule as the engine runs it: checked, its macros and lists resolved. */
export interface Rule {
  readonly name: string
  readonly source: string
  readonly description: string
  readonly condition: Expr
  readonly output: OutputTemplate
  readonly extraFields: readonly ExtraField[]
  readonly priority: Priority
  /** Sorted, each once. */
  readonly tags: readonly string[]
  readonly enabled: boolean
}

export type RuleMatching = 'first' | 'all'
