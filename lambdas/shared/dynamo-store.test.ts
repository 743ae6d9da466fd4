import { DeleteItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Json, StateUnavailable, type StateWrite, stateValueLimit } from '#correlate'
import { testCredentials } from '#testing/aws/faults.ts'
import { noFaults } from '#testing/dynamodb/faults.ts'
import { startDynamo, type TestDynamo } from '#testing/dynamodb/start-dynamo.ts'
import { describeStateStore } from '#testing/state-store-contract.ts'
import { DynamoCalls } from './dynamo-calls.ts'
import { DynamoStateStore, type DynamoStateStoreOptions } from './dynamo-store.ts'

let dynamo: TestDynamo
let table = ''
let tables = 0
let stores: DynamoStateStore[] = []

beforeAll(async () => {
  dynamo = await startDynamo()
})
afterAll(() => dynamo.stop())
beforeEach(async () => {
  tables += 1
  table = `state-${tables}`
  await dynamo.createTable(table)
})
afterEach(() => {
  Object.assign(dynamo.faults, noFaults)
  for (const store of stores) store.close()
  stores = []
})

/** A store whose pauses cost no time. */
function makeStore(options: Partial<DynamoStateStoreOptions> = {}): DynamoStateStore {
  let now = 0
  const store = new DynamoStateStore({
    table,
    endpoint: dynamo.endpoint,
    region: 'us-east-1',
    credentials: testCredentials,
    now: () => now,
    sleep: async (ms) => {
      now += ms
      await new Promise((resolve) => setImmediate(resolve))
    },
    ...options,
  })
  stores.push(store)
  return store
}

const never = 4_000_000_000
const write = (key: string, value: Json, from = 0, more: Partial<StateWrite> = {}): StateWrite => ({
  ...{ key, value, from, expires: never },
  ...more,
})
const keys = (count: number, name = 'group') =>
  Array.from({ length: count }, (_, at) => `${name}-${at}`)
/** What a call adds to the counts of the service. */
const counted = async (call: () => Promise<unknown>) => {
  const before = { ...dynamo.counts }
  await call()
  const { requests, writeUnits, readUnits } = dynamo.counts
  return {
    requests: requests - before.requests,
    writeUnits: writeUnits - before.writeUnits,
    readUnits: readUnits - before.readUnits,
  }
}
/** Adds one to a counter until it is told that it was taken, as a caller is to do it. */
async function countOn(store: DynamoStateStore, key: string, id: string): Promise<void> {
  for (;;) {
    const item = (await store.read([key], 0)).get(key)
    const ids = (item?.value ?? []) as string[]
    if (ids.includes(id)) return
    const conflicts = await store.write([write(key, [...ids, id], item?.version ?? 0)])
    if (conflicts.length === 0) return
  }
}

describeStateStore('DynamoDB', async () => makeStore())

