import { CfnOutput, Fn, Stack, type StackProps } from 'aws-cdk-lib'
import { CfnAccessEntry, CfnPodIdentityAssociation } from 'aws-cdk-lib/aws-eks'
import {
  AccountPrincipal,
  PolicyStatement,
  PrincipalWithConditions,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'
import { endpointServices } from '../endpoints.ts'

export interface OnboardingProps extends StackProps {
  /** Begins the names of the installation. */
  readonly installation: string
  readonly cluster: string
  readonly namespace: string
  readonly serviceAccount: string
  /** Where the stream is. */
  readonly homeAccount: string
  readonly homeRegion: string
  readonly stream: string
  readonly fips: boolean
  /** Classes of responses that may act in the cluster, each as a group of its own; none when it only watches. */
  readonly risks: readonly string[]
}

/**
 * What one cluster needs in its account: nodes that may put records into one stream. Nothing here
 * reaches into the cluster: what must be there is an output, for Helm and Git. It refers to no other
 * stack, so that Terraform and StackSets can apply its template as it is.
 */
export class OnboardingStack extends Stack {
  constructor(scope: Construct, id: string, props: OnboardingProps) {
    super(scope, id, props)
    const { installation, cluster, namespace, serviceAccount } = props
    const { homeAccount, homeRegion, stream } = props
    const role = new Role(this, 'collector', {
      roleName: `${installation}-collector-${cluster}`,
      description: `Nodes of ${cluster} put batches into ${stream}`,
      assumedBy: new ServicePrincipal('pods.eks.amazonaws.com', {
        conditions: {
          StringEquals: {
            'aws:SourceAccount': this.account,
            'aws:RequestTag/eks-cluster-name': cluster,
            'aws:RequestTag/kubernetes-namespace': namespace,
            'aws:RequestTag/kubernetes-service-account': serviceAccount,
          },
        },
      }).withSessionTags(),
    })
    const home = (service: string, rest: string) =>
      `arn:${this.partition}:${service}:${homeRegion}:${homeAccount}:${rest}`
    role.addToPolicy(
      new PolicyStatement({
        actions: ['kinesis:PutRecords'],
        resources: [home('kinesis', `stream/${stream}`)],
      }),
    )
    role.addToPolicy(
      new PolicyStatement({
        actions: ['kms:GenerateDataKey'],
        resources: [home('kms', 'key/*')],
        conditions: {
          StringEquals: { 'kms:ViaService': `kinesis.${homeRegion}.${this.urlSuffix}` },
          'ForAnyValue:StringEquals': {
            'kms:ResourceAliases': `alias/${installation}/telemetry`,
          },
        },
      }),
    )
    new CfnPodIdentityAssociation(this, 'pods', {
      ...{ clusterName: cluster, namespace, serviceAccount, roleArn: role.roleArn },
    })
    for (const risk of props.risks) this.#responder(risk, props)
    this.#outputs(props)
  }

  /** The responder of the home account becomes this role, and Kubernetes knows it as a group. */
  #responder(risk: string, { installation, cluster, homeAccount }: OnboardingProps): void {
    const responder = `arn:${this.partition}:iam::${homeAccount}:role/${installation}-respond`
    const role = new Role(this, `respond-${risk}-role`, {
      roleName: `${installation}-respond-${risk}-${cluster}`,
      description: `Responses of the class ${risk} in ${cluster}`,
      externalIds: [`${installation}:${cluster}`],
      assumedBy: new PrincipalWithConditions(new AccountPrincipal(homeAccount), {
        ArnEquals: { 'aws:PrincipalArn': responder },
      }),
    })
    const arn = `arn:${this.partition}:eks:${this.region}:${this.account}:cluster/${cluster}`
    role.addToPolicy(new PolicyStatement({ actions: ['eks:DescribeCluster'], resources: [arn] }))
    new CfnAccessEntry(this, `respond-${risk}`, {
      ...{ clusterName: cluster, principalArn: role.roleArn, type: 'STANDARD' },
      kubernetesGroups: [`lanner:respond:${risk}`],
    })
  }

  #outputs({ cluster, stream, homeRegion, fips, namespace }: OnboardingProps): void {
    const values = {
      cluster,
      kinesis: { stream, region: homeRegion, fips },
      namespace,
    }
    new CfnOutput(this, 'HelmValues', {
      description: 'Values of the collector in this cluster, as JSON, which is YAML',
      value: this.toJsonString(values),
    })
    new CfnOutput(this, 'VpcEndpoints', {
      description: 'Services that nodes without a way to the internet need an endpoint for',
      value: Fn.join(', ', endpointServices({ region: this.region, homeRegion, fips }).slice()),
    })
  }
}
