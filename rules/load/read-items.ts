import type { Context, SourceFile } from './diagnostic.ts'
import { makeDiagnostic } from './diagnostic.ts'
import type { Change, Item, ListItem, MacroItem, VersionItem } from './items.ts'
import { NodeReader, type Report } from './node-reader.ts'
import { readPlugins } from './read-plugins.ts'
import { readRule } from './read-rule.ts'
import { parseUnsigned, parseVersion } from './values.ts'
import { readYaml, type YamlMap, type YamlNode } from './yaml-tree.ts'

/** The items of a rules file. All mistakes of shape are reported; items that have one are left out. */
export function readItems(file: SourceFile, report: Report): Item[] {
  const context: Context = {
    type: 'rules content',
    name: '',
    place: { file, at: 0, end: 0 },
  }
  const { documents, problems } = readYaml(file)
  for (const { message, place } of problems) {
    report(makeDiagnostic('LOAD_ERR_YAML_PARSE', message, place, context))
  }
  return documents.flatMap((document) => readDocument(document, context, report))
}

function readDocument(document: YamlNode, context: Context, report: Report): Item[] {
  if (document.kind === 'scalar' && document.isNull) return []
  const fail = (message: string, node: YamlNode) => {
    report(makeDiagnostic('LOAD_ERR_YAML_VALIDATE', message, node.place, context))
  }
  if (document.kind !== 'seq') {
    fail('a rules file is a sequence of items', document)
    return []
  }
  const items: Item[] = []
  for (const node of document.items) {
    if (node.kind === 'scalar' && node.isNull) continue
    if (node.kind !== 'map') {
      fail('an item is a map of keys and values', node)
      continue
    }
    const item = readItem(node, context, report)
    if (item !== undefined) items.push(item)
  }
  return items
}

function readItem(map: YamlMap, parent: Context, report: Report): Item | undefined {
  const reader = (type: string, name: string) =>
    new NodeReader(map, { parent, type, name, place: map.place }, report)
  const nameOf = (key: string) => {
    const node = map.get(key)
    return node?.kind === 'scalar' ? node.text : ''
  }
  if (map.get('required_engine_version')) return readVersion(reader('required_engine_version', ''))
  if (map.get('required_plugin_versions')) {
    return readPlugins(reader('required plugin versions', ''))
  }
  if (map.get('list')) return readList(reader('list', nameOf('list')))
  if (map.get('macro')) return readMacro(reader('macro', nameOf('macro')))
  if (map.get('rule')) return readRule(reader('rule', nameOf('rule')))
  const known = ['rule', 'macro', 'list', 'required_engine_version', 'required_plugin_versions']
  const [entry] = map.entries
  const unknown = reader('rules content item', '')
  const message = `an item begins with one of ${known.join(', ')}; this one is left out`
  unknown.warn('LOAD_UNKNOWN_ITEM', message, entry?.keyPlace ?? map.place)
  return undefined
}

function readVersion(reader: NodeReader): VersionItem | undefined {
  const node = reader.required('required_engine_version')
  if (node === undefined) return undefined
  const number = parseUnsigned(node.text)
  const version = number === undefined ? parseVersion(node.text) : ([0, number, 0] as const)
  if (version === undefined) {
    return reader.invalid(
      `"${node.text}" is no engine version: a number or x.y.z is expected`,
      node.place,
    )
  }
  reader.unknownKeys(['required_engine_version'])
  return { kind: 'version', version, place: node.place, context: reader.context }
}

function readList(reader: NodeReader): ListItem | undefined {
  reader.unknownKeys(['list', 'items', 'append', 'override'])
  const name = reader.required('list')
  if (!reader.has('items')) reader.invalid('items is missing', reader.context.place)
  const items = reader.texts('items', 'list item')
  const append = readAppend(reader)
  const override = readOverride(reader, { append: ['items'], replace: ['items'] })
  if (reader.failed || name === undefined || items === undefined) return undefined
  if (!/^[^()"'\s=,]+$/.test(name.text)) {
    reader.warn(
      'LOAD_INVALID_LIST_NAME',
      `no condition can mention a list called "${name.text}": blanks, quotes, parentheses, "=" and "," end a name`,
      name.place,
    )
  }
  return {
    kind: 'list',
    name: name.text,
    namePlace: name.place,
    append,
    override,
    items: items.map(({ text, place }) => ({ text, place })),
    context: reader.context,
  }
}

function readMacro(reader: NodeReader): MacroItem | undefined {
  reader.unknownKeys(['macro', 'condition', 'append', 'override'])
  const name = reader.required('macro')
  const condition = reader.required('condition')
  const append = readAppend(reader)
  const override = readOverride(reader, { append: ['condition'], replace: ['condition'] })
  if (reader.failed || name === undefined || condition === undefined) return undefined
  if (!/^[a-zA-Z][a-zA-Z0-9_]*$/.test(name.text)) {
    reader.warn(
      'LOAD_INVALID_MACRO_NAME',
      `no condition can mention a macro called "${name.text}": only letters, digits and "_" make a name`,
      name.place,
    )
  }
  return {
    kind: 'macro',
    name: name.text,
    namePlace: name.place,
    append,
    override,
    condition: condition.sourced(),
    conditionContext: reader.within('macro condition', condition),
    context: reader.context,
  }
}

/** `append: true`, with the warning that it is going to disappear. */
export function readAppend(reader: NodeReader): boolean {
  if (reader.bool('append') !== true) return false
  const message = '"append" is deprecated: use "override"'
  reader.warn('LOAD_DEPRECATED_ITEM', message, reader.place('append'))
  return true
}

/** Which keys an item can append to or replace. */
export interface Overridable {
  readonly append: readonly string[]
  readonly replace: readonly string[]
}

/** The keys under `override`; `undefined` when there is none. */
export function readOverride(
  reader: NodeReader,
  allowed: Overridable,
): ReadonlyMap<string, Change> | undefined {
  const node = reader.map.get('override')
  // Nothing under the key is as good as no key.
  if (node === undefined || (node.kind === 'scalar' && node.isNull)) return undefined
  if (node.kind === 'map' && node.entries.length === 0) return undefined
  const context = reader.within('overrides', node)
  if (node.kind !== 'map') {
    return reader.invalid(
      'override must be a map of keys to append or replace',
      node.place,
      context,
    )
  }
  const changes = new Map<string, Change>()
  for (const { key, keyPlace, value } of node.entries) {
    const change = value.kind === 'scalar' ? value.text : ''
    if (change !== 'append' && change !== 'replace') {
      reader.invalid(`${key} can be overridden by append or replace only`, value.place, context)
    } else if (!allowed[change].includes(key)) {
      const choice = allowed[change].join(', ')
      const verb = change === 'append' ? 'appended to' : 'replaced'
      reader.invalid(`${key} cannot be ${verb}: only ${choice} can`, keyPlace, context)
    } else if (!reader.has(key)) {
      reader.invalid(`override names ${key}, but the item does not give it`, keyPlace, context)
    } else {
      changes.set(key, change)
    }
  }
  for (const key of new Set([...allowed.append, ...allowed.replace])) {
    if (!reader.has(key) || changes.has(key) || node.get(key) !== undefined) continue
    reader.invalid(`${key} is given, but override does not name it`, reader.place(key), context)
  }
  if (reader.map.get('append') !== undefined && reader.bool('append') === true) {
    reader.invalid('override and append exclude each other', node.place, context)
  }
  return changes
}