describe('items', () => {
  it('are written once for each version', async () => {
    const store = makeStore()
    expect(await store.write([write('a', { n: 1 }), write('b', 'x')])).toEqual([])
    expect(
      await store.write([write('a', { n: 2 }, 1), write('b', 'y', 0), write('c', 1, 3)]),
    ).toEqual(['b', 'c'])
    expect(await store.read(['a', 'b', 'c', 'a'], 0)).toEqual(
      new Map([
        ['a', { value: { n: 2 }, version: 2 }],
        ['b', { value: 'x', version: 1 }],
      ]),
    )
    expect(store.counts.conflicts).toBe(2)
  })

  it('come back as they were, whatever they hold', async () => {
    const store = makeStore()
    const value = fc
      .jsonValue({ maxDepth: 3 })
      .map((any) => JSON.parse(JSON.stringify(any)) as Json)
    const key = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
    let round = 0
    await fc.assert(
      fc.asyncProperty(key, value, async (text, value) => {
        round += 1
        const key = `${round} ${text}`
        await store.write([write(key, value)])
        expect((await store.read([key], 0)).get(key)?.value).toEqual(value)
      }),
      { numRuns: 60 },
    )
  })

  it('may be large: they are compressed, and refused above the limit', async () => {
    const store = makeStore()
    const line = 'a line that comes again and again, '
    const large = line.repeat(Math.floor((stateValueLimit - 2) / line.length))
    const cost = await counted(() => store.write([write('large', large)]))
    expect(cost.writeUnits).toBe(1)
    expect((await store.read(['large'], 0)).get('large')?.value).toBe(large)
    await expect(store.write([write('x', 1), write('over', `${large}${line}`)])).rejects.toThrow(
      RangeError,
    )
    expect((await store.read(['x'], 0)).size).toBe(0)
  })

  it('are read in batches of 100, again for those left unprocessed', async () => {
    const store = makeStore()
    const all = keys(250)
    await store.write(all.map((key, at) => write(key, at)))
    expect((await counted(() => store.read(all, 0))).requests).toBe(3)
    const asked = new Map<string, number>()
    dynamo.faults.unprocessed = ({ pk }) => {
      const key = String(pk?.['S'])
      asked.set(key, (asked.get(key) ?? 0) + 1)
      return asked.get(key)! <= Number(key.at(-1)) % 4
    }
    const items = await store.read([...all, 'absent'], 0)
    expect(items.size).toBe(250)
    expect(all.every((key, at) => items.get(key)?.value === at)).toBe(true)
    dynamo.faults.unprocessed = ({ pk }) => pk?.['S'] === 'state#group-7'
    await expect(store.read(all, 0)).rejects.toThrow(StateUnavailable)
  })

  it('are not there after their time, stored or not, and may be made anew', async () => {
    const store = makeStore()
    await store.write([
      write('a', 'old', 0, { expires: 100 }),
      write('b', 'old', 0, { expires: 100 }),
    ])
    expect((await store.read(['a'], 100)).size).toBe(1)
    expect((await store.read(['a', 'b'], 101)).size).toBe(0)
    await dynamo.client.send(
      new DeleteItemCommand({ TableName: table, Key: { pk: { S: 'state#b' }, sk: { S: '.' } } }),
    )
    expect(await store.write([write('a', 'new'), write('b', 'new')])).toEqual([])
    expect(await store.write([write('a', 'newer'), write('b', 'newer')])).toEqual(['a', 'b'])
    expect([...(await store.read(['a', 'b'], 101)).values()]).toEqual([
      { value: 'new', version: 1 },
      { value: 'new', version: 1 },
    ])
  })

  it('have all a time to live', async () => {
    const store = makeStore()
    await store.write([write('a', 1, 0, { due: 100 }), write('b', 1)])
    const { Items = [] } = await dynamo.client.send(new ScanCommand({ TableName: table }))
    expect(Items).toHaveLength(4)
    expect(Items.every(({ expires }) => Number(expires?.N) > 0)).toBe(true)
  })
})

