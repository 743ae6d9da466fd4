import type { JsonValue } from '#engine'
import { nearestName } from '#events'
import type { Firing } from './firing.ts'

/** The output of a correlation, cut at its fields. */
export interface FiringTemplate {
  readonly text: string
  readonly parts: readonly (string | { readonly field: string })[]
}

export interface TemplateProblem {
  readonly message: string
  /** Offsets into the text. */
  readonly at: number
  readonly end: number
}

const own: Readonly<Record<string, (firing: Firing) => JsonValue>> = {
  'correlation.count': ({ count }) => count,
  'correlation.first': ({ first }) => isoTime(first),
  'correlation.last': ({ last }) => isoTime(last),
  'correlation.values': ({ values }) => values,
}

/** What an output may name beside the fields that make the group. */
export const firingFields: readonly string[] = Object.keys(own)

/**
 * Reads an output: `%` begins a field of the group or of the correlation; the longest name that is
 * known counts.
 */
export function parseFiringOutput(
  text: string,
  groupBy: readonly string[],
): { readonly template: FiringTemplate } | { readonly problems: readonly TemplateProblem[] } {
  const known = [...groupBy, ...firingFields].sort((a, b) => b.length - a.length)
  const parts: (string | { field: string })[] = []
  const problems: TemplateProblem[] = []
  let from = 0
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', from)) {
    if (at > from) parts.push(text.slice(from, at))
    const field = known.find((name) => text.startsWith(name, at + 1))
    if (field !== undefined) {
      parts.push({ field })
      from = at + 1 + field.length
      continue
    }
    const word = /[\w.]*(?:\[[^\]]*\])?/y
    word.lastIndex = at + 1
    const wanted = word.exec(text)![0].replace(/\.$/, '')
    const nearest = nearestName(wanted, known)
    const message =
      wanted === ''
        ? '% begins a field; there is no way to write a percent sign'
        : `%${wanted}: neither a field of group-by nor of the correlation` +
          (nearest === undefined ? '' : `; did you mean %${nearest}?`)
    from = at + 1 + wanted.length
    problems.push({ message, at, end: from })
  }
  if (from < text.length) parts.push(text.slice(from))
  return problems.length > 0 ? { problems } : { template: { text, parts } }
}

/** The output of a firing, and the fields it shows with all that make the group. */
export function formatFiring(firing: Firing): {
  readonly text: string
  readonly fields: Readonly<Record<string, JsonValue>>
} {
  const fields: Record<string, JsonValue> = { ...firing.group }
  const text = firing.correlation.output.parts
    .map((part) => {
      if (typeof part === 'string') return part
      fields[part.field] = own[part.field]?.(firing) ?? firing.group[part.field] ?? null
      return shown(fields[part.field]!)
    })
    .join('')
  return { text, fields }
}

function shown(value: JsonValue): string {
  if (value === null) return '<NA>'
  return Array.isArray(value) ? value.map(shown).join(', ') : String(value)
}

/** ISO 8601 with all digits. */
export function isoTime(time: bigint): string {
  const seconds = new Date(Number(time / 1_000_000_000n) * 1000).toISOString().slice(0, 19)
  return `${seconds}.${String(time % 1_000_000_000n).padStart(9, '0')}Z`
}
