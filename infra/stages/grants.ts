import { Stack } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import type { Permission } from '../../lambdas/shared/contract.ts'
import type { Made } from './made.ts'
import type { PartContext } from './part-context.ts'

/** What a contract asks for, as statements of its function's role: these actions on this, no more. */
export function statementsOf(
  scope: Construct,
  { actions, on, below }: Permission,
  context: PartContext,
): readonly PolicyStatement[] {
  const made = context.made.get(on)
  const byResource = new Map<string, string[]>()
  for (const action of actions) {
    const resource = resourceFor(scope, action, made, below)
    byResource.set(resource, [...(byResource.get(resource) ?? []), action])
  }
  const statements = [...byResource].map(
    ([resource, group]) => new PolicyStatement({ actions: group, resources: [resource] }),
  )
  const keyActions = made.key === undefined ? [] : keyActionsOf(actions)
  if (keyActions.length === 0) return statements
  return [...statements, keyStatement(made.key!, keyActions)]
}

/** Use of a key by whoever reads or writes what it encrypts. */
export function keyStatement(key: IKey, actions: readonly string[]): PolicyStatement {
  return new PolicyStatement({ actions: [...actions], resources: [key.keyArn] })
}

/** The ARN that an action is about. */
function resourceFor(
  scope: Construct,
  action: string,
  made: Made,
  below: string | undefined,
): string {
  const [service = '', name = ''] = action.split(':')
  if (service === 'iam') return made.role ?? made.arn
  switch (made.kind) {
    case 'bucket':
      return isOfBucket(name) ? made.arn : `${made.arn}/${below ?? '*'}`
    case 'schedules': {
      const { partition, region, account } = Stack.of(scope)
      return `arn:${partition}:scheduler:${region}:${account}:schedule/${made.value}/${below ?? '*'}`
    }
    default:
      return below === undefined ? made.arn : `${made.arn}/${below}`
  }
}

/** Actions of S3 on a bucket, not on its objects. */
function isOfBucket(name: string): boolean {
  return /^(List|GetBucket|PutBucket)/.test(name) && name !== 'ListMultipartUploadParts'
}

const reads = /:(Get|BatchGet|Query|Scan|Receive|List|Describe)/
const tableWrites = ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey', 'kms:DescribeKey']

/** What reading or writing encrypted data asks of its key. */
function keyActionsOf(actions: readonly string[]): readonly string[] {
  const encrypted = actions.filter((action) => !/^(iam|events|scheduler|sts):/.test(action))
  if (encrypted.length === 0) return []
  // The table's own key is opened on behalf of the caller.
  if (encrypted.some((action) => action.startsWith('dynamodb:'))) return tableWrites
  if (encrypted.every((action) => reads.test(action))) return ['kms:Decrypt']
  return ['kms:Decrypt', 'kms:GenerateDataKey']
}
