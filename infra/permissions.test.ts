import { rmSync } from 'node:fs'
import { CfnGuardValidator } from '@cdklabs/cdk-validator-cfnguard'
import { Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { wildcardReasons } from './stages/wildcards.ts'
import { full, Installation, statementsOf } from './testing/installation.ts'
import { flat, ofType, synthesise } from './testing/synthesise.ts'
import { topology } from './topology/index.ts'

vi.setConfig({ hookTimeout: 120_000, testTimeout: 60_000 })

let installed: Installation
beforeAll(async () => {
  installed = new Installation(await synthesise(full))
})
afterAll(() => {
  const made = [installed.made]
  for (const { directory } of made) rmSync(directory, { recursive: true, force: true })
})

describe('roles of functions', () => {
  it('lets each role do what its contract and its triggers ask for, and nothing else', async () => {
    const lines = installed.grants().map((grant) => grant.join(' '))
    await expect(`${lines.sort().join('\n')}\n`).toMatchFileSnapshot('./testing/grants.snap')
  })

  it('gives a role no action that neither its contract nor a trigger needs', async () => {
    for (const { stage, triggers, reach } of topology.functions) {
      const { contract } = await import(`../lambdas/${stage}/contract.ts`)
      const wanted: string[] = contract.permissions.flatMap(
        ({ actions }: { actions: readonly string[] }) => actions,
      )
      const given = installed
        .grants()
        .filter(([id]) => id.startsWith(`${stage.replaceAll('-', '')}stagerole`))
        .map(([, action]) => action)
      const ofTriggers = [...new Set(triggers.map(({ kind }) => kind))].flatMap(
        (kind) => triggerActions[kind],
      )
      const allowed = [
        ...wanted,
        ...ofTriggers,
        ...everyRole,
        ...(reach === 'vpc' ? inNetwork : []),
      ]
      expect(
        wanted.filter((action) => !given.includes(action)),
        stage,
      ).toEqual([])
      const isOfKey = (action: string) => action.startsWith('kms:')
      expect(
        given.filter((action) => !allowed.includes(action) && !isOfKey(action)),
        stage,
      ).toEqual([])
    }
  })

  it('explains every wildcard', () => {
    const wildcards = installed
      .grants()
      .filter(([, action, resource]) => `${action}${resource}`.includes('*'))
    const unexplained = wildcards.filter(
      ([, action, resource]) =>
        action.includes('*') || !wildcardReasons.some(([pattern]) => pattern.test(resource)),
    )
    expect(unexplained).toEqual([])
    expect(wildcards.length).toBeGreaterThan(5)
    const knowsNone = (action: string) => /^(xray|ec2):/.test(action)
    expect(wildcards.filter(([, action, on]) => on === '*' && !knowsNone(action))).toEqual([])
  })

  it('roles of functions ask Lambda for nothing that it does not say', () => {
    const roles = installed
      .all()
      .filter(([id, { Type }]) => Type === 'AWS::IAM::Role' && /stagerole/.test(id))
    expect(roles).toHaveLength(topology.functions.length)
    for (const [id, { Properties }] of roles) {
      const statements = statementsOf(Properties['AssumeRolePolicyDocument'])
      expect(statements, id).toEqual([
        {
          ...{ Action: 'sts:AssumeRole', Effect: 'Allow' },
          Principal: { Service: 'lambda.amazonaws.com' },
        },
      ])
    }
  })
})

describe('rule packs of others', () => {
  it('passes the AWS Solutions and Serverless checks, but for what is explained', () => {
    const found = installed.made.stacks.flatMap((stack) =>
      [AwsSolutionsChecks, ServerlessChecks].flatMap((Checks) =>
        new Checks(stack).validateScope(stack).violations.map(({ ruleName }) => ruleName),
      ),
    )
    expect(found).toEqual([])
    const counts: Record<string, number> = {}
    for (const node of installed.made.stacks.flatMap((stack) => stack.node.findAll())) {
      for (const { type, data } of node.node.metadata) {
        if (type !== Validations.ACKNOWLEDGED_RULES_METADATA_KEY) continue
        for (const [whole, reason] of Object.entries(data as Record<string, string>)) {
          const id = /[A-Z]\w+-[A-Z]\w+(?=\[|$)/.exec(whole)![0]
          expect(String(reason).length, `${node.node.path} ${id}`).toBeGreaterThan(20)
          counts[id] = (counts[id] ?? 0) + 1
        }
      }
    }
    const resources = Object.values(topology.resources)
    const queues = resources.filter(({ kind }) => kind === 'queue').length
    const count = (kind: string) => resources.filter((resource) => resource.kind === kind).length
    const triggers = topology.functions.flatMap((spec) => spec.triggers.map(({ kind }) => kind))
    const stacksWithBuckets = new Set(
      Object.entries(installed.made.templates).flatMap(([name, stack]) =>
        ofType(stack, 'AWS::S3::Bucket').map(() => name),
      ),
    )
    // one for each wildcard of each policy
    const policies = installed.all().filter(([, { Type }]) => Type === 'AWS::IAM::Policy')
    const wildcards = policies.flatMap(([, { Properties }]) => {
      const resources = statementsOf(Properties['PolicyDocument']).flatMap(({ Resource }) =>
        [Resource].flat().map(flat),
      )
      return [...new Set(resources.filter((resource) => resource.includes('*')))]
    })
    const expected = {
      'AwsSolutions-IAM5': wildcards.length,
      'AwsSolutions-KDS3': count('stream'),
      'AwsSolutions-KDF1': count('delivery'),
      'AwsSolutions-S1': stacksWithBuckets.size,
      'AwsSolutions-SMG4': count('secret'),
      'AwsSolutions-SQS3': queues,
      'Serverless-SQSRedrivePolicy': queues,
      'Serverless-LambdaDLQ': topology.functions.length,
      'Serverless-LambdaEventSourceMappingDestination': triggers.filter((kind) => kind === 'queue')
        .length,
    }
    const used = Object.entries(expected).filter(([, times]) => times > 0)
    expect(counts).toEqual(Object.fromEntries(used))
  })

  it('passes the rules of Control Tower, but for what is explained', () => {
    const templatePaths = installed.made.stacks.map(
      ({ templateFile }) => `${installed.made.directory}/${templateFile}`,
    )
    const guard = new CfnGuardValidator({ maxBuffer: 1 << 26 })
    const { violations } = guard.validate({ templatePaths } as never)
    const controls = violations.map(({ description }) => /CT\.[\w.]+/.exec(description ?? '')?.[0])
    const unexplained = controls.filter((control) => !Object.hasOwn(accepted, control ?? ''))
    expect(unexplained).toEqual([])
  })
})

const everyRole = [
  ...['logs:CreateLogStream', 'logs:PutLogEvents'],
  ...['xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'sqs:SendMessage'],
]
const inNetwork = [
  ...['ec2:CreateNetworkInterface', 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets'],
  ...['ec2:DeleteNetworkInterface', 'ec2:AssignPrivateIpAddresses'],
  'ec2:UnassignPrivateIpAddresses',
]
const triggerActions: Readonly<Record<string, readonly string[]>> = {
  stream: [
    ...['kinesis:DescribeStream', 'kinesis:DescribeStreamSummary', 'kinesis:GetRecords'],
    ...['kinesis:GetShardIterator', 'kinesis:ListShards', 's3:ListBucket', 's3:PutObject'],
  ],
  queue: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
  bus: [],
  schedule: [],
}

/** Controls that are not followed, and why. */
const accepted: Readonly<Record<string, string>> = {
  'CT.CLOUDWATCH.PR.2': 'days of logs are a setting; the lake and the archive hold what matters',
  'CT.CLOUDWATCH.PR.3':
    'the rule knows no key of another stack; every log group has one, see below',
  'CT.KMS.PR.3': 'only the account itself may create grants: the policies name no other for it',
  'CT.LAMBDA.PR.3':
    'functions reach interfaces of AWS alone; a network of ours would add a way out',
  'CT.S3.PR.10': 'the service that writes access logs can use no key of ours',
  'CT.S3.PR.11': 'lake and failures are written once and expire; versions would keep them longer',
  'CT.S3.PR.2': 'access logs of the bucket of access logs would not end',
  'CT.S3.PR.4': 'nothing waits for objects',
  'CT.S3.PR.9': 'evidence is locked; what expires must not be',
  'CT.SQS.PR.2': 'the rule knows no key of another stack; every queue has one, see below',
  'CT.SQS.PR.1': 'it is where things end',
}
