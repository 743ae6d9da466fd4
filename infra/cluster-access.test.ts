import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { mostAccounts } from './config-limits.ts'
import { functionEndpointServices } from './endpoints.ts'
import { full, Installation, statementsOf } from './testing/installation.ts'
import { flat, ofType, type Synthesised, synthesise } from './testing/synthesise.ts'

vi.setConfig({ hookTimeout: 120_000, testTimeout: 60_000 })

let installed: Installation
/** As many accounts as there may be, in a partition with a long name, with FIPS. */
let most: Synthesised
beforeAll(async () => {
  installed = new Installation(await synthesise(full))
  most = await synthesise({
    ...{ account: '999999999999', region: 'us-gov-west-1', fips: true },
    memberAccounts: Array.from({ length: mostAccounts }, (_, at) => `${100_000_000_000 + at}`),
    clusters: [{ name: 'a_b' }],
  })
})
afterAll(() => {
  const made = [installed.made, most]
  for (const { directory } of made) rmSync(directory, { recursive: true, force: true })
})

describe('a cluster', () => {
  it('may put records into one stream and use its key for that', () => {
    const lines = (name: string) => {
      const policies = ofType(installed.template(`cluster-${name}`), 'AWS::IAM::Policy')
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
      const text = JSON.stringify(installed.template(`cluster-${name}`))
      expect(text).not.toContain('Fn::ImportValue')
      expect(text).not.toContain('BootstrapVersion')
    }
  })

  it('lets the responder in by a role for each class, from the home account with its external id', () => {
    const roles = ofType(installed.template('cluster-member'), 'AWS::IAM::Role').filter(([id]) =>
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
    expect(ofType(installed.template('cluster-member'), 'AWS::EKS::AccessEntry')).toHaveLength(5)
  })

  it('in another account is named in the policy of the stream and of its key', () => {
    const text = JSON.stringify(installed.only('pipeline', 'AWS::Kinesis::ResourcePolicy'))
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
    const endpoints = (name: string) =>
      installed.template(`cluster-${name}`).Outputs!['VpcEndpoints']!.Value
    expect(endpoints('prod-eu')).toBe(
      'com.amazonaws.eu-central-1.kinesis-streams, com.amazonaws.eu-central-1.eks-auth',
    )
    expect(endpoints('prod-us')).toBe('com.amazonaws.us-east-1.eks-auth')
  })
})

describe('functions in a network', () => {
  it('are told an endpoint for each service that they may call', () => {
    const value = (name: string) => installed.template(name).Outputs!['VpcEndpoints']!.Value
    const of = (...services: string[]) =>
      services.map((service) => `com.amazonaws.eu-central-1.${service}`).join(', ')
    expect(value('response')).toBe(
      of('dynamodb', 'events', 'lambda', 's3', 'secretsmanager', 'sqs', 'sts'),
    )
    expect(value('routing')).toBe(of('dynamodb', 'events', 's3', 'secretsmanager', 'sqs'))
    expect(installed.template('pipeline').Outputs!['VpcEndpoints']).toBeUndefined()
  })

  it('and with FIPS its name for those services that have one', () => {
    const actions = ['dynamodb:Query', 'events:PutEvents', 's3:GetObject', 'sqs:SendMessage']
    const services = functionEndpointServices({ region: 'us-east-1', fips: true }, actions)
    const names = ['dynamodb-fips', 'events', 's3', 'sqs-fips']
    expect(services).toEqual(names.map((name) => `com.amazonaws.us-east-1.${name}`))
  })
})
