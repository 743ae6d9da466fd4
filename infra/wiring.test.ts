import { rmSync } from 'node:fs'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { StageContract } from '../lambdas/shared/contract.ts'
import { type Synthesised, synthesise, type Template } from './testing/synthesise.ts'
import { wiringMistakes } from './testing/wiring.ts'
import { topology } from './topology/index.ts'

vi.setConfig({ hookTimeout: 240_000, testTimeout: 240_000 })

let made: Synthesised
const contracts: Record<string, StageContract> = {}

beforeAll(async () => {
  made = await synthesise({
    ...{ account: '111111111111', region: 'eu-central-1', response: true },
    reservedConcurrency: true,
    clusters: [{ name: 'prod' }],
    approvers: ['arn:aws:sts::111111111111:assumed-role/Responders/*'],
  })
  rmSync(made.directory, { recursive: true, force: true })
  for (const { stage } of topology.functions) {
    contracts[stage] = (await import(`../lambdas/${stage}/contract.ts`)).contract
  }
})

const settings = {
  ...{ account: '111111111111', region: 'eu-central-1', clusters: 'prod' },
  approvers: 'arn:aws:sts::111111111111:assumed-role/Responders/*',
  'respond-secrets': 'lanner/respond/',
}
const mistakes = (templates: Readonly<Record<string, Template>>) =>
  wiringMistakes({ templates, topology, contracts, settings })

/** What may differ without a handler noticing; each has its own test, or is for people alone. */
const others: Readonly<Record<string, readonly string[]>> = {
  'AWS::Lambda::Function': [
    ...['Architectures', 'Code', 'Description', 'LoggingConfig', 'Tags', 'TracingConfig'],
  ],
  'AWS::Lambda::EventSourceMapping': ['Tags'],
  'AWS::Lambda::EventInvokeConfig': [],
  'AWS::Lambda::Permission': [],
  'AWS::Events::EventBus': ['Description', 'Tags'],
  'AWS::Events::Rule': ['Tags', 'Targets.0.Id'],
  'AWS::SQS::Queue': ['Tags', 'KmsDataKeyReusePeriodSeconds', 'KmsMasterKeyId', 'QueueName'],
}

type Json = Readonly<Record<string, unknown>>
interface Mutation {
  readonly what: string
  readonly templates: Readonly<Record<string, Template>>
}

function* mutationsOf(templates: Readonly<Record<string, Template>>): Generator<Mutation> {
  for (const [stack, template] of Object.entries(templates)) {
    for (const [id, resource] of Object.entries(template.Resources)) {
      const where = `${stack} ${id}`
      const withResource = (changed: object | undefined) => {
        const { [id]: _, ...rest } = template.Resources
        const Resources = { ...rest, ...(changed !== undefined && { [id]: changed as never }) }
        return { ...templates, [stack]: { ...template, Resources } }
      }
      if (resource.Type === 'AWS::IAM::Policy' && /stagerole/.test(id)) {
        yield* grantMutations(where, resource as unknown as Json, withResource)
      }
      if (resource.Type === 'AWS::SQS::QueuePolicy' && wantsRules(id)) {
        yield { what: `${where}: none`, templates: withResource(undefined) }
        const [deny] = (resource.Properties['PolicyDocument'] as { Statement: unknown[] }).Statement
        const PolicyDocument = { Statement: [deny] }
        const changed = { ...resource, Properties: { ...resource.Properties, PolicyDocument } }
        yield { what: `${where}: rules may not send`, templates: withResource(changed) }
        if (id.startsWith('busdead')) {
          const text = JSON.stringify(resource).replaceAll(':event-bus/', ':other/')
          yield {
            what: `${where}: the bus may not send`,
            templates: withResource(JSON.parse(text)),
          }
        }
      }
      const free = others[resource.Type]
      if (free === undefined) continue
      const isEnd = resource.Type === 'AWS::SQS::Queue' && /dead[0-9A-F]{8}$/.test(id)
      // of a queue's own dead-letter queue its redrive policy speaks
      if (isEnd) continue
      yield { what: `${where}: none`, templates: withResource(undefined) }
      for (const [path, Properties] of changesOf(resource.Properties, '')) {
        if (free.some((one) => path === one || path.startsWith(`${one}.`))) continue
        yield { what: `${where}: ${path}`, templates: withResource({ ...resource, Properties }) }
      }
    }
  }
}