describe('a service that fails', () => {
  it('loses answers: what was written all the same is not a conflict', async () => {
    const store = makeStore()
    await store.write([write('b', 'theirs')])
    let dropped = 0
    dynamo.faults.drop = ({ operation, body }) => {
      if (operation !== 'PutItem' || body.includes('state#c') || dropped >= 2) return undefined
      dropped += 1
      return 'after'
    }
    expect(await store.write([write('a', 1), write('b', 'ours'), write('c', 1)])).toEqual(['b'])
    expect(dropped).toBe(2)
    expect(store.counts).toMatchObject({ lostAnswers: 1, conflicts: 1, retries: 2 })
    expect((await store.read(['a'], 0)).get('a')).toEqual({ value: 1, version: 1 })
    expect((await store.read(['b'], 0)).get('b')?.value).toBe('theirs')
    // The same for an item that had expired, whose write takes two steps.
    await store.write([write('old', 1, 0, { expires: 10 })])
    await store.read([], 11)
    dropped = 1
    expect(await store.write([write('old', 2)])).toEqual([])
    expect((await store.read(['old'], 11)).get('old')).toEqual({ value: 2, version: 1 })
  })

  it('tells a conflict when somebody wrote upon a write whose answer was lost', async () => {
    const [ours, theirs] = [makeStore({ sleep: () => interlude() }), makeStore()]
    const interlude = async () => {
      dynamo.faults.drop = undefined
      await countOn(theirs, 'a', 'theirs')
    }
    dynamo.faults.drop = 'after'
    expect(await ours.write([write('a', ['ours'])])).toEqual(['a'])
    // The caller reads again, and finds what it wanted to add.
    await countOn(ours, 'a', 'ours')
    expect((await ours.read(['a'], 0)).get('a')).toEqual({ value: ['ours', 'theirs'], version: 2 })
  })

  it('counts right with writers against each other and every fault there is', async () => {
    let seed = 7
    const draw = () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      return seed / 2 ** 32
    }
    dynamo.faults.drop = () => (draw() < 0.1 ? (draw() < 0.7 ? 'after' : 'before') : undefined)
    dynamo.faults.throttle = () => (draw() < 0.1 ? 'ThrottlingException' : undefined)
    const writers = keys(6, 'writer').map((name) => ({ name, store: makeStore() }))
    await Promise.all(
      writers.map(async ({ name, store }) => {
        for (const id of keys(12, name)) await countOn(store, 'count', id)
      }),
    )
    Object.assign(dynamo.faults, noFaults)
    const { value, version } = (await makeStore().read(['count'], 0)).get('count')!
    expect(new Set(value as string[]).size).toBe(72)
    expect(value).toHaveLength(72)
    expect(version).toBe(72)
    expect(writers.some(({ store }) => store.counts.lostAnswers > 0)).toBe(true)
  })

  it('throttles for a while: pauses grow, differ, and stay within the time', async () => {
    const pauses: number[] = []
    let now = 0
    const sleep = async (ms: number) => {
      pauses.push(ms)
      now += ms
    }
    const draws = [1, 0.5, 1, 0.25]
    const store = makeStore({
      now: () => now,
      sleep,
      random: () => draws[pauses.length % 4]!,
      backOff: { firstMs: 100, maxMs: 400 },
      budgetMs: 2000,
    })
    dynamo.faults.throttle = () =>
      pauses.length < 4 ? 'ProvisionedThroughputExceededException' : undefined
    expect(await store.write([write('a', 1)])).toEqual([])
    expect(pauses).toEqual([100, 100, 400, 100])
    dynamo.faults.throttle = () => 'ThrottlingException'
    await expect(store.read(['a'], 0)).rejects.toThrow(StateUnavailable)
    expect(now).toBeLessThanOrEqual(700 + 2000)
  })

  it.each([
    ['answers 500', () => (dynamo.faults.error = { status: 500, code: 'InternalServerError' })],
    ['answers 503', () => (dynamo.faults.error = { status: 503, code: 'ServiceUnavailable' })],
    ['ends connections', () => (dynamo.faults.drop = 'before')],
    ['takes too long', () => (dynamo.faults.delayMs = 200)],
  ])('is unavailable when it %s, and served again when it does not', async (_, fail) => {
    const store = makeStore({ requestTimeoutMs: 50, budgetMs: 300 })
    fail()
    const failure = await store.write([write('a', 1)]).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(StateUnavailable)
    expect((failure as Error).cause).toBeInstanceOf(Error)
    await expect(store.read(['a'], 0)).rejects.toThrow(StateUnavailable)
    await expect(store.due(100, 10)).rejects.toThrow(StateUnavailable)
    Object.assign(dynamo.faults, noFaults)
    await countOn(makeStore(), 'b', 'x')
  })

  it('is unavailable when it refuses connections', async () => {
    const store = makeStore({ budgetMs: 300 })
    await dynamo.refuse()
    await expect(store.write([write('a', 1)])).rejects.toThrow(StateUnavailable)
    await dynamo.accept()
    expect(await store.write([write('a', 1)])).toEqual([])
  })

  it('is not asked again what it refuses', async () => {
    const store = makeStore()
    dynamo.faults.error = { status: 400, code: 'AccessDeniedException' }
    const cost = await counted(() =>
      expect(store.write([write('a', 1)])).rejects.toMatchObject({ name: 'AccessDeniedException' }),
    )
    expect(store.counts.requests).toBe(1)
    expect(cost.requests).toBe(1)
  })

  it('has no more requests at once than it may', async () => {
    const calls = new DynamoCalls({ concurrency: 3 })
    let open = 0
    let most = 0
    const request = async () => {
      open += 1
      most = Math.max(most, open)
      await new Promise((resolve) => setImmediate(resolve))
      open -= 1
      if (most === 3) throw new Error('a failure gives its place back')
    }
    await Promise.allSettled(keys(40).map(() => calls.send(request)))
    expect(most).toBe(3)
    expect(calls.counts.requests).toBe(40)
  })
})

