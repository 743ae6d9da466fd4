import { Stack } from 'aws-cdk-lib'
import { AccountPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { CfnResourcePolicy } from 'aws-cdk-lib/aws-kinesis'
import type { Key } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import type { PartContext } from './part-context.ts'

/** Lets the collectors of clusters in other accounts put records into the stream, and nothing else. */
export function admitMemberAccounts(
  scope: Construct,
  accounts: readonly string[],
  context: PartContext,
): void {
  const { config, made } = context
  const { partition, region, urlSuffix } = Stack.of(scope)
  if (accounts.length === 0) return
  const stream = made.get('stream')
  // One statement: with one an account a policy is full at a hundred of them. Whoever calls is of one of
  // the accounts, and the ARN of its role has that account in it, so that any will do there.
  const collectors = `arn:${partition}:iam::*:role/${config.name}-collector-*`
  const statement = (actions: string[], resource: string, more: object = {}) =>
    new PolicyStatement({
      ...{ sid: 'Collectors', effect: Effect.ALLOW, actions, resources: [resource] },
      principals: accounts.map((account) => new AccountPrincipal(account)),
      conditions: { ArnLike: { 'aws:PrincipalArn': collectors }, ...more },
    })
  new CfnResourcePolicy(scope, 'stream-policy', {
    resourceArn: stream.arn,
    resourcePolicy: new PolicyDocument({
      statements: [statement(['kinesis:PutRecords'], stream.arn)],
    }),
  })
  const viaKinesis = { StringEquals: { 'kms:ViaService': `kinesis.${region}.${urlSuffix}` } }
  const ofKey = statement(['kms:GenerateDataKey'], '*', viaKinesis)
  ;(stream.key as Key).addToResourcePolicy(ofKey)
}
