import { CfnOutput, Fn, Stack, type StackProps } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import { endpointServices } from '../endpoints.ts'
import { addClusterAccess } from './cluster-access.ts'
import { addClusterOutputs } from './cluster-outputs.ts'

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
  /** Classes of responses that may act in the cluster; none when it only watches. */
  readonly risks: readonly string[]
}

/**
 * What one cluster of the configuration needs in its account. It refers to no other stack, so that
 * Terraform and StackSets can apply its template as it is.
 */
export class OnboardingStack extends Stack {
  constructor(scope: Construct, id: string, props: OnboardingProps) {
    super(scope, id, props)
    const { installation, cluster, homeAccount, homeRegion, stream, fips, risks } = props
    const arn = (service: string, region: string, rest: string) =>
      `arn:${this.partition}:${service}:${region}:${homeAccount}:${rest}`
    const streamArn = arn('kinesis', homeRegion, `stream/${stream}`)
    addClusterAccess(this, {
      ...{ ...props, streamArn },
      responderArn: arn('iam', '', `role/${installation}-respond`),
      externalId: `${installation}:${cluster}`,
      risks: risks.map((risk) => ({ risk })),
    })
    const isHome = this.account === homeAccount
    addClusterOutputs(this, { ...props, stream: isHome ? stream : streamArn })
    const services = endpointServices({ region: this.region, homeRegion, fips })
    new CfnOutput(this, 'VpcEndpoints', {
      description: 'Services that nodes without a way to the internet need an endpoint for',
      value: Fn.join(', ', services.slice()),
    })
  }
}