describe('deadlines', () => {
  it('are named when they come, the oldest first, until their item is written anew', async () => {
    const store = makeStore()
    const dues = [1000, 30, 500, 90, 2000]
    await store.write(dues.map((due) => write(`at-${due}`, due, 0, { due })))
    expect(await store.due(29, 10)).toEqual([])
    expect(await store.due(500, 10)).toEqual(['at-30', 'at-90', 'at-500'])
    expect(await store.due(5000, 2)).toEqual(['at-30', 'at-90'])
    await store.write([write('at-30', 0, 1), write('at-90', 0, 1, { due: 600 })])
    expect(await store.due(1500, 10)).toEqual(['at-500', 'at-90', 'at-1000'])
  })

  it('leave nothing behind when they are done', async () => {
    let clock = 0
    const store = makeStore({ clock: () => clock, deadlineGraceMs: 60_000 })
    await store.write(keys(40).map((key, at) => write(key, 1, 0, { due: 100 + at * 10 })))
    const due = await store.due(1000, 100)
    expect(due).toHaveLength(40)
    await store.write(due.map((key) => write(key, 2, 1)))
    clock = 59_000
    expect(await store.due(1000, 100)).toEqual([])
    const left = async () =>
      (await dynamo.client.send(new ScanCommand({ TableName: table }))).Items!.filter(
        ({ pk }) => !pk!.S!.startsWith('state#'),
      ).length
    expect(await left()).toBeGreaterThan(40)
    clock = 60_000
    await store.due(1000, 100)
    await store.due(1000, 100)
    expect(await left()).toBe(0)
    expect((await counted(() => store.due(1000, 100))).requests).toBe(1)
  })

  it('stay for a writer that is between the entry and the item', async () => {
    let clock = 0
    const sweeper = makeStore({ clock: () => clock })
    const swept: (readonly string[])[] = []
    const writer = makeStore({
      clock: () => clock,
      // The first attempt at the item has failed: another function sweeps before the second.
      sleep: async () => {
        clock += 5000
        swept.push(await sweeper.due(1000, 10))
        dynamo.faults.drop = undefined
      },
    })
    dynamo.faults.drop = ({ operation, body }) =>
      operation === 'PutItem' && body.includes('state#slow') ? 'before' : undefined
    await writer.write([write('slow', 1, 0, { due: 500 })])
    expect(swept).toEqual([[]])
    expect(await sweeper.due(1000, 10)).toEqual(['slow'])
  })

  it('are as many as a sweep may name, from a bucket with many more', async () => {
    const store = makeStore({ deadlineShards: 3 })
    await store.write(keys(120).map((key, at) => write(key, at, 0, { due: 60 + (at % 60) })))
    const named = await store.due(1000, 50)
    expect(named).toHaveLength(50)
    const dueOf = (key: string) => 60 + (Number(key.slice(6)) % 60)
    expect(named.map(dueOf)).toEqual(
      keys(120)
        .map(dueOf)
        .sort((a, b) => a - b)
        .slice(0, 50),
    )
  })

  it('agree with a plain map, whatever is written and swept, over any number of shards', async () => {
    const step = fc.oneof(
      fc.record({
        key: fc.constantFrom('a', 'b', 'c', 'd'),
        due: fc.option(fc.integer({ min: 0, max: 400 }), { nil: undefined }),
        lives: fc.integer({ min: 50, max: 600 }),
        by: fc.constantFrom(0, 1),
      }),
      fc.record({
        passes: fc.integer({ min: 0, max: 120 }),
        limit: fc.integer({ min: 1, max: 5 }),
      }),
    )
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 25 }),
        fc.integer({ min: 1, max: 3 }),
        async (steps, shards) => {
          run += 1
          let now = 0
          const clock = () => now * 1000
          const both = [
            makeStore({ clock, deadlineShards: shards }),
            makeStore({ clock, deadlineShards: 2 }),
          ]
          const model = new Map<string, { due: number | undefined; expires: number }>()
          for (const one of steps) {
            if ('key' in one) {
              const key = `${run}-${one.key}`
              const store = both[one.by]!
              const from = (await store.read([key], now)).get(key)?.version ?? 0
              const expires = now + one.lives
              const due = one.due === undefined ? undefined : now + one.due - 100
              const given = { expires, ...(due !== undefined && { due: Math.max(0, due) }) }
              expect(await store.write([write(key, 1, from, given)])).toEqual([])
              model.set(key, { due: given.due, expires })
            } else {
              now += one.passes
              const expected = [...model]
                .filter(([, { due, expires }]) => due !== undefined && due <= now && expires >= now)
                .sort(([a, x], [b, y]) => x.due! - y.due! || (a < b ? -1 : 1))
                .map(([key]) => key)
              const named = (await both[0]!.due(now, 1000)).filter((key) =>
                key.startsWith(`${run}-`),
              )
              expect(named).toEqual(expected)
            }
          }
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('the bill', () => {
  /** 1,000 updates of 100 groups, each read and written in batches, as an evaluation does it. */
  const update = async (more: (round: number) => Partial<StateWrite>) => {
    const store = makeStore({ clock: () => 0 })
    const groups = keys(100)
    for (let round = 0; round < 10; round += 1) {
      const items = await store.read(groups, 0)
      const writes = groups.map((key) =>
        write(
          key,
          { count: round, members: keys(8, 'member') },
          items.get(key)?.version ?? 0,
          more(round),
        ),
      )
      expect(await store.write(writes)).toEqual([])
    }
  }

  it('is one write unit an update, with or without a deadline that moves on', async () => {
    expect(await counted(() => update(() => ({})))).toMatchObject({
      requests: 1010,
      writeUnits: 1000,
    })
    table = `${table}-due`
    await dynamo.createTable(table)
    const moving = await counted(() => update((round) => ({ due: 3600 + round })))
    // 100 entries of deadlines more, and the names of their four buckets.
    expect(moving).toEqual({ requests: 1114, writeUnits: 1104, readUnits: 1000 })
  })
})
