import type { JsonValue } from '#engine'

/** A value of `output_fields` as a test writes it. */
export function shownValue(value: JsonValue): string | null {
  if (value === null) return null
  return Array.isArray(value) ? value.map(shownValue).join(',') : String(value)
}
