import { CfnCondition, CfnOutput, CfnParameter, Fn, Stack, type StackProps } from 'aws-cdk-lib'
import { RegionInfo } from 'aws-cdk-lib/region-info'
import type { Construct } from 'constructs'
import { endpointServices } from '../endpoints.ts'
import { addClusterAccess } from './cluster-access.ts'
import { addClusterOutputs } from './cluster-outputs.ts'

export interface ClusterTemplateProps extends StackProps {
  readonly installation: string
  readonly stream: string
  readonly fips: boolean
  /** Home account and region, when they are known: then only the cluster's name has to be given. */
  readonly home?: { readonly account: string; readonly region: string }
  readonly risks: readonly string[]
}

/**
 * The same as a cluster's own stack, once for any cluster: its parameters say which. For StackSets and
 * for Terraform, which apply it to many clusters and accounts.
 */
export class ClusterTemplate extends Stack {
  constructor(scope: Construct, id: string, props: ClusterTemplateProps) {
    super(scope, id, props)
    const { installation, stream, fips, home, risks } = props
    // defaults of parameters are texts: the partition is known by the region
    const partition = RegionInfo.get(home?.region ?? '').partition ?? 'aws'
    const arn = (service: string, region: string, rest: string) =>
      `arn:${partition}:${service}:${region}:${home?.account}:${rest}`
    const cluster = this.#text('ClusterName', 'Name of the cluster in EKS', {
      allowedPattern: '^[A-Za-z0-9][A-Za-z0-9_-]*$',
      // names of roles have 64 characters
      maxLength: 64 - `${installation}-respond-destroy-`.length,
    })
    const name = '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'
    const namespace = this.#text('Namespace', 'Namespace of the collector', {
      ...{ default: 'lanner', allowedPattern: name },
    })
    const serviceAccount = this.#text('ServiceAccount', 'Its service account', {
      ...{ default: 'lanner', allowedPattern: name },
    })
    const streamArn = this.#text('StreamArn', 'The stream that nodes write to', {
      ...(home !== undefined && { default: arn('kinesis', home.region, `stream/${stream}`) }),
      allowedPattern: '^arn:[a-z-]+:kinesis:[a-z0-9-]+:[0-9]{12}:stream/[A-Za-z0-9_.-]+$',
    })
    const responderArn = this.#text('ResponderRoleArn', 'The role of the function that responds', {
      ...(home !== undefined && { default: arn('iam', '', `role/${installation}-respond`) }),
      allowedPattern: '^arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$',
    })
    const given = this.#text('ExternalId', 'Empty: INSTALLATION:CLUSTER', {
      ...{ default: '', allowedPattern: '^[A-Za-z0-9+=,.@:/_-]{0,200}$' },
    })
    const hasOwn = new CfnCondition(this, 'HasExternalId', {
      expression: Fn.conditionNot(Fn.conditionEquals(given, '')),
    })
    const partOf = (at: number) => Fn.select(at, Fn.split(':', streamArn))
    const [homeRegion, homeAccount] = [partOf(3), partOf(4)]
    addClusterAccess(this, {
      ...{ installation, cluster, namespace, serviceAccount, homeAccount, homeRegion },
      ...{ streamArn, responderArn },
      externalId: Fn.conditionIf(hasOwn.logicalId, given, `${installation}:${cluster}`).toString(),
      risks: risks.map((risk) => ({ risk, condition: this.#choice(risk) })),
    })
    const isHome = new CfnCondition(this, 'IsHomeAccount', {
      expression: Fn.conditionEquals(this.account, homeAccount),
    })
    const streamName = Fn.select(1, Fn.split('/', streamArn))
    addClusterOutputs(this, {
      ...{ cluster, namespace, serviceAccount, homeRegion, fips },
      stream: Fn.conditionIf(isHome.logicalId, streamName, streamArn).toString(),
    })
    this.#endpoints(homeRegion, fips)
  }

  #text(id: string, description: string, more: object): string {
    return new CfnParameter(this, id, { type: 'String', description, ...more }).valueAsString
  }

  /** Whether responses of a class may act in the cluster: not unless it is said. */
  #choice(risk: string): CfnCondition {
    const title = `${risk.slice(0, 1).toUpperCase()}${risk.slice(1)}`
    const parameter = new CfnParameter(this, `Respond${title}`, {
      type: 'String',
      description: `Responses of the class ${risk} may act in the cluster`,
      ...{ default: 'false', allowedValues: ['true', 'false'] },
    })
    return new CfnCondition(this, `May${title}`, {
      expression: Fn.conditionEquals(parameter.valueAsString, 'true'),
    })
  }

  #endpoints(homeRegion: string, fips: boolean): void {
    const { region } = this
    const isHome = new CfnCondition(this, 'IsHomeRegion', {
      expression: Fn.conditionEquals(region, homeRegion),
    })
    const services = (home: string) =>
      Fn.join(', ', endpointServices({ region, homeRegion: home, fips }).slice())
    new CfnOutput(this, 'VpcEndpoints', {
      description: 'Services that nodes without a way to the internet need an endpoint for',
      value: Fn.conditionIf(isHome.logicalId, services(region), services('')).toString(),
    })
  }
}
