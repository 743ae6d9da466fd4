import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type KnownContract, topologyMistakes } from './check.ts'
import { topology } from './index.ts'
import type { FunctionSpec, Resource, Topology } from './types.ts'

const lambdas = fileURLToPath(new URL('../../lambdas/', import.meta.url))
const stages = readdirSync(lambdas).filter((name) => existsSync(`${lambdas}${name}/handler.ts`))
const contracts: Record<string, KnownContract> = {}
for (const stage of stages) {
  contracts[stage] = (await import(`${lambdas}${stage}/contract.ts`)).contract
}

describe('the topology', () => {
  it('has every function there is, and nothing wrong', () => {
    expect(topology.functions.map(({ stage }) => stage).sort()).toEqual(stages.sort())
    expect(topologyMistakes(topology, contracts)).toEqual([])
  })
})

const plain = { kind: 'queue', batchSize: 1, windowSeconds: 0, maximumConcurrency: 2 } as const
const work: FunctionSpec = {
  ...{ stage: 'work', memoryMiB: 128, timeoutSeconds: 20, env: { TABLE: { of: 'table' } } },
  triggers: [{ ...plain, queue: 'queue' }],
}
const small: Topology = {
  resources: {
    table: { kind: 'table' },
    dead: { kind: 'queue', visibilitySeconds: 10, retentionDays: 1 },
    queue: { kind: 'queue', visibilitySeconds: 20, retentionDays: 1, receives: 3 },
  },
  functions: [work],
}
const known = { work: { env: { TABLE: {} }, permissions: [{ on: 'table' }, { on: 'queue-dead' }] } }
const mistakes = (change: Partial<FunctionSpec>, resources = {}) =>
  topologyMistakes(
    { resources: { ...small.resources, ...resources }, functions: [{ ...work, ...change }] },
    known,
  )

describe('a topology with a mistake', () => {
  it('is told all of them', () => {
    expect(topologyMistakes(small, known)).toEqual([])
    expect(mistakes({ env: { TABEL: { of: 'tabel' } } })).toEqual([
      'work: its contract has no TABEL',
      'work: TABEL is of tabel, which there is not',
      'work: TABLE is not set',
    ])
    expect(
      mistakes({
        timeoutSeconds: 30,
        triggers: [
          { ...plain, queue: 'queue' },
          { ...plain, queue: 'dead' },
          { kind: 'schedule', everyMinutes: 1, retries: 0, dead: 'dead' },
          {
            ...{ kind: 'bus', bus: 'buss', pattern: {}, retries: 5, maxAgeSeconds: 5 },
            dead: 'table',
          },
        ],
      }),
    ).toEqual([
      'work: there is no buss',
      'work: table is a table, not a queue',
      'work: queue has 20 s of visibility, less than the time-out',
      'work: dead has 10 s of visibility, less than the time-out',
      'work: dead has no dead-letter queue and is read',
      'work: events may be 60 to 21600 s old, not 5',
      'work: Lambda retries twice at most',
      'work: a function has one way to fail asynchronously, not: 0 retries, then dead; 5 retries, then table',
    ])
    const delivery = { kind: 'delivery', from: 'table', to: 'lake', by: 'lake' }
    expect(mistakes({}, { delivery })).toEqual([
      'delivery: table is a table, not a stream',
      'delivery: there is no lake',
      'delivery: there is no function lake',
    ])
    const other = { stage: 'other', triggers: [] }
    expect(mistakes(other)).toEqual([
      'queue: nobody reads it',
      'other: nothing invokes it',
      'other: there is no lambdas/other/contract.ts',
    ])
  })
})

