import type { Context } from './diagnostic.ts'
import type { PluginRequirement, PluginsItem } from './items.ts'
import type { NodeReader } from './node-reader.ts'
import { parseVersion } from './values.ts'
import type { YamlNode } from './yaml-tree.ts'

/** `required_plugin_versions`, with the plugins that may stand in for each. */
export function readPlugins(reader: NodeReader): PluginsItem | undefined {
  reader.unknownKeys(['required_plugin_versions'])
  const seq = reader.seq('required_plugin_versions')
  if (seq === undefined) return undefined
  const requirements: PluginsItem['requirements'][number][] = []
  for (const node of seq.items) {
    const context = reader.within('required plugin versions entry', node)
    const primary = readRequirement(reader, node, context)
    if (primary === undefined || node.kind !== 'map') continue
    const alternatives = node.get('alternatives')
    const anyOf = [primary]
    if (alternatives !== undefined && alternatives.kind !== 'seq') {
      reader.invalid('alternatives must be a sequence', alternatives.place, context)
    }
    for (const item of alternatives?.kind === 'seq' ? alternatives.items : []) {
      const within: Context = {
        parent: context,
        type: 'required plugin versions alternative',
        name: '',
        place: item.place,
      }
      const alternative = readRequirement(reader, item, within)
      if (alternative === undefined) continue
      if (anyOf.some(({ name }) => name === alternative.name)) {
        const message = `the plugin ${alternative.name} is named twice`
        reader.error('LOAD_ERR_VALIDATE', message, item.place, within)
      }
      anyOf.push(alternative)
    }
    requirements.push({ place: node.place, context, anyOf })
  }
  return { kind: 'plugins', requirements, context: reader.context }
}

function readRequirement(
  reader: NodeReader,
  node: YamlNode,
  context: Context,
): PluginRequirement | undefined {
  if (node.kind !== 'map') {
    return reader.invalid('a plugin requirement is a map of name and version', node.place, context)
  }
  const entry = reader.nested(node, context)
  const name = entry.required('name')
  const version = entry.required('version')
  if (name === undefined || version === undefined) return undefined
  const parsed = parseVersion(version.text)
  if (parsed !== undefined) return { name: name.text, version: version.text, parsed }
  const message = `"${version.text}" is no version: x.y.z is expected`
  return reader.error('LOAD_ERR_VALIDATE', message, version.place, context)
}
