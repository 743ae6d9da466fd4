/** A value of a template as one text, with what CloudFormation fills in between < and >. */
export function flat(value: unknown): string {
  if (typeof value === 'string') return value
  if (value === null || typeof value !== 'object') return String(value)
  const {
    Ref,
    'Fn::GetAtt': attribute,
    'Fn::Join': join_,
    'Fn::ImportValue': imported,
  } = value as Record<string, never>
  if (Ref !== undefined) return `<${Ref}>`
  if (attribute !== undefined) return `<${(attribute as string[]).join('.')}>`
  if (imported !== undefined) return `<${flat(imported)}>`
  if (join_ === undefined) return JSON.stringify(value)
  const [between, parts] = join_ as [string, unknown[]]
  return parts.map(flat).join(between)
}
