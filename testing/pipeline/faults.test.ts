import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ListShardsCommand, SplitShardCommand } from '@aws-sdk/client-kinesis'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { libraryPath } from '../../cli/library-path.ts'
import { main } from '../../cli/main.ts'
import { noFaults } from '../dynamodb/faults.ts'
import { startDynamo, type TestDynamo } from '../dynamodb/start-dynamo.ts'
import { FleetNode } from './fleet.ts'
import { expectedIds, Pipeline } from './pipeline.ts'
import { libraryArtefact } from './records.ts'

vi.setConfig({ testTimeout: 180_000 })
const isLong = process.env['LANNER_LONG'] === '1'

let pipeline: Pipeline
let dynamo: TestDynamo | undefined
afterEach(async () => {
  await pipeline?.stop()
  await dynamo?.stop()
  dynamo = undefined
})

const start = 1_795_680_000_000_000_000n
const second = 1_000_000_000n

/** Batches of some nodes, second by second, each with matches. */
function fleetBatches(nodes: readonly FleetNode[], seconds: number, matching = 3): Uint8Array[] {
  return Array.from({ length: seconds }, (_, at) =>
    nodes.map((node) => node.batch(start + BigInt(at) * second, 30, matching)),
  ).flat()
}
const someNodes = (count = 4) =>
  Array.from({ length: count }, (_, at) => new FleetNode(`node-${at}`))

/** Nothing lost, nothing counted or said twice, the members of a node in their order. */
async function expectWhole(batches: readonly Uint8Array[], artefact = libraryArtefact()) {
  const ids = expectedIds(batches, artefact)
  const { all } = await pipeline.detections()
  const rules = all.filter(({ lanner }) => lanner.kind === 'rule')
  expect(rules.map(({ lanner }) => lanner.id).sort()).toEqual(ids)
  const { said, last } = pipeline.incidents()
  expect(said.filter(({ reason }) => reason === 'opened').length).toBe(last.length)
  for (const { incident } of last) {
    const members = rules.filter(({ lanner }) => lanner.incident === incident.id)
    // what was said last may lag behind, up to the next doubling
    expect(incident.count).toBeLessThanOrEqual(Math.max(members.length, 1))
    expect(incident.count * 2).toBeGreaterThanOrEqual(members.length)
    const times = incident.members.first.map(({ time }) => time)
    expect(times).toEqual([...times].sort())
  }
  const alone = pipeline.said.filter((event) => event['detail-type'] === 'Detection')
  const aloneIds = new Set(alone.map(({ detail }) => (detail as { id: string }).id))
  const capped = last.reduce((sum, { incident }) => {
    const members = all.filter(({ lanner }) => lanner.incident === incident.id).length
    return sum + Math.min(100, members)
  }, 0)
  expect(aloneIds.size).toBe(capped)
}

