import { readFileSync, rmSync } from 'node:fs'
import { CfnGuardValidator } from '@cdklabs/cdk-validator-cfnguard'
import { Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { listBytes, mostAccounts } from './config-limits.ts'
import { functionEndpointServices } from './endpoints.ts'
import { wildcardReasons } from './stages/wildcards.ts'
import { flat, ofType, type Synthesised, synthesise, type Template } from './testing/synthesise.ts'
import { topology } from './topology/index.ts'

vi.setConfig({ hookTimeout: 120_000, testTimeout: 60_000 })

/** Everything on, with clusters here, in another region, and in another account. */
const full = {
  ...{ account: '111111111111', region: 'eu-central-1', response: true, tags: { owner: 'sec' } },
  reservedConcurrency: true,
  vpc: { subnets: ['subnet-0123456789abcdef0'], securityGroups: ['sg-0123456789abcdef0'] },
  clusters: [
    { name: 'prod-eu' },
    { name: 'prod-us', region: 'us-east-1' },
    { name: 'member', account: '222222222222' },
  ],
}
let made: Synthesised
let longer: Synthesised
/** As many accounts as there may be, in a partition with a long name, with FIPS. */
let most: Synthesised

beforeAll(async () => {
  made = await synthesise(full)
  longer = await synthesise({ response: true, evidenceDays: 365 })
  most = await synthesise({
    ...{ account: '999999999999', region: 'us-gov-west-1', fips: true },
    memberAccounts: Array.from({ length: mostAccounts }, (_, at) => `${100_000_000_000 + at}`),
    clusters: [{ name: 'a_b' }],
  })
})
afterAll(() => {
  for (const { directory } of [made, longer, most])
    rmSync(directory, { recursive: true, force: true })
})

const template = (name: string): Template => made.templates[`lanner-${name}`]!
const all = () =>
  Object.values(made.templates).flatMap(({ Resources }) => Object.entries(Resources))

/** The only resource of a type in a stack. */
const only = (name: string, type: string) => {
  const [found, ...more] = ofType(template(name), type)
  expect(more, type).toEqual([])
  return found![1].Properties as Readonly<Record<string, Record<string, unknown>>>
}

interface Statement {
  readonly Action: string | readonly string[]
  readonly Resource: unknown
  readonly Condition?: unknown
}
const statementsOf = (document: unknown) => (document as { Statement: Statement[] }).Statement
/** Action and resource of each statement of each role, a line each. */
const grants = () =>
  all()
    .filter(([, { Type }]) => Type === 'AWS::IAM::Policy')
    .flatMap(([id, { Properties }]) =>
      statementsOf(Properties['PolicyDocument']).flatMap(({ Action, Resource }) =>
        [Action].flat().flatMap((action) => [Resource].flat().map((on) => [id, action, flat(on)])),
      ),
    ) as [id: string, action: string, resource: string][]

describe('an installation', () => {
  it('is as it was', async () => {
    const text = JSON.stringify(made.templates, null, 1)
      .replaceAll(/\b[0-9a-f]{64}\b/g, 'HASH')
      .replaceAll(/"Value": "HASH(\.\w+)?"/g, '"Value": "HASH"')
    const lines = Object.entries(JSON.parse(text) as typeof made.templates).flatMap(
      ([stack, { Resources }]) =>
        Object.entries(Resources).map(
          ([id, { Type, Properties }]) => `${stack} ${id} ${Type} ${JSON.stringify(Properties)}`,
        ),
    )
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('./testing/templates.snap')
  })

  it('has the function of every stage, as its contract and the topology say', () => {
    const functions = all().filter(([, { Type }]) => Type === 'AWS::Lambda::Function')
    expect(functions).toHaveLength(topology.functions.length)
    for (const [id, { Properties }] of functions) {
      expect(Properties, id).toMatchObject({
        ...{ Runtime: 'nodejs24.x', Architectures: ['arm64'], Handler: 'index.handler' },
        TracingConfig: { Mode: 'Active' },
      })
      const name = String(Properties['FunctionName']).replace('lanner-', '')
      const spec = topology.functions.find(({ stage }) => stage === name)!
      const { Variables } = Properties['Environment'] as { Variables: object }
      expect(Object.keys(Variables).sort()).toEqual(
        [...Object.keys(spec.env), 'NODE_OPTIONS'].sort(),
      )
      expect(Properties['ReservedConcurrentExecutions']).toBe(spec.reservedConcurrency)
    }
  })

  it('reserves nothing unless it is told to: a new account has nothing to reserve', () => {
    const reserving = Object.values(longer.templates)
      .flatMap((stack) => ofType(stack, 'AWS::Lambda::Function'))
      .filter(([, { Properties }]) => Properties['ReservedConcurrentExecutions'] !== undefined)
    expect(reserving).toEqual([])
    // what Lambda wants to stay unreserved, and what the functions reserve
    const reserved = topology.functions.reduce(
      (sum, { reservedConcurrency = 0 }) => sum + reservedConcurrency,
      0,
    )
    const readme = readFileSync(new URL('./README.md', import.meta.url), 'utf8')
    expect(readme).toContain(
      `at least ${100 + reserved} (100 stay unreserved, ${reserved} are kept)`,
    )
  })

  it('names clusters whose names are none of CloudFormation', () => {
    const text = JSON.stringify(most.templates['lanner-cluster-a-b'])
    expect(text).toContain('"RoleName":"lanner-collector-a_b"')
    for (const name of Object.keys(most.templates)) expect(name).toMatch(/^[A-Za-z][A-Za-z0-9-]*$/)
  })

  it('keeps within 4 KB of variables with lists as long as they may be', () => {
    // a queue's URL is the longest of what CloudFormation fills in
    const longest = 'https://sqs.ap-southeast-1.amazonaws.com/111111111111/'.length + 80
    for (const [id, { Properties }] of all()) {
      const { Variables } = (Properties['Environment'] ?? {}) as {
        Variables?: Record<string, unknown>
      }
      const bytes = Object.entries(Variables ?? {}).reduce((sum, [name, value]) => {
        const length = typeof value === 'string' ? value.length : longest
        const isList = ['CLUSTERS', 'APPROVERS'].includes(name)
        return sum + name.length + (isList ? listBytes : length)
      }, 0)
      expect(bytes, id).toBeLessThan(4096)
    }
  })

  it('lets each role do what its contract and its triggers ask for, and nothing else', async () => {
    const lines = grants().map((grant) => grant.join(' '))
    await expect(`${lines.sort().join('\n')}\n`).toMatchFileSnapshot('./testing/grants.snap')
  })

  it('gives a role no action that neither its contract nor a trigger needs', async () => {
    for (const { stage, triggers, reach } of topology.functions) {
      const { contract } = await import(`../lambdas/${stage}/contract.ts`)
      const wanted: string[] = contract.permissions.flatMap(
        ({ actions }: { actions: readonly string[] }) => actions,
      )
      const given = grants()
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
    const wildcards = grants().filter(([, action, resource]) =>
      `${action}${resource}`.includes('*'),
    )
    const unexplained = wildcards.filter(
      ([, action, resource]) =>
        action.includes('*') || !wildcardReasons.some(([pattern]) => pattern.test(resource)),
    )
    expect(unexplained).toEqual([])
    expect(wildcards.length).toBeGreaterThan(5)
    const knowsNone = (action: string) => /^(xray|ec2):/.test(action)
    expect(wildcards.filter(([, action, on]) => on === '*' && !knowsNone(action))).toEqual([])
  })

  it('passes the AWS Solutions and Serverless checks, but for what is explained', () => {
    const found = made.stacks.flatMap((stack) =>
      [AwsSolutionsChecks, ServerlessChecks].flatMap((Checks) =>
        new Checks(stack).validateScope(stack).violations.map(({ ruleName }) => ruleName),
      ),
    )
    expect(found).toEqual([])
    const counts: Record<string, number> = {}
    for (const node of made.stacks.flatMap((stack) => stack.node.findAll())) {
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
      Object.entries(made.templates).flatMap(([name, stack]) =>
        ofType(stack, 'AWS::S3::Bucket').map(() => name),
      ),
    )
    // one for each wildcard of each policy
    const policies = all().filter(([, { Type }]) => Type === 'AWS::IAM::Policy')
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
    const templatePaths = made.stacks.map(({ templateFile }) => `${made.directory}/${templateFile}`)
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

describe('what handlers depend on', () => {
  it('a stream is read from its start, and what is given up is kept with its bytes', () => {
    const mappings = ofType(template('pipeline'), 'AWS::Lambda::EventSourceMapping')
    const Properties = mappings
      .map(([, mapping]) => mapping.Properties)
      .find((properties) => properties['StartingPosition'] !== undefined)!
    const spec = topology.functions
      .find(({ stage }) => stage === 'evaluate')!
      .triggers.find(({ kind }) => kind === 'stream')!
    expect(spec.kind).toBe('stream')
    expect(Properties).toMatchObject({
      StartingPosition: 'TRIM_HORIZON',
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ...(spec.kind === 'stream' && {
        BatchSize: spec.batchSize,
        MaximumBatchingWindowInSeconds: spec.windowSeconds,
        ParallelizationFactor: spec.parallelizationFactor,
        MaximumRetryAttempts: spec.retries,
        MaximumRecordAgeInSeconds: spec.maxAgeSeconds,
      }),
    })
    expect(JSON.stringify(Properties['DestinationConfig'])).toMatch(
      /"OnFailure":{"Destination":{"Fn::GetAtt":\["failures\w+","Arn"\]}}/,
    )
  })

  it('what is given up of a stream is counted by its mapping, and rings', () => {
    const [[, mapping] = [], ...more] = ofType(
      template('pipeline'),
      'AWS::Lambda::EventSourceMapping',
    ).filter(([, { Properties }]) => Properties['StartingPosition'] !== undefined)
    expect(more).toEqual([])
    expect(mapping!.Properties['MetricsConfig']).toEqual({ Metrics: ['EventCount'] })
    const alarms = ofType(template('operations'), 'AWS::CloudWatch::Alarm').map(
      ([, { Properties }]) => Properties,
    )
    const named = (name: string) => alarms.find(({ AlarmName }) => AlarmName === name)!
    const text = JSON.stringify(named('lanner-records-given-up-evaluate')['Metrics'])
    expect(text).toMatch(/"MetricName":"OnFailureDestinationDeliveredEventCount"/)
    expect(text).toMatch(/"MetricName":"DroppedEventCount"/)
    expect(text).toMatch(/"Name":"EventSourceMappingUUID","Value":{"Fn::ImportValue":"[^"]+stream/)
    // and when not even the bucket took it
    expect(named('lanner-dead-letters-evaluate-lost')).toMatchObject({
      MetricName: 'DestinationDeliveryFailures',
      Dimensions: [{ Name: 'FunctionName', Value: 'lanner-evaluate' }],
    })
  })

  it('a queue invokes no more copies than its function has', () => {
    const mappings = Object.values(made.templates)
      .flatMap((stack) => ofType(stack, 'AWS::Lambda::EventSourceMapping'))
      .filter(([, { Properties }]) => Properties['StartingPosition'] === undefined)
    const triggers = topology.functions.flatMap((spec) =>
      spec.triggers.flatMap((trigger) => (trigger.kind === 'queue' ? [trigger] : [])),
    )
    expect(mappings).toHaveLength(triggers.length)
    const found = mappings.map(
      ([, { Properties }]) =>
        (Properties['ScalingConfig'] as { MaximumConcurrency: number }).MaximumConcurrency,
    )
    const wanted = triggers.map(({ maximumConcurrency }) => maximumConcurrency)
    expect(found.toSorted((a, b) => a - b)).toEqual(wanted.toSorted((a, b) => a - b))
  })

  it('what the key of the bus fails on goes to a queue that takes it, with the key that does', () => {
    const bus = only('pipeline', 'AWS::Events::EventBus')
    expect(flat(bus['DeadLetterConfig']!['Arn'])).toMatch(/^<busdead\w+\.Arn>$/)
    const policies = ofType(template('pipeline'), 'AWS::SQS::QueuePolicy')
    const [, { Properties }] = policies.find(([id]) => id.startsWith('busdead'))!
    const source = 'arn:aws:events:eu-central-1:111111111111'
    const sourcesOf = (statement: Statement) =>
      Object.values((statement.Condition as { ArnLike?: object })?.ArnLike ?? {})
        .flat()
        .map(flat)
    const send = statementsOf(Properties['PolicyDocument']).find(
      ({ Action }) => Action === 'sqs:SendMessage',
    )!
    expect(sourcesOf(send)).toContain(`${source}:event-bus/lanner-*`)
    const [, key] = ofType(template('pipeline'), 'AWS::KMS::Key').find(([id]) =>
      id.startsWith('alerts'),
    )!
    const statements = statementsOf(key.Properties['KeyPolicy']) as (Statement & { Sid?: string })[]
    const by = (sid: string) => statements.find(({ Sid }) => Sid === sid)!
    // a queue is sent to in the name of the bus, an archive in that of nobody
    expect(by('Rules').Action).toEqual(['kms:Decrypt', 'kms:GenerateDataKey'])
    expect(sourcesOf(by('Rules'))).toContain(`${source}:event-bus/lanner-*`)
    expect(by('Bus').Condition).toEqual({
      ArnLike: { 'kms:EncryptionContext:aws:events:event-bus:arn': expect.anything() },
    })
    expect(sourcesOf(by('Bus'))).toEqual([`${source}:event-bus/lanner-*`])
    expect(by('Bus').Action).not.toContain('kms:DescribeKey')
    expect(by('KeyOfBus')).toMatchObject({ Action: 'kms:DescribeKey' })
    expect(by('KeyOfBus').Condition).toBeUndefined()
  })

  it('roles of functions ask Lambda for nothing that it does not say', () => {
    const roles = all().filter(
      ([id, { Type }]) => Type === 'AWS::IAM::Role' && /stagerole/.test(id),
    )
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

  it('queues report failures one by one and end in a dead-letter queue', () => {
    for (const stack of Object.values(made.templates)) {
      for (const [id, { Properties }] of ofType(stack, 'AWS::Lambda::EventSourceMapping')) {
        expect(Properties['FunctionResponseTypes'], id).toEqual(['ReportBatchItemFailures'])
      }
      for (const [id, { Properties }] of ofType(stack, 'AWS::SQS::Queue')) {
        const name = String(Properties['QueueName']).replace('lanner-', '')
        const resource = topology.resources[name]
        const isRead = resource?.kind === 'queue' && resource.receives !== undefined
        expect(Properties['RedrivePolicy'] !== undefined, id).toBe(isRead)
        expect(Properties['KmsMasterKeyId'], id).toBeDefined()
      }
    }
  })

  it('every rule has retries, an age and a dead-letter queue, and every asynchronous function too', () => {
    for (const [id, { Type, Properties }] of all()) {
      if (Type === 'AWS::Events::Rule') {
        for (const target of Properties['Targets'] as Record<string, unknown>[]) {
          expect(target, id).toMatchObject({
            RetryPolicy: {
              MaximumRetryAttempts: expect.any(Number),
              MaximumEventAgeInSeconds: expect.any(Number),
            },
            DeadLetterConfig: { Arn: expect.anything() },
          })
        }
      }
      if (Type === 'AWS::Lambda::EventInvokeConfig') {
        expect(Properties, id).toMatchObject({
          MaximumRetryAttempts: expect.any(Number),
          DestinationConfig: { OnFailure: { Destination: expect.anything() } },
        })
      }
    }
    const asynchronous = topology.functions.filter(({ triggers }) =>
      triggers.some(({ kind }) => kind === 'bus' || kind === 'schedule'),
    )
    const configs = all().filter(([, { Type }]) => Type === 'AWS::Lambda::EventInvokeConfig')
    expect(configs.length).toBeGreaterThanOrEqual(asynchronous.length)
  })

  it('locks evidence, for as long as the config says, and nobody has a way around it', () => {
    const locks = (templates: Synthesised['templates']) =>
      Object.values(templates)
        .flatMap(({ Resources }) => Object.values(Resources))
        .flatMap(({ Properties }) =>
          Properties?.['ObjectLockEnabled'] === true ? [Properties] : [],
        )
    const lock = (Days: number) => ({
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days } },
      },
      VersioningConfiguration: { Status: 'Enabled' },
    })
    expect(locks(made.templates)).toMatchObject([lock(90)])
    expect(locks(longer.templates)).toMatchObject([lock(365)])
    const around = /Bypass|PutObject(?:Retention|LegalHold)|PutBucketObjectLock|s3:\*/
    expect(grants().filter(([, action]) => around.test(action))).toEqual([])
    const deletes = grants().filter(
      ([id, action]) => /respond/.test(id) && /s3:Delete/.test(action),
    )
    expect(deletes).toEqual([])
  })

  it('the lake gets frames by the hour of their arrival', () => {
    const delivery = only('pipeline', 'AWS::KinesisFirehose::DeliveryStream')
    const destination = delivery['ExtendedS3DestinationConfiguration']!
    expect(destination['Prefix']).toBe(
      'batches/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/',
    )
    expect(destination['CompressionFormat']).toBe('UNCOMPRESSED')
    expect(JSON.stringify(destination['ProcessingConfiguration'])).toContain('lakestage')
  })

  it('everything at rest has a key that rotates, buckets take TLS alone', () => {
    for (const [id, { Type, Properties }] of all()) {
      if (Type === 'AWS::KMS::Key') expect(Properties['EnableKeyRotation'], id).toBe(true)
      if (Type === 'AWS::Logs::LogGroup') {
        expect(Properties, id).toMatchObject({ RetentionInDays: 90 })
        expect(Properties['KmsKeyId'], id).toBeDefined()
      }
      if (
        ['AWS::S3::BucketPolicy', 'AWS::SQS::QueuePolicy', 'AWS::SNS::TopicPolicy'].includes(Type)
      ) {
        expect(JSON.stringify(Properties['PolicyDocument']), id).toContain('aws:SecureTransport')
      }
    }
    const policies = all().filter(([, { Type }]) => Type === 'AWS::S3::BucketPolicy')
    const buckets = all().filter(([, { Type }]) => Type === 'AWS::S3::Bucket')
    expect(policies).toHaveLength(buckets.length)
  })

  it('what is kept stays when its stack goes', () => {
    for (const type of ['AWS::S3::Bucket', 'AWS::DynamoDB::Table', 'AWS::KMS::Key']) {
      for (const [id, resource] of all().filter(([, { Type }]) => Type === type)) {
        expect(resource['DeletionPolicy'], id).toBe('Retain')
      }
    }
  })
})

describe('a cluster', () => {
  it('may put records into one stream and use its key for that', () => {
    const lines = (name: string) => {
      const policies = ofType(template(`cluster-${name}`), 'AWS::IAM::Policy')
      const [, policy] = policies.find(([id]) => id.startsWith('collector'))!
      return statementsOf(policy.Properties['PolicyDocument'])
    }
    for (const name of ['prod-eu', 'prod-us', 'member']) {
      const [put, key] = lines(name)
      expect(put).toMatchObject({ Action: 'kinesis:PutRecords' })
      expect(flat(put!.Resource)).toBe(
        'arn:aws:kinesis:eu-central-1:111111111111:stream/lanner-stream',
      )
      expect(key).toMatchObject({
        Action: 'kms:GenerateDataKey',
        Condition: {
          'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/lanner/telemetry' },
        },
      })
    }
  })

  it('needs no other stack and no assets', () => {
    for (const name of ['prod-eu', 'prod-us', 'member']) {
      const text = JSON.stringify(template(`cluster-${name}`))
      expect(text).not.toContain('Fn::ImportValue')
      expect(text).not.toContain('BootstrapVersion')
    }
  })

  it('lets the responder in by a role for each class, from the home account with its external id', () => {
    const roles = ofType(template('cluster-member'), 'AWS::IAM::Role').filter(([id]) =>
      id.startsWith('respond'),
    )
    expect(roles.map(([, { Properties }]) => Properties['RoleName']).sort()).toEqual(
      ['contain', 'destroy', 'mark', 'node', 'read'].map((risk) => `lanner-respond-${risk}-member`),
    )
    for (const [, { Properties }] of roles) {
      const text = JSON.stringify(Properties['AssumeRolePolicyDocument'])
      expect(text).toContain('"sts:ExternalId":"lanner:member"')
      expect(text).toContain(':role/lanner-respond"')
    }
    expect(ofType(template('cluster-member'), 'AWS::EKS::AccessEntry')).toHaveLength(5)
  })

  it('in another account is named in the policy of the stream and of its key', () => {
    const text = JSON.stringify(only('pipeline', 'AWS::Kinesis::ResourcePolicy'))
    expect(text).toContain(':iam::222222222222:root')
    expect(text).toContain(':iam::*:role/lanner-collector-*')
    expect(text).not.toContain('"*"')
  })

  it('fits with all others into the policy of the stream and of its key', () => {
    const bytes = (document: unknown) => {
      const resolved = JSON.stringify(document, (_, value) =>
        value !== null && typeof value === 'object' && Object.keys(value).some(isFunction)
          ? flat(value).replaceAll('<AWS::Partition>', 'aws-us-gov')
          : value,
      )
      return Buffer.byteLength(resolved)
    }
    const isFunction = (name: string) => name === 'Ref' || name.startsWith('Fn::')
    const pipeline = most.templates['lanner-pipeline']!
    const [[, policy] = []] = ofType(pipeline, 'AWS::Kinesis::ResourcePolicy')
    expect(bytes(policy!.Properties['ResourcePolicy'])).toBeLessThan(20 * 1024)
    expect(bytes(policy!.Properties['ResourcePolicy'])).toBeGreaterThan(40 * mostAccounts)
    for (const [id, { Properties }] of ofType(pipeline, 'AWS::KMS::Key')) {
      expect(bytes(Properties['KeyPolicy']), id).toBeLessThan(32 * 1024)
    }
  })

  it('is told the endpoints that it needs: for the stream only in the same region', () => {
    const endpoints = (name: string) => template(`cluster-${name}`).Outputs!['VpcEndpoints']!.Value
    expect(endpoints('prod-eu')).toBe(
      'com.amazonaws.eu-central-1.kinesis-streams, com.amazonaws.eu-central-1.eks-auth',
    )
    expect(endpoints('prod-us')).toBe('com.amazonaws.us-east-1.eks-auth')
  })
})

describe('functions in a network', () => {
  it('are told an endpoint for each service that they may call', () => {
    const value = (name: string) => template(name).Outputs!['VpcEndpoints']!.Value
    const of = (...services: string[]) =>
      services.map((service) => `com.amazonaws.eu-central-1.${service}`).join(', ')
    expect(value('response')).toBe(
      of('dynamodb', 'events', 'lambda', 's3', 'secretsmanager', 'sqs', 'sts'),
    )
    expect(value('routing')).toBe(of('dynamodb', 'events', 's3', 'secretsmanager', 'sqs'))
    expect(template('pipeline').Outputs!['VpcEndpoints']).toBeUndefined()
  })

  it('and with FIPS its name for those services that have one', () => {
    const actions = ['dynamodb:Query', 'events:PutEvents', 's3:GetObject', 'sqs:SendMessage']
    const services = functionEndpointServices({ region: 'us-east-1', fips: true }, actions)
    const names = ['dynamodb-fips', 'events', 's3', 'sqs-fips']
    expect(services).toEqual(names.map((name) => `com.amazonaws.us-east-1.${name}`))
  })
})

describe('operations', () => {
  it('have an alarm for everything that can fail, each with its section in the runbook', () => {
    const runbook = readFileSync(new URL('./RUNBOOK.md', import.meta.url), 'utf8')
    const sections = new Map(
      runbook
        .split(/^## /m)
        .slice(1)
        .map((section) => [section.slice(0, section.indexOf('\n')).trim(), section]),
    )
    const alarms = ofType(template('operations'), 'AWS::CloudWatch::Alarm')
    const named = new Set<string>()
    for (const [id, { Properties }] of alarms) {
      const [, anchor = ''] = String(Properties['AlarmDescription']).split('#')
      named.add(anchor)
      const section = sections.get(anchor) ?? ''
      for (const part of ['### Description', '### Investigation', '### Resolution']) {
        expect(section, `${id}: ${anchor}`).toContain(part)
      }
      expect(Properties['AlarmActions'], id).toHaveLength(1)
    }
    expect([...sections.keys()].sort()).toEqual([...named].sort())
  })
})

describe('other places', () => {
  it('are as good as any: no template names a partition or a region of its own', async () => {
    const china = await synthesise({ account: '333333333333', region: 'cn-north-1' })
    expect(JSON.stringify(china.templates)).not.toMatch(/arn:aws:|us-east-1|eu-central-1/)
    rmSync(china.directory, { recursive: true, force: true })
  })

  it('without settings it fits whoever deploys, without responses and clusters', async () => {
    const plain = await synthesise({ keepData: false })
    expect(Object.keys(plain.templates).some((name) => name.includes('response'))).toBe(false)
    const text = JSON.stringify(plain.templates)
    expect(text).not.toContain('AWS_USE_FIPS_ENDPOINT')
    expect(text).not.toContain('"DeletionPolicy":"Retain"')
    expect(text).not.toMatch(/arn:aws(-cn|-us-gov)?:/)
    rmSync(plain.directory, { recursive: true, force: true })
  })

  it('with FIPS all functions and nodes use its endpoints', () => {
    const functions = Object.values(most.templates).flatMap((one) =>
      ofType(one, 'AWS::Lambda::Function'),
    )
    expect(functions.length).toBeGreaterThan(10)
    for (const [id, { Properties }] of functions) {
      expect(JSON.stringify(Properties['Environment']), id).toContain(
        '"AWS_USE_FIPS_ENDPOINT":"true"',
      )
    }
    const { Outputs } = most.templates['lanner-cluster-a-b']!
    expect(Outputs!['VpcEndpoints']!.Value).toBe(
      'com.amazonaws.us-gov-west-1.kinesis-streams-fips, com.amazonaws.us-gov-west-1.eks-auth',
    )
  })
})
