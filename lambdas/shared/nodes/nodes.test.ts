import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { StateStore } from '#correlate'
import { testCredentials } from '#testing/aws/faults.ts'
import { startDynamo, type TestDynamo } from '#testing/dynamodb/start-dynamo.ts'
import { MemoryStore } from '#testing/memory-store.ts'
import { DynamoStateStore } from '../dynamo-store.ts'
import type { SensorFinding } from '../sensor-finding.ts'
import type { NodeState } from './node-state.ts'
import { Nodes } from './nodes.ts'
import { type NodeBatch, nodeKey } from './tally.ts'
import { batchOf, notice, sha256, start, sweep } from './testing/samples.ts'

let now = start
let store: StateStore
const make = () => new Nodes({ store, now: () => now * 1000, sha256 })
const told = (findings: readonly SensorFinding[]) =>
  findings.map(({ rule, fields }) => {
    const { 'batch.first': from, 'batch.last': to } = fields
    return from === undefined ? rule : `${rule} ${from}-${to}`
  })

let dynamo: TestDynamo
beforeAll(async () => {
  dynamo = await startDynamo()
})
afterAll(() => dynamo.stop())
beforeEach(() => {
  now = start
  store = new MemoryStore(1_000_000)
})

describe.each(['memory', 'DynamoDB'])('batches that do not come, with state in %s', (kind) => {
  let tables = 0
  beforeEach(async () => {
    if (kind === 'memory') return
    const table = `nodes-${tables++}`
    await dynamo.createTable(table)
    const { endpoint } = dynamo
    store = new DynamoStateStore({
      ...{ table, endpoint, region: 'us-east-1', credentials: testCredentials },
      clock: () => now * 1000,
    })
  })

  it('are told of once, and within 80 seconds', async () => {
    await make().take([batchOf({ sequence: 0 }), batchOf({ sequence: 1 })])
    await make().take([batchOf({ sequence: 4 })])
    await sweep(store, now)
    now += 60
    await make().take([batchOf({ sequence: 5, sealedAt: now * 1000 })])
    expect(told(await sweep(store, now))).toEqual(['Batches of a sensor are missing 2-3'])
    now += 60
    expect(await sweep(store, now)).toEqual([])
  })

  it('are not missed when they are only late, or the batches of several functions cross', async () => {
    const [one, two] = [make(), make()]
    await one.take([batchOf({ sequence: 0 }), batchOf({ sequence: 1 })])
    await two.take([batchOf({ sequence: 2 })])
    await two.take([batchOf({ sequence: 5 })])
    await sweep(store, now + 1)
    await one.take([batchOf({ sequence: 3 }), batchOf({ sequence: 4 })])
    for (const later of [2, 60, 120]) expect(await sweep(store, now + later)).toEqual([])
  })

  it('are told of between two runs, and of a run of which none came', async () => {
    await make().take([batchOf({ sequence: 0 })])
    const previous = { run: 1n, sequence: 2 }
    const second = batchOf({ run: 2n, previous, sealedAt: (start + 1) * 1000 })
    await make().take([second])
    const fourth = batchOf({
      ...{ run: 4n, boot: 'boot-2', previous: { run: 3n, sequence: 7 } },
      sealedAt: (start + 2) * 1000,
    })
    await make().take([fourth])
    await sweep(store, now)
    expect(told(await sweep(store, now + 60)).sort()).toEqual([
      'Batches of a sensor are missing 0-7',
      'Batches of a sensor are missing 1-2',
    ])
  })

  it('are no longer missing when they come after all', async () => {
    await make().take([batchOf({ sequence: 0 }), batchOf({ sequence: 9 })])
    await sweep(store, now)
    await make().take([batchOf({ sequence: 4 })])
    await sweep(store, now)
    const key = nodeKey({ cluster: 'prod', node: 'a', isVerified: true })
    const missing = async () =>
      ((await store.read([key], now)).get(key)!.value as unknown as NodeState).runs[0]!.missing.map(
        ({ from, to }) => [from, to],
      )
    expect(await missing()).toEqual([
      [1, 3],
      [5, 8],
    ])
  })

  it('of a sender that only says it is a node, are not that node’s', async () => {
    const forged = { sender: 'unverified' } as const
    await make().take([batchOf({ sequence: 0 }), batchOf({ sequence: 1 })])
    await make().take([
      batchOf({ sequence: 2 }, { ...forged, notices: [notice('stopped', start * 1000)] }),
      batchOf({ sequence: 90 }, { sender: 'mismatched' }),
    ])
    now += 240
    // The forged goodbye does not excuse it, and its forger is silent under another name.
    const findings = await sweep(store, now)
    expect(findings.map(({ rule, sender }) => `${rule}, ${sender}`)).toEqual([
      'Sensor is silent, verified',
    ])
  })
})