describe('a queue that is read', () => {
  const reading = (change: object, more: Partial<FunctionSpec> = {}) =>
    mistakes({ triggers: [{ ...plain, queue: 'queue', ...change } as never], ...more })

  it('says how many copies it may invoke at once, no more than there may be', () => {
    expect(reading({ maximumConcurrency: undefined })).toEqual([
      'work: queue has no maximumConcurrency',
    ])
    expect(reading({ maximumConcurrency: 4 }, { reservedConcurrency: 4 })).toEqual([])
    expect(reading({ maximumConcurrency: 5 }, { reservedConcurrency: 4 })).toEqual([
      'work: queue may invoke 5 copies at once, of 4',
    ])
    expect(reading({ maximumConcurrency: 1 })).toEqual([
      'work: maximumConcurrency is from 2 to 1000, not 1',
    ])
  })

  it('leaves a copy for what else invokes the function', () => {
    const schedule = { kind: 'schedule', everyMinutes: 1, retries: 0, dead: 'dead' } as const
    const triggers = [{ ...plain, queue: 'queue' }, schedule]
    expect(mistakes({ triggers, reservedConcurrency: 3 })).toEqual([])
    expect(mistakes({ triggers, reservedConcurrency: 2 })).toEqual([
      'work: queue may invoke 2 copies at once, of 1',
    ])
  })
})

/** The topology with one thing broken at a time. */
function* broken(): Generator<readonly [what: string, topology: Topology]> {
  const { functions, resources } = topology
  const withFunction = (at: number, change: Partial<FunctionSpec>): Topology => ({
    resources,
    functions: functions.with(at, { ...functions[at]!, ...change }),
  })
  for (const [at, { stage, env, triggers }] of functions.entries()) {
    for (const name of Object.keys(env)) {
      const { [name]: _, ...rest } = env
      if (contracts[stage]!.env[name]!.default === undefined) {
        yield [`${stage} without ${name}`, withFunction(at, { env: rest })]
      }
      const elsewhere = { ...env, [name]: { of: 'nowhere' } }
      yield [`${stage}: ${name} of nothing`, withFunction(at, { env: elsewhere })]
      const misspelt = { ...rest, [`${name}_`]: env[name]! }
      yield [`${stage}: ${name} misspelt`, withFunction(at, { env: misspelt })]
    }
    for (const [index, trigger] of triggers.entries()) {
      const where = `${stage} by ${trigger.kind}`
      const change = (more: object) =>
        withFunction(at, { triggers: triggers.with(index, { ...trigger, ...more } as never) })
      const without = withFunction(at, { triggers: triggers.toSpliced(index, 1) })
      // that a function is swept each minute too is for `wiring.test.ts`
      if (triggers.length === 1) yield [`${where}: none`, without]
      for (const key of Object.keys(trigger)) {
        if (key === 'kind' || key === 'pattern' || (key === 'bus' && trigger.kind === 'bus'))
          continue
        const isNumber = typeof trigger[key as keyof typeof trigger] === 'number'
        yield [`${where}: ${key}`, change({ [key]: isNumber ? -1 : 'nowhere' })]
        if (key === 'maximumConcurrency') {
          const { maximumConcurrency: _, ...rest } = trigger as never as {
            maximumConcurrency: number
          }
          const triggers_ = triggers.with(index, rest as never)
          yield [`${where}: no ${key}`, withFunction(at, { triggers: triggers_ })]
        }
        if (isNumber) yield [`${where}: ${key} endless`, change({ [key]: 1_000_000 })]
      }
    }
  }
  for (const [name, resource] of Object.entries(resources)) {
    const { [name]: _, ...rest } = resources
    if (resource.kind !== 'route' && resource.kind !== 'delivery') {
      yield [`no ${name}`, { resources: rest, functions }]
    }
    for (const key of ['dead', 'to', 'from', 'by', 'bus', 'receives', 'visibilitySeconds']) {
      if (!Object.hasOwn(resource, key)) continue
      const isNumber = typeof resource[key as keyof Resource] === 'number'
      const changed = { ...resource, [key]: isNumber ? 0 : 'nowhere' } as Resource
      yield [`${name}: ${key}`, { resources: { ...resources, [name]: changed }, functions }]
    }
  }
}

it('anything broken in the topology is a mistake', () => {
  const unseen: string[] = []
  let count = 0
  for (const [what, one] of broken()) {
    count += 1
    if (topologyMistakes(one, contracts).length === 0) unseen.push(what)
  }
  expect(unseen).toEqual([])
  expect(count).toBeGreaterThan(300)
})
