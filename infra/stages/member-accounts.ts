import { Stack } from 'aws-cdk-lib'
import { AccountPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { CfnResourcePolicy } from 'aws-cdk-lib/aws-kinesis'
import type { Key } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import type { PartContext } from './part-context.ts'

/** Lets the collectors of clusters in other accounts put records into the stream, and nothing else. */
export function admitMemberAccounts(scope: Construct, context: PartContext): void {
  const { config, made } = context
  const { partition, region, urlSuffix } = Stack.of(scope)
  const accounts = new Set(config.clusters.map((cluster) => cluster.account ?? config.account))
  for (const account of config.memberAccounts) accounts.add(account)
  accounts.delete(config.account)
  if (accounts.size === 0) return
  const stream = made.get('stream')
  const statement = (actions: string[], resource: string, more: object = {}) =>
    [...accounts].map((account) => {
      const collectors = `arn:${partition}:iam::${account}:role/${config.name}-collector-*`
      return new PolicyStatement({
        ...{ sid: `Collectors${account}`, effect: Effect.ALLOW, actions, resources: [resource] },
        principals: [new AccountPrincipal(account)],
        conditions: { ArnLike: { 'aws:PrincipalArn': collectors }, ...more },
      })
    })
  new CfnResourcePolicy(scope, 'stream-policy', {
    resourceArn: stream.arn,
    resourcePolicy: new PolicyDocument({
      statements: statement(['kinesis:PutRecords'], stream.arn),
    }),
  })
  const viaKinesis = { StringEquals: { 'kms:ViaService': `kinesis.${region}.${urlSuffix}` } }
  for (const one of statement(['kms:GenerateDataKey'], '*', viaKinesis)) {
    ;(stream.key as Key).addToResourcePolicy(one)
  }
}
