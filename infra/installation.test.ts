import { readFileSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { listBytes, mostAccounts } from './config-limits.ts'
import { full, Installation } from './testing/installation.ts'
import { ofType, type Synthesised, synthesise } from './testing/synthesise.ts'
import { topology } from './topology/index.ts'

vi.setConfig({ hookTimeout: 120_000, testTimeout: 60_000 })

let installed: Installation
let longer: Synthesised
/** As many accounts as there may be, in a partition with a long name, with FIPS. */
let most: Synthesised
beforeAll(async () => {
  installed = new Installation(await synthesise(full))
  longer = await synthesise({ response: true, evidenceDays: 365 })
  most = await synthesise({
    ...{ account: '999999999999', region: 'us-gov-west-1', fips: true },
    memberAccounts: Array.from({ length: mostAccounts }, (_, at) => `${100_000_000_000 + at}`),
    clusters: [{ name: 'a_b' }],
  })
})
afterAll(() => {
  const made = [installed.made, longer, most]
  for (const { directory } of made) rmSync(directory, { recursive: true, force: true })
})

describe('an installation', () => {
  it('is as it was', async () => {
    const text = JSON.stringify(installed.made.templates, null, 1)
      .replaceAll(/\b[0-9a-f]{64}\b/g, 'HASH')
      .replaceAll(/"Value": "HASH(\.\w+)?"/g, '"Value": "HASH"')
    const lines = Object.entries(JSON.parse(text) as typeof installed.made.templates).flatMap(
      ([stack, { Resources }]) =>
        Object.entries(Resources).map(
          ([id, { Type, Properties }]) => `${stack} ${id} ${Type} ${JSON.stringify(Properties)}`,
        ),
    )
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('./testing/templates.snap')
  })

  it('has the function of every stage, as its contract and the topology say', () => {
    const functions = installed.all().filter(([, { Type }]) => Type === 'AWS::Lambda::Function')
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
    for (const [id, { Properties }] of installed.all()) {
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
    const alarms = ofType(installed.template('operations'), 'AWS::CloudWatch::Alarm')
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
