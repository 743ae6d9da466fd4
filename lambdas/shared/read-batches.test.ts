import { createHash } from 'node:crypto'
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { startFauxqs } from 'fauxqs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { encodeBatch, encodeFrame } from '#events'
import { makeEvent } from '#testing/events.ts'
import { type BatchLimits, readBatches } from './read-batches.ts'

const minute = 60_000
const seen = Date.parse('2026-11-26T18:05:00Z')
const range = {
  cluster: 'c',
  node: 'n1',
  from: seen - 10 * minute,
  to: seen + minute,
  around: seen,
}

let server: Awaited<ReturnType<typeof startFauxqs>>
let s3: S3Client
/** What goes wrong with the objects of these keys. */
const faults = new Map<string, string>()
let bucket: string
let buckets = 0

beforeAll(async () => {
  server = await startFauxqs({ port: 0, logger: false })
  s3 = new S3Client({
    ...{ region: 'us-east-1', endpoint: `http://127.0.0.1:${server.port}`, forcePathStyle: true },
    ...{ credentials: { accessKeyId: 'test', secretAccessKey: 'test' }, maxAttempts: 1 },
  })
  s3.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const { Key = '' } = args.input as { Key?: string }
        const fault = commandName === 'GetObjectCommand' ? faults.get(Key) : undefined
        if (fault === undefined) return next(args)
        throw Object.assign(new Error('Please reduce your request rate.'), { name: fault })
      },
    { step: 'initialize' },
  )
})
afterAll(async () => {
  s3.destroy()
  await server.stop()
})
beforeEach(async () => {
  faults.clear()
  bucket = `lake-${++buckets}`
  await s3.send(new CreateBucketCommand({ Bucket: bucket }))
})

/** A batch of a node whose one event happened then. */
function batch(sequence: number, time: number, node = 'n1', cluster = 'c'): Uint8Array {
  const counters = { seen: 1, filtered: 0, folded: 0, lost: {} }
  const info = {
    ...{ cluster, node, boot: 'b', run: 1n, sequence, previous: undefined, counters },
    ...{ sealedAt: BigInt(time) * 1_000_000n, rulesetHash: '', keyId: '', compression: 0 },
  }
  const event = makeEvent('getpid', { time: BigInt(time) * 1_000_000n })
  return encodeBatch(info, [event], (body) => body)
}

/** An object as Firehose writes it, of what arrived from then on. */
async function put(time: number, batches: readonly Uint8Array[], end = new Uint8Array()) {
  const [year, month, day, hour, ...rest] = new Date(time).toISOString().split(/[-T:.Z]/)
  const stamp = [year, month, day, hour, ...rest.slice(0, 2)].join('-')
  const uuid = `0b1c2d3e-0000-4000-8000-${String(time).padStart(12, '0').slice(-12)}`
  const Key = `batches/year=${year}/month=${month}/day=${day}/hour=${hour}/lanner-delivery-1-${stamp}-${uuid}`
  const Body = Buffer.concat([...batches.map(encodeFrame), end])
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }))
  return Key
}

const read = (limits?: Partial<BatchLimits>) => readBatches({ s3, bucket }, range, limits)
const sequences = ({ batches }: Awaited<ReturnType<typeof read>>) =>
  batches.map(({ header }) => header.sequence)

describe('batches of the lake', () => {
  it('are those of the node and the time, each once and in order, over the hour', async () => {
    await put(seen + 30_000, [batch(4, seen + 20_000), batch(3, seen), batch(9, seen, 'n2')])
    await put(seen - 8 * minute, [batch(1, seen - 9 * minute), batch(0, seen - 11 * minute)])
    await put(seen - minute, [batch(2, seen - minute), batch(3, seen), batch(7, seen, 'n1', 'd')])
    // the names of what came long before or after say so
    await put(seen - 40 * minute, [batch(8, seen)])
    const found = await read()
    expect(sequences(found)).toEqual([1, 2, 3, 4])
    expect(found).toMatchObject({ objects: 3, cut: [], problems: [] })
    const [first] = found.batches
    expect(first!.sha256).toBe(createHash('sha256').update(first!.bytes).digest('hex'))
  })

  it('say what is damaged, missing or throttled, and hold all the others', async () => {
    const damaged = await put(seen, [batch(1, seen)], Uint8Array.of(9, 0, 0, 0, 1))
    const noise = await put(
      seen + 1000,
      [],
      Uint8Array.from({ length: 300 }, (_, i) => i ^ 0xa5),
    )
    const slow = await put(seen + 2000, [batch(2, seen)])
    const gone = await put(seen + 3000, [batch(3, seen)])
    await put(seen + 4000, [batch(4, seen), Uint8Array.of(1, 2, 3), batch(5, seen)])
    faults.set(slow, 'SlowDown').set(gone, 'NoSuchKey')
    const found = await read()
    expect(sequences(found)).toEqual([1, 4, 5])
    const problems = found.problems.map((text) => text.replace(/^\S*-(?=0b1c)/, ''))
    expect(problems).toHaveLength(4)
    for (const [key, what] of [
      [damaged, 'FrameError'],
      [noise, 'FrameError'],
      [slow, 'SlowDown'],
      [gone, 'NoSuchKey'],
    ] as const) {
      expect(found.problems.find((text) => text.startsWith(key))).toContain(what)
    }
  })

  it('are those nearest to what happened when there are too many, and say what was left out', async () => {
    for (let at = -9; at <= 0; at += 1)
      await put(seen + at * minute, [batch(at + 9, seen + at * minute)])
    const few = await read({ objects: 3 })
    expect(sequences(few)).toEqual([7, 8, 9])
    expect(few.cut).toEqual([expect.stringMatching(/^7 of 10 objects of the lake were not read/)])
    const { length } = encodeFrame(batch(1, seen))
    expect(sequences(await read({ scanned: 2 * length }))).toEqual([8, 9])
    const small = await read({ kept: 2 * (length - 4) + 1 })
    expect(sequences(small)).toEqual([8, 9])
    expect(small.cut[0]).toMatch(/were not kept$|were not read/)
  })

  it('take no longer than they may', async () => {
    for (let at = -3; at <= 0; at += 1)
      await put(seen + at * minute, [batch(at + 9, seen + at * minute)])
    let time = 0
    const clock = () => {
      time += 8000
      return time
    }
    const { batches, cut } = await readBatches({ s3, bucket }, range, {}, clock)
    expect(batches.map(({ header }) => header.sequence)).toEqual([8, 9])
    expect(cut).toEqual([expect.stringMatching(/^2 of 4 objects .* 24 s it was enough$/)])
  })

  it('are none where there are none; a lake that is not there is an error', async () => {
    expect(await read()).toEqual({ batches: [], objects: 0, scanned: 0, cut: [], problems: [] })
    await expect(readBatches({ s3, bucket: 'nowhere' }, range)).rejects.toThrow()
    const key = await put(seen, [batch(1, seen)])
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
    expect((await read()).batches).toEqual([])
  })
})
