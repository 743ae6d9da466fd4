import type { Topology } from '../topology/types.ts'
import { flat, type Template, type TemplateResource } from './synthesise.ts'

export type Properties = Readonly<Record<string, unknown>>
/** A resource with its values as texts: what is named in the topology stands as `<name.Attribute>`. */
export interface Read {
  readonly stack: string
  readonly id: string
  readonly type: string
  readonly properties: Properties
}

/** Of resources that are looked at again, in templates that differ elsewhere. */
const readBefore = new WeakMap<TemplateResource, Properties>()

/** All resources of templates, read with the names that the topology has for them. */
export function readTemplates(
  templates: Readonly<Record<string, Template>>,
  topology: Topology,
): readonly Read[] {
  const names = new Map(
    Object.keys(topology.resources)
      .flatMap((name) => [name, `${name}-dead`])
      .map((name) => [name.replaceAll('-', ''), name]),
  )
  const exported = new Map<string, string>()
  const nameOf = (id: string) => names.get(id.replace(/[0-9A-F]{8}$/, '')) ?? id
  const text = (value: unknown): string =>
    flat(value).replaceAll(/<([^<>]+)>/g, (_, inside: string) => {
      if (exported.has(inside)) return exported.get(inside)!
      const [id = '', ...attribute] = inside.split('.')
      return `<${[nameOf(id), ...attribute].join('.')}>`
    })
  for (const { Outputs = {} } of Object.values(templates)) {
    for (const { Value, Export } of Object.values(Outputs) as {
      Value: unknown
      Export?: { Name: unknown }
    }[]) {
      if (Export !== undefined) exported.set(flat(Export.Name), text(Value))
    }
  }
  const read = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(read)
    if (value === null || typeof value !== 'object') return value
    const isFunction = Object.keys(value).some((key) => key === 'Ref' || key.startsWith('Fn::'))
    if (isFunction) return text(value)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, read(one)]))
  }
  const known = (resource: TemplateResource): Properties => {
    const before = readBefore.get(resource)
    if (before !== undefined) return before
    const properties = read(resource.Properties) as Properties
    readBefore.set(resource, properties)
    return properties
  }
  return Object.entries(templates).flatMap(([stack, { Resources }]) =>
    Object.entries(Resources).map(([id, resource]: [string, TemplateResource]) => ({
      ...{ stack, id, type: resource.Type, properties: known(resource) },
    })),
  )
}
