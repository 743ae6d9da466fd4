import type { Template, TemplateResource } from './synthesise.ts'

interface ParametrisedTemplate extends Template {
  readonly Parameters?: Readonly<Record<string, { readonly Default?: string }>>
  readonly Conditions?: Readonly<Record<string, unknown>>
}

/**
 * What CloudFormation makes of a template with these parameters (`AWS::Region` and its like among them):
 * functions and conditions are worked out, what only a deployment knows stays. Throws on a parameter
 * that is not given.
 */
export function resolveTemplate(
  template: Template,
  given: Readonly<Record<string, string>>,
): Template {
  const {
    Parameters = {},
    Conditions = {},
    Resources,
    Outputs = {},
  } = template as ParametrisedTemplate
  const values = new Map(Object.entries(given))
  for (const [name, { Default }] of Object.entries(Parameters)) {
    if (values.has(name)) continue
    if (Default === undefined) throw new Error(`the parameter ${name} is not given`)
    values.set(name, Default)
  }
  const isTrue = (condition: string): boolean => Boolean(resolve(Conditions[condition]))
  const resolve = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolve)
    if (value === null || typeof value !== 'object') return value
    const [[key, argument] = ['', undefined], ...more] = Object.entries(value)
    if (more.length === 0) {
      const known = functions(key, argument)
      if (known !== undefined) return known.value
    }
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, resolve(one)]))
  }
  const functions = (key: string, argument: unknown): { value: unknown } | undefined => {
    const list = () => argument as unknown[]
    switch (key) {
      case 'Ref': {
        const value = values.get(argument as string)
        return value === undefined ? undefined : { value }
      }
      case 'Fn::Join': {
        const [between, parts] = resolve(argument) as [string, unknown[]]
        if (parts.every((part) => typeof part === 'string')) return { value: parts.join(between) }
        return { value: { 'Fn::Join': [between, merged(parts, between)] } }
      }
      case 'Fn::Split': {
        const [between, text] = resolve(argument) as [string, string]
        return { value: text.split(between) }
      }
      case 'Fn::Select': {
        const [at, all] = resolve(argument) as [number, unknown[]]
        return { value: all[Number(at)] }
      }
      case 'Fn::If': {
        const [condition, yes, no] = list()
        return { value: resolve(isTrue(condition as string) ? yes : no) }
      }
      case 'Fn::Equals': {
        const [a, b] = resolve(argument) as unknown[]
        return { value: a === b }
      }
      case 'Fn::Not':
        return { value: !resolve(list()[0]) }
      default:
        return undefined
    }
  }
  const resources = Object.entries(Resources).flatMap(([id, { Condition, ...resource }]) =>
    Condition === undefined || isTrue(Condition as string)
      ? [[id, resolve(resource) as TemplateResource]]
      : [],
  )
  return {
    Resources: Object.fromEntries(resources),
    Outputs: resolve(Outputs) as NonNullable<Template['Outputs']>,
  }
}

/** Texts beside each other as one, when nothing is between them. */
function merged(parts: readonly unknown[], between: string): unknown[] {
  if (between !== '') return [...parts]
  const found: unknown[] = []
  for (const part of parts) {
    const last = found.at(-1)
    if (typeof part === 'string' && typeof last === 'string') found[found.length - 1] = last + part
    else found.push(part)
  }
  return found
}
