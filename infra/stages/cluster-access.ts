import type { CfnCondition, CfnResource, Stack } from 'aws-cdk-lib'
import { CfnAccessEntry, CfnPodIdentityAssociation } from 'aws-cdk-lib/aws-eks'
import {
  AccountPrincipal,
  PolicyStatement,
  PrincipalWithConditions,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam'

/** A cluster and the installation that its nodes write to; any text may be a parameter of the template. */
export interface ClusterAccessProps {
  /** Begins the names of the installation. */
  readonly installation: string
  readonly cluster: string
  readonly namespace: string
  readonly serviceAccount: string
  /** Where the stream is. */
  readonly homeAccount: string
  readonly homeRegion: string
  readonly streamArn: string
  /** Who may become the roles of responses, and by which word. */
  readonly responderArn: string
  readonly externalId: string
  /** Classes of responses that may act in the cluster, each as a group of its own, some only on a condition. */
  readonly risks: readonly { readonly risk: string; readonly condition?: CfnCondition }[]
}

/**
 * What one cluster needs in its account: nodes that may put records into one stream, and a role for each
 * class of responses. Nothing here reaches into the cluster, and nothing refers to another stack.
 */
export function addClusterAccess(stack: Stack, props: ClusterAccessProps): void {
  const { cluster, namespace, serviceAccount } = props
  const role = makeCollector(stack, props)
  new CfnPodIdentityAssociation(stack, 'pods', {
    ...{ clusterName: cluster, namespace, serviceAccount, roleArn: role.roleArn },
  })
  for (const { risk, condition } of props.risks) makeResponder(stack, risk, condition, props)
}

function makeCollector(stack: Stack, props: ClusterAccessProps): Role {
  const { installation, cluster, namespace, serviceAccount, homeAccount, homeRegion } = props
  const role = new Role(stack, 'collector', {
    roleName: `${installation}-collector-${cluster}`,
    description: `Nodes of ${cluster} put batches into the stream of ${installation}`,
    assumedBy: new ServicePrincipal('pods.eks.amazonaws.com', {
      conditions: {
        StringEquals: {
          'aws:SourceAccount': stack.account,
          'aws:RequestTag/eks-cluster-name': cluster,
          'aws:RequestTag/kubernetes-namespace': namespace,
          'aws:RequestTag/kubernetes-service-account': serviceAccount,
        },
      },
    }).withSessionTags(),
  })
  role.addToPolicy(
    new PolicyStatement({ actions: ['kinesis:PutRecords'], resources: [props.streamArn] }),
  )
  const keys = `arn:${stack.partition}:kms:${homeRegion}:${homeAccount}:key/*`
  role.addToPolicy(
    new PolicyStatement({
      actions: ['kms:GenerateDataKey'],
      resources: [keys],
      conditions: {
        StringEquals: { 'kms:ViaService': `kinesis.${homeRegion}.${stack.urlSuffix}` },
        'ForAnyValue:StringEquals': { 'kms:ResourceAliases': `alias/${installation}/telemetry` },
      },
    }),
  )
  return role
}

/** The responder of the home account becomes this role, and Kubernetes knows it as a group. */
function makeResponder(
  stack: Stack,
  risk: string,
  condition: CfnCondition | undefined,
  { installation, cluster, homeAccount, responderArn, externalId }: ClusterAccessProps,
): void {
  const role = new Role(stack, `respond-${risk}-role`, {
    roleName: `${installation}-respond-${risk}-${cluster}`,
    description: `Responses of the class ${risk} in ${cluster}`,
    externalIds: [externalId],
    assumedBy: new PrincipalWithConditions(new AccountPrincipal(homeAccount), {
      ArnEquals: { 'aws:PrincipalArn': responderArn },
    }),
  })
  const arn = `arn:${stack.partition}:eks:${stack.region}:${stack.account}:cluster/${cluster}`
  role.addToPolicy(new PolicyStatement({ actions: ['eks:DescribeCluster'], resources: [arn] }))
  const entry = new CfnAccessEntry(stack, `respond-${risk}`, {
    ...{ clusterName: cluster, principalArn: role.roleArn, type: 'STANDARD' },
    kubernetesGroups: [`lanner:respond:${risk}`],
  })
  if (condition === undefined) return
  const policy = role.node.findChild('DefaultPolicy').node.defaultChild as CfnResource
  for (const one of [role.node.defaultChild as CfnResource, policy, entry]) {
    one.cfnOptions.condition = condition
  }
}