describe('the pipeline', () => {
  it('loses nothing and says nothing twice when its functions are killed in mid-batch', async () => {
    pipeline = await Pipeline.start()
    const evaluate = pipeline.stack.lambdas.get('evaluate')!
    const batches = fleetBatches(someNodes(), 30)
    let isOver = false
    const killer = (async () => {
      for (let round = 0; round < 6 && !isOver; round++) {
        await new Promise((resolve) => setTimeout(resolve, 300 + round * 130))
        await evaluate.kill()
      }
    })()
    for (let at = 0; at < batches.length; at += 8) {
      await pipeline.put(batches.slice(at, at + 8))
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
    await killer
    isOver = true
    await pipeline.stack.settle(60_000)
    expect(evaluate.counts.ended).toBeGreaterThan(0)
    await expectWhole(batches)
  })

  it('takes every record twice, and late ones out of their order', async () => {
    pipeline = await Pipeline.start()
    const batches = fleetBatches(someNodes(), 12)
    await pipeline.put(batches)
    await pipeline.put(batches)
    await pipeline.put(batches.slice(5, 9))
    await pipeline.stack.settle(60_000)
    await expectWhole(batches)
  })

  it('goes on through a split of its shards', async () => {
    pipeline = await Pipeline.start({ shards: 2 })
    const batches = fleetBatches(someNodes(8), 12)
    await pipeline.put(batches.slice(0, 40))
    const StreamName = pipeline.stack.names.name('stream')
    const { kinesis } = pipeline.stack.clients
    const { Shards = [] } = await kinesis.send(new ListShardsCommand({ StreamName }))
    for (const { ShardId, HashKeyRange } of Shards) {
      const [low, high] = [HashKeyRange!.StartingHashKey!, HashKeyRange!.EndingHashKey!].map(BigInt)
      const NewStartingHashKey = `${(low! + high!) / 2n}`
      await kinesis.send(
        new SplitShardCommand({ StreamName, ShardToSplit: ShardId!, NewStartingHashKey }),
      )
      await new Promise((resolve) => setTimeout(resolve, 700))
    }
    await pipeline.put(batches.slice(40))
    await pipeline.stack.settle(60_000)
    await expectWhole(batches)
  })

  it('sets a poison record aside with its bytes, and does not wait for it', async () => {
    pipeline = await Pipeline.start()
    const batches = fleetBatches(someNodes(2), 6)
    const damaged = batches[4]!.slice()
    damaged.fill(0xff, damaged.length - 30)
    const noise = Buffer.from('this is no batch')
    await pipeline.put([...batches.slice(0, 6), noise, damaged, ...batches.slice(6)])
    await pipeline.stack.settle(60_000)
    await expectWhole(batches)
    const kept = await pipeline.objects('failures', 'unreadable/')
    const bytes = kept.map(({ body }) => {
      const { record, reason } = JSON.parse(body.toString())
      expect(reason).not.toBe('')
      return Buffer.from(record.kinesis.data, 'base64').toString('hex')
    })
    expect(bytes.sort()).toEqual(
      [noise, damaged].map((each) => Buffer.from(each).toString('hex')).sort(),
    )
    expect(pipeline.stack.lambdas.get('evaluate')!.counts.errors).toBe(0)
  })

  it(`outlasts DynamoDB throttled and then away for ${isLong ? 'a minute' : 'ten seconds'}`, async () => {
    dynamo = await startDynamo()
    pipeline = await Pipeline.start({ endpoints: { dynamodb: dynamo.endpoint } })
    const batches = fleetBatches(someNodes(), 16)
    let asked = 0
    dynamo.faults.throttle = () => {
      asked += 1
      return asked % 3 === 0 ? undefined : 'ProvisionedThroughputExceededException'
    }
    await pipeline.put(batches.slice(0, 32))
    await vi.waitFor(() => expect(asked).toBeGreaterThan(10), { timeout: 60_000, interval: 50 })
    await dynamo.refuse()
    await pipeline.put(batches.slice(32))
    await new Promise((resolve) => setTimeout(resolve, isLong ? 60_000 : 10_000))
    Object.assign(dynamo.faults, noFaults)
    await dynamo.accept()
    await pipeline.stack.settle(90_000)
    await expectWhole(batches)
    expect(await pipeline.objects('failures')).toEqual([])
  })

  it('puts again what the bus refuses, and buries what it never takes', async () => {
    pipeline = await Pipeline.start()
    const refused = new Map<string, number>()
    pipeline.stack.bus.faults.entry = (_, detail) => {
      const { id } = JSON.parse(detail) as { id: string }
      const times = refused.get(id) ?? 0
      refused.set(id, times + 1)
      return times < id.length % 3 ? 'InternalFailure' : undefined
    }
    const batches = fleetBatches(someNodes(), 8)
    await pipeline.put(batches)
    await pipeline.stack.settle(60_000)
    expect([...refused.values()].some((times) => times > 1)).toBe(true)
    await expectWhole(batches)
    expect(await pipeline.stack.depth('bus-dead')).toBe(0)
    pipeline.stack.bus.faults.entry = () => 'ThrottlingException'
    await pipeline.put([new FleetNode('node-9').batch(start, 5, 1)])
    await pipeline.stack.settle(60_000)
    expect(await pipeline.stack.depth('bus-dead')).toBeGreaterThanOrEqual(2)
  })

  it('takes nodes whose clocks are two minutes off, and one that starts anew', async () => {
    pipeline = await Pipeline.start()
    const [early, late, restarted] = someNodes(3) as [FleetNode, FleetNode, FleetNode]
    const again = new FleetNode('node-2', { boot: 'boot-new', run: 77n })
    const batches = Array.from({ length: 8 }, (_, at) => {
      const time = start + BigInt(at) * second
      const third = at < 4 ? restarted : again
      return [
        early.batch(time - 120n * second, 20, 2),
        late.batch(time + 120n * second, 20, 2),
        third.batch(time, 20, 2),
      ]
    }).flat()
    await pipeline.put(batches)
    await pipeline.stack.settle(60_000)
    await expectWhole(batches)
    const { all } = await pipeline.detections()
    const boots = new Set(
      all.filter(({ lanner }) => lanner.node === 'node-2').map((d) => d.lanner.boot),
    )
    expect(boots).toEqual(new Set(['boot-node-2', 'boot-new']))
  })

  it('judges clusters by two rule sets at once, and switches without a deployment', async () => {
    const library = libraryArtefact()
    const none = {
      ...library,
      rules: library.rules.filter(({ name }) => name !== 'Sensitive file read'),
      correlations: [],
    }
    pipeline = await Pipeline.start({ sets: { default: library, quiet: none } })
    const node = new FleetNode('node-0')
    const loud = Array.from({ length: 4 }, (_, at) =>
      node.batch(start + BigInt(at) * second, 20, 2),
    )
    const other = new FleetNode('node-1')
    const quiet = Array.from({ length: 4 }, (_, at) =>
      other.batch(start + BigInt(at) * second, 20, 2, { cluster: 'quiet' }),
    )
    await pipeline.put([...loud, ...quiet])
    await pipeline.stack.settle(60_000)
    await expectWhole(loud)
    const { all } = await pipeline.detections()
    expect(new Set(all.map(({ lanner }) => lanner.cluster))).toEqual(new Set(['prod']))
    await pipeline.assign({ default: library })
    await pipeline.stack.lambdas.get('evaluate')!.kill()
    const more = [other.batch(start + 10n * second, 20, 2, { cluster: 'quiet' })]
    await pipeline.put(more)
    await pipeline.stack.settle(60_000)
    await expectWhole([...loud, ...more])
  })

  const flood = isLong ? 1_000_000 : 60_000
  it(`turns ${flood} detections of one rule into few writes and messages`, async () => {
    dynamo = await startDynamo()
    pipeline = await Pipeline.start({ endpoints: { dynamodb: dynamo.endpoint } })
    const node = new FleetNode('node-0', { containers: 1 })
    const size = 2000
    const before = dynamo.counts.writeUnits
    for (let at = 0; at < flood / size; at++) {
      await pipeline.put([
        node.batch(start + (BigInt(at) * 60n * second) / BigInt(flood / size), size, size),
      ])
    }
    await pipeline.stack.settle(600_000)
    const { said, last } = pipeline.incidents()
    const file = last.filter(({ incident }) => incident.title === 'Sensitive file read')
    expect(file).toHaveLength(1)
    const kept = (await incidentsOf(pipeline, dynamo)).find(
      ({ incident }) => incident.id === file[0]!.incident.id,
    )
    expect(kept!.incident.count).toBe(flood)
    expect(said.length).toBeLessThan(2 * Math.log2(flood))
    const { counts } = pipeline.stack.lambdas.get('evaluate')!
    expect(dynamo.counts.writeUnits - before).toBeLessThan(30 * counts.invocations + 50)
    const alone = pipeline.said.filter((event) => event['detail-type'] === 'Detection')
    expect(
      new Set(alone.map(({ detail }) => (detail as { id: string }).id)).size,
    ).toBeLessThanOrEqual(200)
    if (!isLong) {
      const { all } = await pipeline.detections()
      expect(all.filter(({ lanner }) => lanner.kind === 'rule')).toHaveLength(flood)
    }
  }, 900_000)

  it('keeps every batch in the lake, from where a replay gives the same verdicts', async () => {
    pipeline = await Pipeline.start()
    const batches = fleetBatches(someNodes(3), 10)
    await pipeline.put(batches)
    await pipeline.stack.settle(60_000)
    const directory = mkdtempSync(join(tmpdir(), 'lanner-lake-'))
    try {
      for (const { key, body } of await pipeline.objects('lake', 'batches/')) {
        mkdirSync(join(directory, dirname(key)), { recursive: true })
        writeFileSync(join(directory, key), body)
      }
      let out = ''
      const write = (text: string) => {
        out += text
      }
      const args = ['replay', directory, '--rules', libraryPath, '--rule-matching', 'all', '--json']
      expect(await main(args, { out: write, err: () => {}, color: false })).toBe(0)
      const ids = out
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line).lanner.id)
      const { all } = await pipeline.detections()
      const own = all.filter(({ lanner }) => lanner.kind === 'rule')
      expect(ids.sort()).toEqual(own.map(({ lanner }) => lanner.id).sort())
      expect(ids).toEqual(expectedIds(batches))
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

/** The incidents as the table has them. */
async function incidentsOf({ said, stack }: Pipeline, { endpoint }: TestDynamo) {
  const { DynamoStateStore } = await import('../../lambdas/shared/dynamo-store.ts')
  const { keyOfIncident } = await import('../../lambdas/shared/incidents/incidents.ts')
  const store = new DynamoStateStore({
    ...{ table: stack.names.name('table'), endpoint, region: 'us-east-1' },
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  })
  const ids = said.flatMap(({ detail }) => {
    const { incident } = detail as { incident?: { id: string } }
    return incident === undefined ? [] : [incident.id]
  })
  const keys = [...new Set(ids.map(keyOfIncident))]
  const items = await store.read(keys, Math.floor(Date.now() / 1000))
  store.close()
  return [...items.values()].map(
    ({ value }) => value as unknown as { incident: { id: string; count: number } },
  )
}