describe('any delivery', () => {
  it('comes to the same: what was lost, and nothing else', async () => {
    const plan = fc.record({
      runs: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }),
      lost: fc.array(fc.nat(60), { maxLength: 8 }),
      cuts: fc.array(fc.nat(60), { maxLength: 8 }),
      again: fc.array(fc.nat(60), { maxLength: 10 }),
      swaps: fc.array(fc.nat(60), { maxLength: 6 }),
      sweeps: fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }),
    })
    await fc.assert(
      fc.asyncProperty(plan, async ({ runs, lost, cuts, again, swaps, sweeps }) => {
        store = new MemoryStore()
        const functions = [make(), make(), make()]
        const all: NodeBatch[] = []
        for (const [run, count] of runs.entries()) {
          const previous =
            run === 0 ? undefined : { run: BigInt(run), sequence: runs[run - 1]! - 1 }
          for (let sequence = 0; sequence < count; sequence += 1) {
            const sealedAt = start * 1000 + all.length * 10
            all.push(batchOf({ run: BigInt(run + 1), sequence, previous, sealedAt }))
          }
        }
        // The first of all says where counting begins, the last one how far, and one of each run
        // where the run before it ended.
        const isKept = (at: number) => {
          const { run, sequence } = all[at]!.header
          return at === 0 || at === all.length - 1 || sequence === runs[Number(run) - 1]! >> 1
        }
        const isLost = (at: number) => !isKept(at) && lost.some((one) => one % all.length === at)
        const came = all.filter((_, at) => !isLost(at))
        const order = [...came]
        for (const at of swaps.map((one) => 1 + (one % order.length))) {
          if (at + 1 < order.length) [order[at], order[at + 1]] = [order[at + 1]!, order[at]!]
        }
        // The stream took them in this order; what comes again keeps its time.
        for (const [at, batch] of order.entries()) {
          Object.assign(batch, { arrivedAt: start * 1000 + at * 10 })
        }
        for (const at of again) {
          const from = at % order.length
          order.splice(from + 1 + ((at * 7) % (order.length - from)), 0, order[from]!)
        }
        const ends = [...new Set([...cuts.map((cut) => cut % order.length), order.length])]
        let from = 0
        for (const [call, end] of ends.sort((a, b) => a - b).entries()) {
          await functions[call % 3]!.take(order.slice(from, end))
          if (sweeps[call % 10]) await sweep(store, start + 1)
          from = end
        }
        const findings = [await sweep(store, start + 2), await sweep(store, start + 100)].flat()
        const found = findings.flatMap(({ rule, fields }) => {
          if (!rule.startsWith('Batches')) return []
          const { 'sensor.run': run, 'batch.first': first, 'batch.count': count } = fields
          return Array.from({ length: count as number }, (_, at) => `${run}/${Number(first) + at}`)
        })
        const expected = all.filter((_, at) => isLost(at))
        expect(found.sort()).toEqual(
          expected.map(({ header }) => `${header.run}/${header.sequence}`).sort(),
        )
        // Late, all of them come: nothing is missing any more, and nothing is told again.
        await functions[0]!.take(all)
        expect((await sweep(store, start + 101)).map(({ rule }) => rule)).toEqual([])
        const key = nodeKey({ cluster: 'prod', node: 'a', isVerified: true })
        const state = (await store.read([key], now)).get(key)!.value as unknown as NodeState
        expect(state.runs.flatMap(({ missing }) => missing)).toEqual([])
      }),
      { numRuns: 300 },
    )
  })
})

describe('lost events', () => {
  const lost = (counts: object) => ({ seen: 0, filtered: 0, folded: 0, lost: counts })

  it('are told of by how many more they are', async () => {
    await make().take([
      batchOf({ sequence: 0, counters: lost({}) }),
      batchOf({ sequence: 1, counters: lost({ 'ring-file': 5 }) }),
    ])
    const [first] = await sweep(store, now)
    expect(first).toMatchObject({ rule: 'Sensor lost events', fields: { 'lost.ring-file': 5 } })
    expect(await sweep(store, now + 1)).toEqual([])
    await make().take([batchOf({ sequence: 2, counters: lost({ 'ring-file': 7, spool: 1 }) })])
    const [second, ...more] = await sweep(store, now + 2)
    expect(second).toMatchObject({ fields: { 'lost.ring-file': 2, 'lost.spool': 1 } })
    expect(more).toEqual([])
    await make().take([batchOf({ sequence: 1, counters: lost({ 'ring-file': 5 }) })])
    expect(await sweep(store, now + 3)).toEqual([])
  })

  it('and missing batches are with the batches around them', async () => {
    const nodes = make()
    const at = (seconds: number) => (start + seconds) * 1000
    const before = batchOf({ sequence: 0, sealedAt: at(0) })
    const after = batchOf({ sequence: 3, sealedAt: at(10) })
    const later = batchOf({ sequence: 4, sealedAt: at(20), counters: lost({ queue: 2 }) })
    const { gapsOf } = await nodes.take([before, after])
    expect(gapsOf(after.header)).toEqual(['batches 1 to 2 are missing'])
    await sweep(store, start + 10)
    now += 61
    expect((await nodes.take([later])).gapsOf(later.header)).toEqual([
      `2 events lost at queue since ${new Date(at(10)).toISOString()}`,
    ])
    const spanning = batchOf({ sequence: 4, sealedAt: at(5) })
    expect((await make().take([spanning])).gapsOf(spanning.header)).toEqual([
      'batches 1 to 2 are missing',
    ])
  })
})

describe('what a function writes', () => {
  it('is one item a call, however many nodes it has up to a hundred', async () => {
    const writes: number[] = []
    const counting: StateStore = {
      read: (keys, at) => store.read(keys, at),
      due: (at, limit) => store.due(at, limit),
      write: (all) => {
        writes.push(all.length)
        return store.write(all)
      },
    }
    const nodes = new Nodes({ store: counting, now: () => now * 1000, sha256 })
    await nodes.take(Array.from({ length: 90 }, (_, at) => batchOf({ node: `n-${at}` })))
    expect(writes).toEqual([1])
  })
})
