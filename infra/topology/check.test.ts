import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type KnownContract, topologyMistakes } from './check.ts'
import { topology } from './index.ts'
import type { FunctionSpec, Topology } from './types.ts'

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

const work: FunctionSpec = {
  ...{ stage: 'work', memoryMiB: 128, timeoutSeconds: 30, env: { TABLE: { of: 'table' } } },
  triggers: [],
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
        triggers: [
          { kind: 'queue', queue: 'queue', batchSize: 1, windowSeconds: 0 },
          { kind: 'queue', queue: 'dead', batchSize: 1, windowSeconds: 0 },
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
    expect(mistakes(other)).toEqual(['other: there is no lambdas/other/contract.ts'])
  })
})
