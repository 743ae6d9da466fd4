import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { full, Installation, type Statement, statementsOf } from './testing/installation.ts'
import { flat, ofType, type Synthesised, synthesise } from './testing/synthesise.ts'
import { topology } from './topology/index.ts'

vi.setConfig({ hookTimeout: 120_000, testTimeout: 60_000 })

let installed: Installation
let longer: Synthesised
beforeAll(async () => {
  installed = new Installation(await synthesise(full))
  longer = await synthesise({ response: true, evidenceDays: 365 })
})
afterAll(() => {
  const made = [installed.made, longer]
  for (const { directory } of made) rmSync(directory, { recursive: true, force: true })
})

describe('what handlers depend on', () => {
  it('a stream is read from its start, and what is given up is kept with its bytes', () => {
    const mappings = ofType(installed.template('pipeline'), 'AWS::Lambda::EventSourceMapping')
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
      installed.template('pipeline'),
      'AWS::Lambda::EventSourceMapping',
    ).filter(([, { Properties }]) => Properties['StartingPosition'] !== undefined)
    expect(more).toEqual([])
    expect(mapping!.Properties['MetricsConfig']).toEqual({ Metrics: ['EventCount'] })
    const alarms = ofType(installed.template('operations'), 'AWS::CloudWatch::Alarm').map(
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
    const mappings = Object.values(installed.made.templates)
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
    const bus = installed.only('pipeline', 'AWS::Events::EventBus')
    expect(flat(bus['DeadLetterConfig']!['Arn'])).toMatch(/^<busdead\w+\.Arn>$/)
    const policies = ofType(installed.template('pipeline'), 'AWS::SQS::QueuePolicy')
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
    const [, key] = ofType(installed.template('pipeline'), 'AWS::KMS::Key').find(([id]) =>
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

  it('queues report failures one by one and end in a dead-letter queue', () => {
    for (const stack of Object.values(installed.made.templates)) {
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
    for (const [id, { Type, Properties }] of installed.all()) {
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
    const configs = installed
      .all()
      .filter(([, { Type }]) => Type === 'AWS::Lambda::EventInvokeConfig')
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
    expect(locks(installed.made.templates)).toMatchObject([lock(90)])
    expect(locks(longer.templates)).toMatchObject([lock(365)])
    const around = /Bypass|PutObject(?:Retention|LegalHold)|PutBucketObjectLock|s3:\*/
    expect(installed.grants().filter(([, action]) => around.test(action))).toEqual([])
    const deletes = installed
      .grants()
      .filter(([id, action]) => /respond/.test(id) && /s3:Delete/.test(action))
    expect(deletes).toEqual([])
  })

  it('the lake gets frames by the hour of their arrival', () => {
    const delivery = installed.only('pipeline', 'AWS::KinesisFirehose::DeliveryStream')
    const destination = delivery['ExtendedS3DestinationConfiguration']!
    expect(destination['Prefix']).toBe(
      'batches/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/',
    )
    expect(destination['CompressionFormat']).toBe('UNCOMPRESSED')
    expect(JSON.stringify(destination['ProcessingConfiguration'])).toContain('lakestage')
  })

  it('everything at rest has a key that rotates, buckets take TLS alone', () => {
    for (const [id, { Type, Properties }] of installed.all()) {
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
    const policies = installed.all().filter(([, { Type }]) => Type === 'AWS::S3::BucketPolicy')
    const buckets = installed.all().filter(([, { Type }]) => Type === 'AWS::S3::Bucket')
    expect(policies).toHaveLength(buckets.length)
  })

  it('what is kept stays when its stack goes', () => {
    for (const type of ['AWS::S3::Bucket', 'AWS::DynamoDB::Table', 'AWS::KMS::Key']) {
      for (const [id, resource] of installed.all().filter(([, { Type }]) => Type === type)) {
        expect(resource['DeletionPolicy'], id).toBe('Retain')
      }
    }
  })
})
