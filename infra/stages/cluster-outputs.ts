import { CfnOutput, type Stack } from 'aws-cdk-lib'

export interface ClusterOutputsProps {
  readonly cluster: string
  readonly namespace: string
  readonly serviceAccount: string
  /** By its ARN in another account than the home account: nodes look for a name in their own. */
  readonly stream: string
  readonly homeRegion: string
  readonly fips: boolean
}

/** What must be in the cluster, for Helm and Git, and what the functions must know of it. */
export function addClusterOutputs(stack: Stack, props: ClusterOutputsProps): void {
  const { cluster, namespace, serviceAccount, stream, homeRegion, fips } = props
  new CfnOutput(stack, 'HelmValues', {
    description: 'Values of the chart in this cluster, as JSON, which is YAML',
    value: stack.toJsonString({
      cluster,
      kinesis: { stream, region: homeRegion, fips },
      serviceAccount: { name: serviceAccount },
    }),
  })
  new CfnOutput(stack, 'HelmNamespace', {
    description: 'The namespace to install the chart in: Pod Identity knows it there alone',
    value: namespace,
  })
  new CfnOutput(stack, 'TrustedSender', {
    description: 'For senders.json, with "issuer": the OpenID Connect issuer of the cluster',
    value: stack.toJsonString({
      cluster,
      subject: `system:serviceaccount:${namespace}:${serviceAccount}`,
    }),
  })
}
