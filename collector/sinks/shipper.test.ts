import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { readHeader } from '#events'
import { makeBatch } from '#testing/batches.ts'
import { noFaults } from '#testing/kinesis/faults.ts'
import { startKinesis, type TestKinesis, testCredentials } from '#testing/kinesis/start-kinesis.ts'
import { VirtualClock } from '#testing/virtual-clock.ts'
import { Spool, type SpoolOptions } from '../agent/spool.ts'
import { steadyClock } from './back-off.ts'
import { KinesisSink } from './kinesis/kinesis-sink.ts'
import { Shipper, type ShipperOptions } from './shipper.ts'

let kinesis: TestKinesis
let stream = ''
let directory = ''
let clock: VirtualClock
let announced: string[]
const ends: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  kinesis = await startKinesis()
})
afterAll(() => kinesis.stop())
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lanner-shipper-'))
  stream = `s${Math.random().toString(36).slice(2)}`
  await kinesis.createStream(stream)
  clock = new VirtualClock()
  announced = []
})
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
  Object.assign(kinesis.faults, noFaults)
  rmSync(directory, { recursive: true, force: true })
})

/** Numbers from 0 to 1 that are the same in each run. */
function chance(): () => number {
  let state = 7
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

async function setUp(
  spoolOptions: Partial<SpoolOptions> = {},
  options: Partial<ShipperOptions> = {},
  maxBatches = 500,
) {
  const spool = await Spool.open({ directory, ...spoolOptions })
  const sink = new KinesisSink({
    stream,
    region: 'eu-west-1',
    endpoint: kinesis.endpoint,
    credentials: testCredentials,
    maxBatches,
  })
  const shipper = new Shipper({
    spool,
    sink,
    announce: (message) => announced.push(message),
    clock,
    random: chance(),
    ...options,
  })
  ends.push(
    () => spool.close(),
    () => sink.close(),
    () => shipper.stop(),
  )
  return { spool, sink, shipper }
}

async function append(spool: Spool, from: number, to: number, fill = 0): Promise<void> {
  for (let sequence = from; sequence < to; sequence++)
    await spool.append(makeBatch({ sequence, fill }))
}

/** The sequences in the stream, as they came. */
async function arrived(): Promise<number[]> {
  return (await kinesis.readAll(stream)).map(({ data }) => readHeader(data).sequence)
}

const until = (condition: () => boolean) => vi.waitFor(() => expect(condition()).toBe(true), 60_000)
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

describe('a shipper', () => {
  it('ships what waits and what comes, in order', async () => {
    const { spool, shipper } = await setUp({}, {}, 7)
    await append(spool, 0, 50)
    shipper.start()
    await append(spool, 50, 80)
    shipper.wake()
    await until(() => shipper.figures.sentBatches === 80)
    expect(await arrived()).toEqual(range(0, 80))
    expect(spool.figures.waiting).toBe(0)
    expect(shipper.reachability.state).toBe('reachable')
    expect(shipper.figures).toMatchObject({ retries: 0, sentEvents: 80, oldestUnsentMs: 0 })
    expect(announced).toEqual([])
  })

  it('sends what failed again before anything newer', async () => {
    const { spool, shipper } = await setUp()
    await append(spool, 0, 6)
    let asked = 0
    kinesis.faults.throttle = () => [1, 4, 6].includes(asked++)
    shipper.start()
    await append(spool, 6, 9)
    shipper.wake()
    await until(() => shipper.figures.sentBatches === 9)
    expect((await arrived()).slice(0, 6)).toEqual([0, 2, 3, 5, 4, 1])
    expect((await arrived()).slice(6)).toEqual([6, 7, 8])
    expect(shipper.figures).toMatchObject({ retries: 3, failures: { throttled: 3 } })
  })

  it('drops a batch that the service refuses, finds it among others, and says so', async () => {
    const refused: number[][] = []
    const { spool, shipper } = await setUp(
      {},
      { onRefused: (batches, events) => refused.push([batches, events]) },
    )
    await append(spool, 0, 3)
    await spool.append(makeBatch({ sequence: 3, fill: (1 << 20) - 600, events: 1 }))
    const size = makeBatch({ sequence: 4, fill: 0, events: 3 }).length
    await spool.append(makeBatch({ sequence: 4, fill: (1 << 20) - size, events: 3 }))
    await append(spool, 5, 8)
    shipper.start()
    await until(() => shipper.figures.sentBatches === 7)
    expect(await arrived()).toEqual([0, 1, 2, 3, 5, 6, 7])
    expect(refused).toEqual([[1, 3]])
    expect(shipper.figures).toMatchObject({ refusedBatches: 1, refusedEvents: 3 })
    expect(announced).toEqual([
      expect.stringMatching(/^batch 4 is dropped, the service refuses it/),
    ])
  })

  it('finds a refused batch when the service refuses the request as a whole', async () => {
    const { spool, sink, shipper } = await setUp()
    const send = sink.send.bind(sink)
    sink.send = async (batches, signal) => {
      const hasBad = batches.some(({ sequence }) => sequence % 4 === 2)
      return hasBad
        ? batches.map(() => ({ kind: 'refused', message: 'bad' }))
        : send(batches, signal)
    }
    await append(spool, 0, 12)
    shipper.start()
    await until(() => spool.figures.waiting === 0)
    expect(await arrived()).toEqual(range(0, 12).filter((sequence) => sequence % 4 !== 2))
    expect(shipper.figures.refusedBatches).toBe(3)
  })

  it('finds refused batches that stand between others', async () => {
    const { spool, sink, shipper } = await setUp()
    const send = sink.send.bind(sink)
    const isBad = (sequence: number) => sequence % 4 === 2
    sink.send = async (batches, signal) => {
      const good = await send(
        batches.filter(({ sequence }) => !isBad(sequence)),
        signal,
      )
      let next = 0
      return batches.map(({ sequence }) =>
        isBad(sequence) ? { kind: 'refused', message: 'bad' } : good[next++]!,
      )
    }
    await append(spool, 0, 12)
    shipper.start()
    await until(() => spool.figures.waiting === 0)
    expect(await arrived()).toEqual(range(0, 12).filter((sequence) => !isBad(sequence)))
    expect(shipper.figures.refusedBatches).toBe(3)
  })

  it('tells an operator once of what only an operator can change, and asks rarely', async () => {
    const { spool, shipper } = await setUp()
    await append(spool, 0, 3)
    const message = 'User x is not authorized to perform: kinesis:PutRecords'
    kinesis.faults.error = { status: 400, code: 'AccessDeniedException', message }
    const requests = kinesis.counts.requests
    let atOnce = 0
    clock.onSecond = (second) => {
      if (second === 14) atOnce = kinesis.counts.requests - requests
      if (second === 600) kinesis.faults.error = undefined
    }
    shipper.start()
    await until(() => shipper.figures.sentBatches === 3)
    expect(atOnce).toBe(1)
    expect(kinesis.counts.requests - requests).toBeLessThanOrEqual(600 / 15 + 2)
    expect(announced).toEqual([
      `batches are not taken and wait on disk: Kinesis stream ${stream}: AccessDeniedException: ${message}`,
      expect.stringMatching(/^batches are taken again after 6\d\d s$/),
    ])
  })

  it('is reachable as long as something arrives', async () => {
    const { spool, sink, shipper } = await setUp()
    const states = new Set<string>()
    let lastAt = 0
    sink.send = async (batches) => {
      lastAt = clock.now()
      states.add(shipper.reachability.state)
      return batches.map((_, at) =>
        at % 2 === 0 ? { kind: 'sent' } : { kind: 'failed', message: 'InternalFailure' },
      )
    }
    await append(spool, 0, 40)
    shipper.start()
    await until(() => spool.figures.waiting === 0)
    expect([...states]).toEqual(['unknown', 'reachable'])
    expect(shipper.figures.failures.failed).toBeGreaterThan(30)
    expect(lastAt).toBeLessThan(200 * 6)
    expect(announced).toEqual([])
  })

  it('keeps its pace when batches come while it waits for the service', async () => {
    const { spool, shipper } = await setUp(
      {},
      { clock: steadyClock, backOff: { firstMs: 600_000 } },
    )
    kinesis.faults.error = { status: 500, code: 'InternalFailure' }
    const before = kinesis.counts.requests
    await append(spool, 0, 1)
    shipper.start()
    await until(() => shipper.figures.failures.failed === 1)
    for (const sequence of range(1, 20)) {
      await append(spool, sequence, sequence + 1)
      shipper.wake()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(kinesis.counts.requests - before).toBe(1)
  })

  it('goes on when the spool cannot be read for a while', async () => {
    const { spool, shipper } = await setUp()
    await append(spool, 0, 3)
    const next = spool.next.bind(spool)
    spool.next = async () => {
      throw new Error('EIO')
    }
    clock.onSecond = (second) => {
      if (second === 20) spool.next = next
    }
    shipper.start()
    await until(() => shipper.figures.sentBatches === 3)
    expect(announced).toEqual([
      'batches are not taken and wait on disk: EIO',
      expect.stringMatching(/taken again/),
    ])
  })
})

describe('a shipper outlives', () => {
  it('a minute in which half of all records are throttled', async () => {
    const { spool, shipper } = await setUp({}, {}, 20)
    const random = chance()
    let isThrottling = true
    kinesis.faults.throttle = () => isThrottling && random() < 0.5
    let appended = 0
    clock.onSecond = async (second) => {
      if (second > 90) return
      if (second === 60) isThrottling = false
      await append(spool, appended, appended + 5)
      appended += 5
    }
    shipper.start()
    await until(() => shipper.figures.sentBatches === 450)
    const sequences = await arrived()
    expect([...sequences].sort((a, b) => a - b)).toEqual(range(0, 450))
    // Never out of order by more than what one request holds.
    for (const [at, sequence] of sequences.entries())
      expect(Math.abs(sequence - at)).toBeLessThan(20)
    expect(shipper.figures.failures.throttled).toBeGreaterThan(150)
    expect(shipper.figures.failures.throttled).toBe(shipper.figures.retries)
    expect(shipper.reachability.state).toBe('reachable')
    expect(spool.figures).toMatchObject({ givenUpBatches: 0, waiting: 0 })
  })

  it('an hour without network, losing nothing', async () => {
    const { spool, shipper } = await setUp()
    await kinesis.refuse()
    let reachability = shipper.reachability
    clock.onSecond = async (second) => {
      if (second <= 3600 && second % 10 === 0) await append(spool, second / 10 - 1, second / 10)
      if (second !== 3600) return
      reachability = shipper.reachability
      await kinesis.accept()
    }
    shipper.start()
    await until(() => shipper.figures.sentBatches === 360)
    expect(await arrived()).toEqual(range(0, 360))
    expect(reachability.state).toBe('unreachable')
    expect(reachability.forMs).toBeGreaterThan(3_580_000)
    expect(shipper.figures.requests).toBeLessThan(3600 / 15 + 20)
    expect(announced).toEqual([
      expect.stringMatching(/^batches are not taken and wait on disk: .*(ECONNREFUSED|ECONNRESET)/),
      expect.stringMatching(/^batches are taken again after 3[56]\d\d s$/),
    ])
  })

  it('an outage longer than the spool holds: the oldest are given up and counted', async () => {
    let told = 0
    const { spool, shipper } = await setUp({
      limitBytes: 64 << 10,
      onGivenUp: (batches) => {
        told += batches
      },
    })
    await kinesis.refuse()
    clock.onSecond = async (second) => {
      if (second <= 1200) await append(spool, second - 1, second, 200)
      if (second === 1200) await kinesis.accept()
    }
    shipper.start()
    await until(() => shipper.figures.sentBatches > 0 && spool.figures.waiting === 0)
    const { givenUpBatches } = spool.figures
    expect(givenUpBatches).toBeGreaterThan(600)
    expect(told).toBe(givenUpBatches)
    expect(await arrived()).toEqual(range(givenUpBatches, 1200))
  })

  it('answers that are lost: batches come twice, none is missing', async () => {
    const { spool, shipper } = await setUp({}, {}, 5)
    await append(spool, 0, 20)
    kinesis.faults.drop = 'after'
    clock.onSecond = (second) => {
      if (second === 3) kinesis.faults.drop = undefined
    }
    shipper.start()
    await until(() => shipper.figures.sentBatches === 20)
    const sequences = await arrived()
    expect(sequences.length).toBeGreaterThan(20)
    expect([...new Set(sequences)]).toEqual(range(0, 20))
  })

  it('steps of the wall clock', async () => {
    const { spool, shipper } = await setUp({}, { clock: steadyClock })
    kinesis.faults.maxSkewMs = 300_000
    await append(spool, 0, 1)
    shipper.start()
    await until(() => shipper.figures.sentBatches === 1)
    try {
      for (const [at, hours] of [5, -7, 1000].entries()) {
        vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hours * 3_600_000 })
        await append(spool, at + 1, at + 2)
        shipper.wake()
        await until(() => shipper.figures.sentBatches === at + 2)
        expect(shipper.reachability.forMs).toBeLessThan(30_000)
      }
    } finally {
      vi.useRealTimers()
    }
    expect(await arrived()).toEqual([0, 1, 2, 3])
    expect(shipper.figures.failures.failed).toBe(3)
    expect(announced).toEqual([])
  })
})

