/** A template, as far as it is looked into. */
export interface FreeTemplate {
  readonly Parameters?: Readonly<Record<string, object>>
  readonly Rules?: Readonly<Record<string, object>>
  readonly Resources: Readonly<
    Record<
      string,
      { readonly Type: string; readonly Properties?: Readonly<Record<string, unknown>> }
    >
  >
}

/** Name of the parameter for the bucket that functions are taken from. */
export const bucketParameter = 'AssetsBucket'

/**
 * A template that needs no account prepared by `cdk bootstrap`: functions come from the bucket that a
 * parameter names, and nothing asks for the version of what bootstrapping made. Also the keys of the
 * objects that must lie in the bucket.
 */
export function freeOfBootstrap(template: FreeTemplate): {
  readonly free: FreeTemplate
  readonly keys: readonly string[]
} {
  const { BootstrapVersion: _, ...parameters } = template.Parameters ?? {}
  const { CheckBootstrapVersion: __, ...rules } = template.Rules ?? {}
  const keys: string[] = []
  const resources = Object.entries(template.Resources).map(([id, resource]) => {
    if (resource.Type !== 'AWS::Lambda::Function') return [id, resource]
    const { S3Key } = (resource.Properties as { readonly Code: { readonly S3Key: string } }).Code
    keys.push(S3Key)
    const Code = { S3Bucket: { Ref: bucketParameter }, S3Key }
    return [id, { ...resource, Properties: { ...resource.Properties, Code } }]
  })
  const asked = {
    [bucketParameter]: {
      Type: 'String',
      Description: 'Bucket that the zipped functions lie in, in the same region',
      AllowedPattern: '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$',
    },
  }
  const all = keys.length === 0 ? parameters : { ...parameters, ...asked }
  const { Parameters: ___, Rules: ____, ...rest } = template
  return {
    free: {
      ...rest,
      ...(Object.keys(all).length > 0 && { Parameters: all }),
      ...(Object.keys(rules).length > 0 && { Rules: rules }),
      Resources: Object.fromEntries(resources),
    },
    keys,
  }
}
