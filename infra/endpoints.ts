/**
 * Endpoints that the VPC of a cluster needs when its nodes reach no internet: the stream, when it is in
 * the same region (an interface endpoint leads to its own region alone), and the credentials of pods.
 */
export function endpointServices(place: {
  readonly region: string
  readonly homeRegion: string
  readonly fips: boolean
}): readonly string[] {
  const { region, homeRegion, fips } = place
  const kinesis = fips ? 'kinesis-streams-fips' : 'kinesis-streams'
  const stream = region === homeRegion ? [`com.amazonaws.${region}.${kinesis}`] : []
  return [...stream, `com.amazonaws.${region}.eks-auth`]
}

/**
 * Endpoints that functions inside a network need when it leads to no internet: one for each service that
 * they may call. Those of DynamoDB and S3 may be gateways, which cost nothing.
 */
export function functionEndpointServices(
  { region, fips }: { readonly region: string; readonly fips: boolean },
  actions: readonly string[],
): string[] {
  const services = new Set(actions.map((action) => action.slice(0, action.indexOf(':'))))
  return [...services].sort().map((service) => {
    const isFips = fips && servicesWithFips.has(service)
    return `com.amazonaws.${region}.${service}${isFips ? '-fips' : ''}`
  })
}

/** Of the services that functions call, those whose interface endpoints have a FIPS name too. */
const servicesWithFips = new Set(['dynamodb', 'sqs', 'sts'])
