import { type FieldMap, fieldCatalogue, nearestName, parseFieldMap, parseFieldName } from '#events'
import type { Place } from './diagnostic.ts'
import type { YamlMap, YamlNode } from './yaml-tree.ts'

export type Fail = (message: string, place: Place) => void

/** The field map of a test; what `change` makes of its texts. `undefined` when a mistake was found. */
export function testEvent(
  entries: YamlMap['entries'],
  place: Place,
  fail: Fail,
  change: (text: string) => string = (text) => text,
): FieldMap | undefined {
  const json = Object.fromEntries(
    entries.map(({ key, value }) => [key, jsonOf(value, wantsNumber(key), change)]),
  )
  const result = parseFieldMap(json)
  if ('map' in result) return result.map
  for (const { field, message } of result.errors) {
    fail(message, entries.find(({ key }) => key === field)?.keyPlace ?? place)
  }
  return undefined
}

/** Members that the `output_fields` of an alert must have, as text; `null` for those without value. */
export function testOutputFields(
  node: YamlNode | undefined,
  fail: Fail,
): Map<string, string | null> {
  const fields = new Map<string, string | null>()
  if (node === undefined) return fields
  if (node.kind !== 'map') fail('a map of fields and values is expected', node.place)
  else {
    for (const { key, value } of node.entries) {
      if (value.kind !== 'scalar') fail('a single value is expected', value.place)
      else fields.set(key, value.isNull ? null : value.text)
    }
  }
  return fields
}

export function knownKeys(node: YamlMap, known: readonly string[], fail: Fail): void {
  for (const { key, keyPlace } of node.entries) {
    if (known.includes(key)) continue
    const nearest = nearestName(key, known)
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
    fail(`there is no key "${key}" here${hint}`, keyPlace)
  }
}

/** Text is taken for every type of field but these. */
function wantsNumber(field: string): boolean {
  const name = parseFieldName(field)
  if ('problem' in name) return false
  const type = fieldCatalogue.get(name.ref.name)?.type
  return type === 'DOUBLE' || type === 'DYN'
}

function jsonOf(node: YamlNode, number: boolean, change: (text: string) => string): unknown {
  if (node.kind === 'seq') return node.items.map((item) => jsonOf(item, number, change))
  if (node.kind === 'map') return {}
  if (node.isNull) return null
  const text = change(node.text)
  return number && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}
