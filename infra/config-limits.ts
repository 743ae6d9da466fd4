import type { ClusterConfig, LannerConfig } from './config.ts'

/** Bytes that a list may take of the 4 KB that all variables of a function have. */
export const listBytes = 2816

/** Accounts that fit into the policy of the stream, which has 20 KB. */
export const mostAccounts = 450

/** Name of a cluster's stack: CloudFormation takes letters, digits and dashes, EKS the underscore too. */
export function clusterStackName(installation: string, cluster: string): string {
  return `${installation}-cluster-${cluster.replaceAll('_', '-')}`
}

/** Accounts other than the home one whose clusters may write, each once. */
export function accountsElsewhere(
  config: Pick<LannerConfig, 'account' | 'clusters' | 'memberAccounts'>,
): readonly string[] {
  const accounts = new Set(config.memberAccounts)
  for (const { account } of config.clusters) if (account !== undefined) accounts.add(account)
  if (config.account !== undefined) accounts.delete(config.account)
  return [...accounts]
}

/**
 * What a configuration asks for that AWS does not take, although each setting is of its form: names that
 * become the same, lists that are too long, endpoints that there are not.
 */
export function limitMistakes(config: LannerConfig): readonly string[] {
  const names = config.clusters.map(({ name }) => name)
  return [
    ...sameStacks(config.name, names),
    ...tooLong('clusters', 'their names', names),
    ...tooLong('approvers', 'they', config.approvers),
    ...tooManyAccounts(accountsElsewhere(config)),
    ...(config.fips ? withoutFips(config) : []),
  ]
}

function sameStacks(installation: string, clusters: readonly string[]): readonly string[] {
  const byStack = Map.groupBy(new Set(clusters), (name) => clusterStackName(installation, name))
  return [...byStack]
    .filter(([, same]) => same.length > 1)
    .map(([stack, same]) => `clusters: ${same.join(' and ')} would both be the stack ${stack}`)
}

function tooLong(setting: string, what: string, list: readonly string[]): readonly string[] {
  const bytes = Buffer.byteLength(list.join(','))
  if (bytes <= listBytes) return []
  const hint =
    setting === 'clusters'
      ? '; apply the template for any cluster to some of them, and name their accounts in memberAccounts'
      : '; `*` stands for any text'
  return [
    `${setting}: ${what} take ${bytes} bytes of ${listBytes} that functions have for them${hint}`,
  ]
}

function tooManyAccounts({ length }: readonly string[]): readonly string[] {
  if (length <= mostAccounts) return []
  return [
    `memberAccounts: ${length} accounts with those of clusters; the stream's policy holds ${mostAccounts}`,
  ]
}

/** Regions whose services all have FIPS endpoints: of the US, Canada and GovCloud. */
const withFips = /^(us|ca)-/

function withoutFips({ region, clusters }: LannerConfig): readonly string[] {
  if (region === undefined) return ['fips: then the home region must be set']
  const isWithout = (one: ClusterConfig) => one.region !== undefined && !withFips.test(one.region)
  return [
    ...(withFips.test(region)
      ? []
      : [`fips: ${region} has no FIPS endpoints; us-*, ca-* and us-gov-* have`]),
    ...clusters.flatMap((one) =>
      isWithout(one) ? [`fips: ${one.name} is in ${one.region}, which has no FIPS endpoints`] : [],
    ),
  ]
}
