import { nearestName } from '#events'
import { positionOf, type SourceFile } from './diagnostic.ts'
import type { OutputAddition } from './output-addition.ts'
import { parseBool } from './values.ts'
import { readYaml, type YamlMap, type YamlNode } from './yaml-tree.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * Reads what is to be added to outputs: a YAML sequence as under `append_output` in falco.yaml, with
 * or without that key above it. All mistakes are reported, each with its place.
 */
export function readAdditions(file: SourceFile): {
  readonly additions: readonly OutputAddition[]
  readonly problems: readonly string[]
} {
  const problems: string[] = []
  const fail = (message: string, node: YamlNode) => {
    const { line, column } = positionOf(node.place)
    problems.push(`${file.name}:${line}:${column}: ${message}`)
  }
  const yaml = readYaml(file)
  for (const { message, place } of yaml.problems) {
    const { line, column } = positionOf(place)
    problems.push(`${file.name}:${line}:${column}: ${message}`)
  }
  const additions: OutputAddition[] = []
  for (const document of yaml.documents) {
    const content = document.kind === 'map' ? (document.get('append_output') ?? document) : document
    if (content.kind !== 'seq') fail('a sequence of additions is expected', content)
    else for (const item of content.items) additions.push(readAddition(item, fail))
  }
  return { additions, problems }
}

type Fail = (message: string, node: YamlNode) => void

function readAddition(node: YamlNode, fail: Fail): OutputAddition {
  const addition: Mutable<OutputAddition> = {}
  const known = ['match', 'extra_output', 'extra_fields', 'suggested_output']
  for (const [key, value] of entriesOf(node, known, fail)) {
    if (key === 'match') addition.match = readMatch(value, fail)
    else if (key === 'extra_output') addition.extraOutput = textOf(value, fail)
    else if (key === 'extra_fields') addition.extraFields = readFields(value, fail)
    else {
      const flag = parseBool(textOf(value, fail))
      if (flag === undefined) fail('suggested_output is true or false', value)
      else addition.suggestedOutput = flag
    }
  }
  return addition
}

function readMatch(node: YamlNode, fail: Fail): NonNullable<OutputAddition['match']> {
  const match: Mutable<NonNullable<OutputAddition['match']>> = {}
  for (const [key, value] of entriesOf(node, ['source', 'rule', 'tags'], fail)) {
    if (key === 'source') match.source = textOf(value, fail)
    else if (key === 'rule') match.rule = textOf(value, fail)
    else match.tags = itemsOf(value, fail).map((item) => textOf(item, fail))
  }
  return match
}

/** Names of fields, and maps of key to format. */
function readFields(node: YamlNode, fail: Fail): NonNullable<OutputAddition['extraFields']> {
  return itemsOf(node, fail).flatMap((item): (string | { key: string; format: string })[] => {
    if (item.kind !== 'map') return [textOf(item, fail)]
    return item.entries.map(({ key, value }) => ({ key, format: textOf(value, fail) }))
  })
}

function entriesOf(
  node: YamlNode,
  known: readonly string[],
  fail: Fail,
): (readonly [key: string, value: YamlNode])[] {
  if (node.kind !== 'map') {
    fail('a map is expected', node)
    return []
  }
  return (node as YamlMap).entries.flatMap(({ key, value }) => {
    if (known.includes(key)) return [[key, value] as const]
    const nearest = nearestName(key, known)
    fail(`there is no key "${key}" here${nearest ? `; did you mean ${nearest}?` : ''}`, value)
    return []
  })
}

function itemsOf(node: YamlNode, fail: Fail): readonly YamlNode[] {
  if (node.kind === 'seq') return node.items
  fail('a sequence is expected', node)
  return []
}

function textOf(node: YamlNode, fail: Fail): string {
  if (node.kind === 'scalar' && !node.isNull) return node.text
  fail('a text is expected', node)
  return ''
}
