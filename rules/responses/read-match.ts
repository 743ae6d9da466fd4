import { parsePriority, priorityNames } from '#engine'
import { nearestName } from '#events'
import type { NodeReader } from '../load/node-reader.ts'
import type { YamlScalar } from '../load/yaml-tree.ts'
import type { FieldTest, ResponseMatch } from './policy.ts'

export const matchKeys = ['rules', 'priority', 'tags', 'output_fields', 'source'] as const

/** Reads Talon's `match`; of `detections`, those that there are, if they are known. */
export function readMatch(reader: NodeReader, detections: readonly string[]): ResponseMatch {
  reader.unknownKeys(matchKeys)
  const rules = reader.texts('rules', 'rule name') ?? []
  for (const { text, place } of rules) {
    if (detections.length === 0 || detections.includes(text)) continue
    const nearest = nearestName(text, detections)
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`
    reader.warn('LOAD_WARNING_EXTENSION', `there is no rule "${text}"${hint}`, place)
  }
  return {
    rules: rules.map(({ text }) => text),
    priority: readPriority(reader),
    tags: (reader.texts('tags', 'tags') ?? []).map((node) => parts(node).map(({ text }) => text)),
    fields: (reader.texts('output_fields', 'comparison') ?? []).map((node) =>
      readTests(reader, node),
    ),
    source: reader.text('source')?.text,
  }
}

function readPriority(reader: NodeReader): ResponseMatch['priority'] {
  const node = reader.text('priority')
  if (node === undefined) return undefined
  const [, operator = '', name = ''] = /^\s*(<=|>=|<|>|=)?\s*(.*?)\s*$/s.exec(node.text) ?? []
  const priority = parsePriority(name)
  if (priority === undefined) {
    const message = `there is no priority "${name}": one of ${priorityNames.join(', ')}, also after <, >, <= or >=`
    return reader.invalid(message, node.place)
  }
  return { operator: (operator || '=') as '=' | '<' | '>' | '<=' | '>=', priority }
}

function readTests(reader: NodeReader, node: YamlScalar): FieldTest[] {
  return parts(node).flatMap(({ text, at, end }): FieldTest[] => {
    const [, field = '', sign = '', value = ''] = /^([^=!\s]+)\s*(!=|=)\s*(.*)$/s.exec(text) ?? []
    if (field !== '') return [{ field, operator: sign === '=' ? '=' : '!=', value }]
    const message = `"${text}" is no comparison: FIELD=VALUE or FIELD!=VALUE`
    reader.invalid(message, node.sourced().placeOf(at, end))
    return []
  })
}

/** The parts between commas, without blanks around them. */
function parts({ text }: YamlScalar): { text: string; at: number; end: number }[] {
  let at = 0
  return text.split(',').map((part) => {
    const start = at + part.length - part.trimStart().length
    at += part.length + 1
    return { text: part.trim(), at: start, end: start + part.trim().length }
  })
}
