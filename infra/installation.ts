import { App, Aws, BootstraplessSynthesizer, type IStackSynthesizer, Tags } from 'aws-cdk-lib'
import { Code } from 'aws-cdk-lib/aws-lambda'
import type { StageContract } from '../lambdas/shared/contract.ts'
import { bundleHandlers } from './bundle.ts'
import type { ClusterConfig, LannerConfig } from './config.ts'
import { accountsElsewhere, clusterStackName } from './config-limits.ts'
import { ClusterTemplate } from './stages/cluster-template.ts'
import { OnboardingStack } from './stages/clusters.ts'
import { DataKeys } from './stages/data-keys.ts'
import { MadeResources } from './stages/made.ts'
import { admitMemberAccounts } from './stages/member-accounts.ts'
import { OperationsStack } from './stages/operations-stack.ts'
import type { PartContext } from './stages/part-context.ts'
import { PartStack } from './stages/part-stack.ts'
import { explainWildcards } from './stages/wildcards.ts'
import { topologyMistakes } from './topology/check.ts'
import { mergeParts, type PartName, parts, topology } from './topology/index.ts'

/** The stacks of an installation. */
export interface Installation {
  readonly parts: Readonly<Partial<Record<PartName, PartStack>>>
  readonly operations: OperationsStack
  readonly clusters: readonly OnboardingStack[]
  readonly context: PartContext
}

/** Puts everything that the configuration asks for into an app. Throws when the topology has a mistake. */
export async function makeInstallation(app: App, config: LannerConfig): Promise<Installation> {
  const stages = topology.functions.map(({ stage }) => stage)
  const contracts = await readContracts(stages)
  const mistakes = topologyMistakes(topology, contracts)
  if (mistakes.length > 0) throw new Error(`infra/topology:\n  ${mistakes.join('\n  ')}`)
  const bundles = bundleHandlers(stages)
  const context: PartContext = {
    ...{ config, topology, keys: new DataKeys(config.name, config.keepData) },
    made: new MadeResources(),
  }
  const env = {
    ...(config.account !== undefined && { account: config.account }),
    ...(config.region !== undefined && { region: config.region }),
  }
  const made: Partial<Record<PartName, PartStack>> = {}
  for (const [name, part] of Object.entries(parts)) {
    if (name === 'response' && !config.response) continue
    if (part.functions.length === 0 && Object.keys(part.resources).length === 0) continue
    const stack = new PartStack(app, `${config.name}-${name}`, {
      ...{ env, part, context, contracts, description: `Lanner: ${name}` },
      terminationProtection: config.keepData,
      code: (stage) => Code.fromAsset(bundles[stage]!.directory),
    })
    made[name as PartName] = stack
    if (name === 'pipeline') admitMemberAccounts(stack, accountsElsewhere(config), context)
  }
  const deployed = Object.keys(made) as PartName[]
  const live = mergeParts(deployed)
  const operations = new OperationsStack(app, `${config.name}-operations`, {
    ...{ env, context, topology: live, description: 'Lanner: dashboard and alarms' },
  })
  const clusters = config.clusters.map((cluster) => onboard(app, cluster, config))
  tag(app, config)
  explainWildcards(app)
  return { parts: made, operations, clusters, context }
}

/**
 * Writes the template for any cluster, whose parameters say which, into a directory of its own: it is not
 * one of the stacks that `cdk deploy --all` deploys.
 */
export function writeClusterTemplate(config: LannerConfig, outdir: string): ClusterTemplate {
  const app = new App({ outdir, analyticsReporting: false })
  const { name, account, region, fips } = config
  const stack = new ClusterTemplate(app, `${name}-cluster`, {
    description: 'Lanner: nodes of a cluster may write to the stream',
    synthesizer: new BootstraplessSynthesizer() as IStackSynthesizer,
    ...{ installation: name, stream: `${name}-stream`, fips, risks: clusterRisks },
    ...(account !== undefined && region !== undefined && { home: { account, region } }),
  })
  tag(app, config)
  explainWildcards(app)
  app.synth()
  return stack
}

function tag(app: App, config: LannerConfig): void {
  Tags.of(app).add('application', 'lanner')
  Tags.of(app).add('lanner:installation', config.name)
  for (const [key, value] of Object.entries(config.tags)) Tags.of(app).add(key, value)
}

/** A stack for one cluster; it may be in another account and region. */
function onboard(app: App, cluster: ClusterConfig, config: LannerConfig): OnboardingStack {
  const { name, namespace, serviceAccount } = cluster
  const [account, region] = [cluster.account ?? config.account, cluster.region ?? config.region]
  return new OnboardingStack(app, clusterStackName(config.name, name), {
    description: `Lanner: nodes of ${name} may write to the stream`,
    env: { ...(account !== undefined && { account }), ...(region !== undefined && { region }) },
    // No assets and no bootstrapped account: the template stands for itself.
    synthesizer: new BootstraplessSynthesizer() as IStackSynthesizer,
    ...{ installation: config.name, cluster: name, namespace, serviceAccount, fips: config.fips },
    homeAccount: config.account ?? Aws.ACCOUNT_ID,
    homeRegion: config.region ?? Aws.REGION,
    stream: `${config.name}-stream`,
    risks: config.response ? clusterRisks : [],
  })
}

/** Classes of responses that act through the Kubernetes API, as `lambdas/respond/cluster` binds them. */
const clusterRisks = ['read', 'mark', 'contain', 'destroy', 'node']

async function readContracts(
  stages: readonly string[],
): Promise<Readonly<Record<string, StageContract>>> {
  const read = stages.map(async (stage) => {
    const { contract } = (await import(`../lambdas/${stage}/contract.ts`)) as {
      contract: StageContract
    }
    return [stage, contract] as const
  })
  return Object.fromEntries(await Promise.all(read))
}