describe('at the end', () => {
  it('everything that waits is flushed', async () => {
    const { spool, shipper } = await setUp({}, { clock: steadyClock }, 10)
    await append(spool, 0, 100)
    expect(await shipper.flush(10_000)).toBe(true)
    expect(await arrived()).toEqual(range(0, 100))
    expect(spool.figures.waiting).toBe(0)
  })

  it('a back-off that lasts does not hold it up', async () => {
    const { spool, shipper } = await setUp(
      {},
      { clock: steadyClock, backOff: { firstMs: 600_000 } },
    )
    kinesis.faults.error = { status: 500, code: 'InternalFailure' }
    await append(spool, 0, 3)
    shipper.start()
    await until(() => shipper.figures.failures.failed === 3)
    kinesis.faults.error = undefined
    expect(await shipper.flush(10_000)).toBe(true)
    expect(await arrived()).toEqual([0, 1, 2])
  })

  it('what cannot be flushed before the deadline stays in the spool', async () => {
    const { spool, shipper } = await setUp({}, { clock: steadyClock })
    await kinesis.refuse()
    await append(spool, 0, 5)
    expect(await shipper.flush(300)).toBe(false)
    expect(shipper.figures.requests).toBeGreaterThan(0)
    expect(spool.figures.waiting).toBe(5)
    await kinesis.accept()
  })
})

