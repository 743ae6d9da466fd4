import { positionOf, type SourceFile } from './diagnostic.ts'
import { parseBool } from './values.ts'
import { readYaml, type YamlMap, type YamlNode } from './yaml-tree.ts'

type Check = (node: YamlNode, path: string, fail: Fail) => void
type Fail = (path: string, reason: string, node: YamlNode) => void

/**
 * What Falco's JSON schema of rules files holds against a file, as `PATH: REASON (LINE:COLUMN)`.
 * Falco only says so: a file that does not fit loads all the same.
 */
export function checkSchema(file: SourceFile): string[] {
  const { documents, problems } = readYaml(file)
  if (problems.length > 0) return problems.map(({ message }) => `<root>: ${message}`)
  const found: string[] = []
  const fail: Fail = (path, reason, node) => {
    if (found.length >= most) return
    const { line, column } = positionOf(node.place)
    found.push(`${path}: ${reason} (${line}:${column})`)
  }
  for (const document of documents) {
    if (document.kind === 'scalar' && document.isNull) continue
    arrayOf(item)(document, '<root>', fail)
  }
  return found
}

/** A list of a million wrong items needs no million words. */
const most = 100

const text: Check = (node, path, fail) => {
  if (node.kind !== 'scalar') fail(path, 'a text is expected', node)
}

const bool: Check = (node, path, fail) => {
  if (node.kind === 'scalar' && parseBool(node.text) !== undefined) return
  fail(path, 'true or false is expected', node)
}

const integer: Check = (node, path, fail) => {
  if (node.kind === 'scalar' && /^-?(?:\d+|0x[0-9a-fA-F]+)$/.test(node.text)) return
  fail(path, 'a whole number is expected', node)
}

function oneOf(...words: readonly string[]): Check {
  return (node, path, fail) => {
    if (node.kind === 'scalar' && words.includes(node.text)) return
    fail(path, `one of ${words.join(', ')} is expected`, node)
  }
}

function arrayOf(check: Check): Check {
  return (node, path, fail) => {
    if (node.kind !== 'seq') {
      fail(path, 'an array is expected', node)
      return
    }
    for (const [i, member] of node.items.entries()) check(member, `${path}[${i}]`, fail)
  }
}

function objectOf(
  properties: Readonly<Record<string, Check>>,
  required: readonly string[] = [],
): Check {
  return (node, path, fail) => {
    if (node.kind === 'scalar' && node.isNull) return
    if (node.kind !== 'map') {
      fail(path, 'an object is expected', node)
      return
    }
    checkMembers(node, path, properties, fail)
    for (const key of required) {
      if (node.get(key) === undefined) fail(path, `"${key}" is missing`, node)
    }
  }
}

function checkMembers(
  node: YamlMap,
  path: string,
  properties: Readonly<Record<string, Check>>,
  fail: Fail,
): void {
  for (const { key, value } of node.entries) {
    if (!Object.hasOwn(properties, key)) fail(path, `there is no property "${key}"`, node)
    else properties[key]!(value, `${path}.${key}`, fail)
  }
}

const anything: Check = () => undefined
const change = oneOf('append', 'replace')
const plugin = { name: text, version: text }

const override: Check = (node, path, fail) => {
  objectOf({
    items: change,
    desc: change,
    condition: change,
    output: change,
    priority: change,
    enabled: change,
    exceptions: change,
    capture: change,
    capture_duration: change,
    tags: change,
    warn_evttypes: change,
    'skip-if-unknown-filter': change,
  })(node, path, fail)
  if (node.kind === 'map' && node.entries.length === 0) fail(path, 'it is empty', node)
}

/** One flat object for all kinds of items. */
const item = objectOf({
  required_engine_version: text,
  required_plugin_versions: arrayOf(
    objectOf({ ...plugin, alternatives: arrayOf(objectOf(plugin, ['name', 'version'])) }, [
      'name',
      'version',
    ]),
  ),
  macro: text,
  condition: text,
  list: text,
  items: arrayOf(text),
  rule: text,
  desc: text,
  enabled: bool,
  output: text,
  append: bool,
  priority: oneOf(
    ...['EMERGENCY', 'ALERT', 'CRITICAL', 'ERROR', 'WARNING', 'NOTICE'],
    ...['INFO', 'INFORMATIONAL', 'DEBUG'],
  ),
  capture: bool,
  capture_duration: integer,
  source: text,
  exceptions: arrayOf(
    objectOf({ name: text, fields: anything, comps: anything, values: anything }, ['name']),
  ),
  override,
  tags: arrayOf(text),
  warn_evttypes: bool,
  'skip-if-unknown-filter': bool,
})
