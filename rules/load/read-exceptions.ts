import type { Context } from './diagnostic.ts'
import type { ExceptionItem, ExceptionScalar, ExceptionValue, OneOrMany } from './items.ts'
import type { NodeReader } from './node-reader.ts'
import type { YamlNode, YamlScalar } from './yaml-tree.ts'

/** The exceptions of a rule; `undefined` when there are none. */
export function readExceptions(reader: NodeReader): ExceptionItem[] | undefined {
  const node = reader.map.get('exceptions')
  if (node === undefined || (node.kind === 'scalar' && node.isNull)) return undefined
  const context = reader.within('exceptions', node)
  if (node.kind !== 'seq')
    return reader.invalid('exceptions must be a sequence', node.place, context)
  const exceptions: ExceptionItem[] = []
  for (const item of node.items) {
    const exception = readException(reader, item, context)
    if (exception !== undefined) exceptions.push(exception)
  }
  return exceptions
}

function readException(
  reader: NodeReader,
  node: YamlNode,
  parent: Context,
): ExceptionItem | undefined {
  if (node.kind !== 'map') {
    return reader.invalid(
      'an exception is a map of name, fields, comps and values',
      node.place,
      parent,
    )
  }
  const nameNode = node.get('name')
  const label = nameNode?.kind === 'scalar' ? nameNode.text : ''
  const context: Context = { parent, type: 'exception', name: label, place: node.place }
  const entry = reader.nested(node, context)
  entry.unknownKeys(['name', 'fields', 'comps', 'values'])
  const name = entry.required('name')
  const fields = readOneOrMany(entry, 'fields')
  const comps = readOneOrMany(entry, 'comps')
  const values = readValues(entry)
  if (entry.failed) reader.failed = true
  if (entry.failed || name === undefined) return undefined
  return { name: name.text, place: name.place, context, fields, comps, values }
}

function readOneOrMany(reader: NodeReader, key: string): OneOrMany | undefined {
  const node = reader.map.get(key)
  if (node === undefined) return undefined
  if (node.kind === 'seq') return reader.texts(key, 'value for')?.map(exceptionScalar)
  const text = reader.text(key)
  return text === undefined ? undefined : exceptionScalar(text)
}

function exceptionScalar(node: YamlScalar): ExceptionScalar {
  return { text: node.text, sourced: node.sourced(), place: node.place }
}

function readValues(reader: NodeReader): ExceptionValue[] | undefined {
  const node = reader.map.get('values')
  if (node === undefined) return undefined
  if (node.kind !== 'seq') {
    return reader.invalid(
      'values must be a sequence',
      node.place,
      reader.within('exception values', node),
    )
  }
  const values = node.items.map((item) => readValue(reader, item))
  return values.filter((value) => value !== undefined)
}

function readValue(reader: NodeReader, node: YamlNode, depth = 0): ExceptionValue | undefined {
  const context = reader.within('exception value', node)
  if (node.kind === 'map')
    return reader.invalid('a value is a text or a sequence', node.place, context)
  if (node.kind === 'scalar') {
    return node.isNull
      ? reader.invalid('a value must not be empty', node.place, context)
      : exceptionScalar(node)
  }
  if (depth > 2) return reader.invalid('values are nested too deep', node.place, context)
  const items = node.items.map((item) => readValue(reader, item, depth + 1))
  return { items: items.filter((item) => item !== undefined), place: node.place }
}