describe('a process that ships', () => {
  const script = fileURLToPath(new URL('../../testing/kinesis/shipping-child.ts', import.meta.url))
  const children: ChildProcess[] = []
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })

  /** Runs until it has appended some batches more, then gets the signal; the last one it told. */
  async function run(batches: number, signal: NodeJS.Signals): Promise<number> {
    const child = spawn(process.execPath, [script, directory, kinesis.endpoint, stream], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    let said = ''
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (text) => {
        said += text
        if (said.split('\n').length > batches) resolve()
      })
      child.once('exit', () => resolve())
    })
    child.kill(signal)
    const [code] = await once(child, 'close')
    expect(code).toBe(signal === 'SIGKILL' ? null : 0)
    return Number(said.trimEnd().split('\n').at(-1))
  }

  it('is killed in mid-batch again and again: no batch is missing, the order holds', async () => {
    kinesis.faults.delayMs = 3
    let last = 0
    for (const batches of [3, 40, 17, 88, 140]) last = await run(batches, 'SIGKILL')
    const beforeFlush = await arrived()
    expect(beforeFlush.length).toBeGreaterThan(0)
    last = Math.max(last, await run(30, 'SIGTERM'))
    const sequences = await arrived()
    const known = [...new Set(sequences)]
    expect(known).toEqual(range(0, known.length))
    expect(known.length).toBeGreaterThan(last)
    // Only what was under way when it was killed comes twice: at most a request each time.
    expect(sequences.length - known.length).toBeLessThanOrEqual(5 * 10)
  })
})