/** Queues that rules send to: those of routes, and where things end. */
function wantsRules(id: string): boolean {
  return /^(routing|responding|busdead)Policy/.test(id)
}

/** Each action of each statement taken away, and each statement led elsewhere. */
function* grantMutations(
  where: string,
  resource: Json,
  withResource: (changed: object) => Mutation['templates'],
): Generator<Mutation> {
  const properties = resource['Properties'] as Json
  const { Statement } = properties['PolicyDocument'] as {
    Statement: { Action: string | string[]; Resource: unknown }[]
  }
  const change = (at: number, statement: object | undefined) => {
    const rest = Statement.flatMap((one, index) =>
      index !== at ? [one] : statement === undefined ? [] : [statement],
    )
    const PolicyDocument = { ...(properties['PolicyDocument'] as object), Statement: rest }
    return withResource({ ...resource, Properties: { ...properties, PolicyDocument } })
  }
  for (const [at, statement] of Statement.entries()) {
    const actions = [statement.Action].flat()
    const others = Statement.filter((one) => one !== statement)
    // logs, traces and networks are of every role, see permissions.test.ts
    const ours = actions.filter((action) => !/^(logs|xray|ec2):/.test(action))
    for (const action of ours) {
      const rest = actions.filter((one) => one !== action)
      const changed = rest.length === 0 ? undefined : { ...statement, Action: rest }
      // a key's actions beyond those that any use needs
      if (['kms:Encrypt', 'kms:DescribeKey'].includes(action)) continue
      const isTwice = isGivenBy(others, action, statement)
      if (isTwice) continue
      yield { what: `${where}: no ${action}`, templates: change(at, changed) }
    }
    if (ours.every((action) => isGivenBy(others, action, statement))) continue
    const elsewhere = { ...statement, Resource: 'arn:aws:s3:::elsewhere' }
    yield { what: `${where}: ${ours[0]} elsewhere`, templates: change(at, elsewhere) }
  }
}

interface Grant {
  readonly Action: string | readonly string[]
  readonly Resource: unknown
}

/** Whether other statements allow an action on all that a statement is about. */
function isGivenBy(others: readonly Grant[], action: string, { Resource }: Grant): boolean {
  const given = new Set(
    others
      .filter(({ Action }) => [Action].flat().includes(action))
      .flatMap((one) => [one.Resource].flat().map((resource) => JSON.stringify(resource))),
  )
  return [Resource].flat().every((resource) => given.has(JSON.stringify(resource)))
}

/** A value with each part of it taken away or changed, with the path of the part. */
function* changesOf(value: unknown, path: string): Generator<readonly [string, unknown]> {
  if (Array.isArray(value)) {
    for (const [at, one] of value.entries()) {
      const below = path === '' ? String(at) : `${path}.${at}`
      yield [below, value.filter((_, index) => index !== at)]
      for (const [inner, changed] of changesOf(one, below)) yield [inner, value.with(at, changed)]
    }
    return
  }
  if (value === null || typeof value !== 'object') {
    yield [path, typeof value === 'number' ? value + 1 : `${value}x`]
    return
  }
  for (const [key, one] of Object.entries(value)) {
    const below = path === '' ? key : `${path}.${key}`
    const { [key]: _, ...rest } = value as Json
    yield [below, rest]
    if (key === 'Ref' || key.startsWith('Fn::')) {
      yield [below, 'elsewhere']
      continue
    }
    for (const [inner, changed] of changesOf(one, below))
      yield [inner, { ...value, [key]: changed }]
  }
}

describe('what handlers depend on', () => {
  it('is in the templates', () => {
    expect(mistakes(made.templates)).toEqual([])
  })

  it('is missed as soon as any of it is broken', () => {
    const unseen: string[] = []
    const counts: Record<string, number> = {}
    for (const { what, templates } of mutationsOf(made.templates)) {
      const [, id = ''] = what.split(' ')
      const type = made.templates[what.split(' ')[0]!]!.Resources[id.replace(':', '')]!.Type
      counts[type] = (counts[type] ?? 0) + 1
      if (mistakes(templates).length === 0) unseen.push(what)
    }
    if (process.env['LANNER_SHOW'] === '1') process.stdout.write(`${JSON.stringify(counts)}\n`)
    expect(unseen).toEqual([])
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(1000)
  })
})
