import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { mkdir, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FrameReader } from '#events'
import { makeBatch } from '#testing/batches.ts'
import { Spool, type SpoolOptions } from './spool.ts'

let directory = ''
const opened: Spool[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lanner-spool-'))
})

afterEach(async () => {
  for (const spool of opened.splice(0)) await spool.close().catch(() => {})
  rmSync(directory, { recursive: true, force: true })
})

async function openSpool(options: Partial<SpoolOptions> = {}): Promise<Spool> {
  const spool = await Spool.open({ directory, ...options })
  opened.push(spool)
  return spool
}

async function reopen(spool: Spool, options: Partial<SpoolOptions> = {}): Promise<Spool> {
  await spool.close()
  return openSpool(options)
}

async function fill(spool: Spool, from: number, to: number, size = 0): Promise<void> {
  for (let sequence = from; sequence < to; sequence++) {
    await spool.append(makeBatch({ sequence, fill: size }))
  }
}

/** Ships everything that waits, in steps. */
async function drain(spool: Spool, step = 3, maxBytes = 1 << 20): Promise<number[]> {
  const sequences: number[] = []
  for (;;) {
    const entries = await spool.next(step, maxBytes)
    if (entries.length === 0) return sequences
    sequences.push(...entries.map(({ header }) => header.sequence))
    await spool.release(entries.at(-1)!.index)
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
const segments = () => readdirSync(directory).filter((name) => name.endsWith('.frames'))
const segmentPath = (at: number) => join(directory, segments().sort().at(at)!)

describe('a spool', () => {
  it('gives batches in order and keeps them until they are released', async () => {
    const spool = await openSpool()
    await fill(spool, 0, 5)
    const entries = await spool.next(3, 1 << 20)
    expect(entries.map(({ batch }) => Uint8Array.from(batch))).toEqual(
      range(0, 3).map((sequence) => makeBatch({ sequence })),
    )
    expect((await spool.next(2, 1 << 20)).map(({ header }) => header.sequence)).toEqual([0, 1])
    await spool.release(0)
    expect(await drain(spool)).toEqual([1, 2, 3, 4])
    expect(spool.figures.waiting).toBe(0)
  })

  it('gives at least one batch, and no more bytes than asked for otherwise', async () => {
    const spool = await openSpool()
    await fill(spool, 0, 4, 100_000)
    expect(await spool.next(9, 10)).toHaveLength(1)
    expect(await spool.next(9, 150_000)).toHaveLength(1)
    expect(await spool.next(9, 250_000)).toHaveLength(2)
  })

  it('writes what a trace file holds', async () => {
    const spool = await openSpool()
    await fill(spool, 0, 3)
    const reader = new FrameReader()
    const found = reader.push(readFileSync(segmentPath(0)))
    reader.end()
    expect(found.map((batch) => Uint8Array.from(batch))).toEqual(
      range(0, 3).map((sequence) => makeBatch({ sequence })),
    )
  })

  it('goes on where the process before it was', async () => {
    let spool = await openSpool({ limitBytes: 1 << 20, segmentBytes: 2000 })
    await fill(spool, 0, 20, 300)
    const [, second] = await spool.next(2, 1 << 20)
    await spool.release(second!.index)
    spool = await reopen(spool, { limitBytes: 1 << 20, segmentBytes: 2000 })
    expect(spool.last).toEqual({ run: 1n, sequence: 19 })
    await fill(spool, 20, 30, 300)
    expect(spool.figures.waiting).toBe(28)
    expect(await drain(spool)).toEqual(range(2, 30))
  })

  it('knows the newest batch when all are shipped', async () => {
    let spool = await openSpool()
    expect(spool.last).toBeUndefined()
    await spool.append(makeBatch({ run: 5n, sequence: 7 }))
    await drain(spool)
    spool = await reopen(spool)
    expect(spool.last).toEqual({ run: 5n, sequence: 7 })
    rmSync(segmentPath(0))
    spool = await reopen(spool)
    expect(spool.last).toEqual({ run: 5n, sequence: 7 })
    expect(await drain(spool)).toEqual([])
  })

  it('deletes segments that are shipped', async () => {
    const spool = await openSpool({ limitBytes: 1 << 20, segmentBytes: 2000 })
    await fill(spool, 0, 40, 300)
    expect(segments().length).toBeGreaterThan(5)
    await drain(spool)
    expect(segments()).toHaveLength(1)
    expect(spool.figures.bytes).toBeLessThanOrEqual(2000)
  })

  it('takes calls that overlap one by one', async () => {
    const spool = await openSpool({ limitBytes: 1 << 20, segmentBytes: 2000 })
    const shipped: number[] = []
    await Promise.all([
      ...range(0, 60).map((sequence) => spool.append(makeBatch({ sequence, fill: 200 }))),
      (async () => {
        while (shipped.length < 60) shipped.push(...(await drain(spool)))
      })(),
    ])
    expect(shipped).toEqual(range(0, 60))
  })

  it('refuses bytes that are no batch', async () => {
    const spool = await openSpool()
    await expect(spool.append(new Uint8Array(200))).rejects.toThrow(/not a batch/)
    await expect(spool.append(makeBatch({ sequence: 0 }).subarray(0, -1))).rejects.toThrow()
    await spool.append(makeBatch({ sequence: 0 }))
    expect(await drain(spool)).toEqual([0])
  })
})

describe('at its limit', () => {
  const small = { limitBytes: 16_000, segmentBytes: 4000 }

  it('a spool gives the oldest up, and says how much', async () => {
    const given: number[][] = []
    const onGivenUp = (batches: number, events: number) => given.push([batches, events])
    const spool = await openSpool({ ...small, onGivenUp })
    for (const sequence of range(0, 100)) {
      await spool.append(makeBatch({ sequence, fill: 300, events: 2 }))
      expect(spool.figures.bytes).toBeLessThanOrEqual(small.limitBytes)
      expect(segments().length).toBeLessThanOrEqual(6)
    }
    const { givenUpBatches, givenUpEvents, waiting } = spool.figures
    expect(givenUpBatches).toBeGreaterThan(50)
    expect(givenUpEvents).toBe(2 * givenUpBatches)
    expect(given.reduce((sum, [batches]) => sum + batches!, 0)).toBe(givenUpBatches)
    expect(waiting).toBe(100 - givenUpBatches)
    expect(await drain(spool)).toEqual(range(givenUpBatches, 100))
  })

  it('only what was not shipped counts as given up', async () => {
    const spool = await openSpool(small)
    await fill(spool, 0, 8, 300)
    const entries = await spool.next(3, 1 << 20)
    await spool.release(2)
    await fill(spool, 8, 60, 300)
    const { givenUpBatches } = spool.figures
    expect(await drain(spool)).toEqual(range(3 + givenUpBatches, 60))
    await spool.release(entries[2]!.index)
    expect(spool.figures.waiting).toBe(0)
  })

  it('what is being sent stays as it is', async () => {
    const spool = await openSpool(small)
    await fill(spool, 0, 8, 300)
    const entries = await spool.next(9, 1 << 20)
    for (let sequence = 100; spool.figures.givenUpBatches < 30; sequence++) {
      await fill(spool, sequence, sequence + 1, 300)
    }
    expect(entries.length).toBeGreaterThan(3)
    expect(entries.map(({ batch }) => Uint8Array.from(batch))).toEqual(
      range(0, entries.length).map((sequence) => makeBatch({ sequence, fill: 300 })),
    )
  })

  it('a release of what was given up in the meantime skips nothing', async () => {
    const spool = await openSpool(small)
    await fill(spool, 0, 8, 300)
    const entries = await spool.next(9, 1 << 20)
    for (let sequence = 8; spool.figures.givenUpBatches === 0; sequence++) {
      await fill(spool, sequence, sequence + 1, 300)
    }
    const { givenUpBatches } = spool.figures
    await spool.release(entries.at(-1)!.index)
    expect((await spool.next(1, 1))[0]!.header.sequence).toBe(givenUpBatches)
  })

  it('the count outlives the process', async () => {
    let spool = await openSpool(small)
    await fill(spool, 0, 100, 300)
    const { givenUpBatches, givenUpEvents } = spool.figures
    spool = await reopen(spool, small)
    expect(spool.figures).toMatchObject({ givenUpBatches, givenUpEvents })
  })

  it('a batch larger than all of it is refused', async () => {
    const spool = await openSpool(small)
    const large = makeBatch({ sequence: 0, fill: 20_000 })
    await expect(spool.append(large)).rejects.toMatchObject({ code: 'full' })
    await spool.append(makeBatch({ sequence: 0, fill: 10_000 }))
    expect(await drain(spool)).toEqual([0])
  })
})

describe('a damaged spool', () => {
  it('loses its torn end alone, wherever it was cut', async () => {
    let spool = await openSpool()
    await fill(spool, 0, 3)
    await spool.close()
    const whole = readFileSync(segmentPath(0))
    const third = whole.length / 3
    for (let cut = 2 * third + 1; cut < whole.length; cut += 7) {
      await writeFile(segmentPath(0), whole.subarray(0, cut))
      await rm(join(directory, 'position'))
      spool = await openSpool()
      expect(spool.figures.tornBytes).toBe(cut - 2 * third)
      expect(spool.last).toEqual({ run: 1n, sequence: 1 })
      await spool.append(makeBatch({ sequence: 2 }))
      expect(await drain(spool)).toEqual([0, 1, 2])
      await spool.close()
    }
  })

  it('loses an end of zeros, as a power cut leaves it', async () => {
    let spool = await openSpool()
    await fill(spool, 0, 3)
    await spool.close()
    appendFileSync(segmentPath(0), new Uint8Array(1 << 20))
    spool = await openSpool()
    expect(spool.figures.tornBytes).toBe(1 << 20)
    spool = await reopen(spool)
    expect(spool.figures.tornBytes).toBe(0)
    expect(await drain(spool)).toEqual([0, 1, 2])
    expect(spool.figures.damaged).toBe(0)
  })

  it('counts zeros inside it as one damage', async () => {
    const options = { limitBytes: 1 << 20, segmentBytes: 3000 }
    let spool = await openSpool(options)
    await fill(spool, 0, 30, 300)
    await spool.close()
    appendFileSync(segmentPath(0), new Uint8Array(5000))
    spool = await openSpool(options)
    expect(await drain(spool)).toEqual(range(0, 30))
    expect(spool.figures).toMatchObject({ damaged: 1, damagedBytes: 5000 })
  })

  it('knows its newest batch when the first of a new segment is torn', async () => {
    const options = { limitBytes: 1 << 20, segmentBytes: 3000 }
    const spool = await openSpool(options)
    let sequence = 0
    while (segments().length < 3) await fill(spool, sequence, ++sequence, 300)
    // As a kill leaves it: nothing is closed.
    const copy = mkdtempSync(join(tmpdir(), 'lanner-spool-'))
    cpSync(directory, copy, { recursive: true, filter: (path) => !path.endsWith('lock') })
    const newest = join(copy, readdirSync(copy).sort().at(-2)!)
    truncateSync(newest, 100)
    const other = await openSpool({ ...options, directory: copy })
    expect(other.figures.tornBytes).toBe(100)
    expect(other.last).toEqual({ run: 1n, sequence: sequence - 2 })
    expect(await drain(other)).toEqual(range(0, sequence - 1))
    await other.close()
    rmSync(copy, { recursive: true })
  })

  it('goes on in a segment that was made and not written', async () => {
    const options = { limitBytes: 1 << 20, segmentBytes: 3000 }
    let spool = await openSpool(options)
    await fill(spool, 0, 6, 300)
    await spool.close()
    await writeFile(join(directory, '0000000000000006.frames'), '')
    spool = await openSpool(options)
    await fill(spool, 6, 8, 100_000)
    expect(await drain(spool, 1)).toEqual(range(0, 8))
  })

  it('loses the batches that are damaged, and counts them', async () => {
    const options = { limitBytes: 1 << 20, segmentBytes: 3000 }
    let spool = await openSpool(options)
    await fill(spool, 0, 30, 300)
    await spool.close()
    const [first, second] = [readFileSync(segmentPath(0)), readFileSync(segmentPath(1))]
    const size = 4 + first.readUInt32LE(0)
    const perSegment = first.length / size
    first.fill(0xff, size + 4, size + 12) // the second batch of the first segment
    second.fill(0xff, 2 * size, 2 * size + 4) // a length, so that nothing behind it can be found
    await writeFile(segmentPath(0), first)
    await writeFile(segmentPath(1), second)
    spool = await openSpool(options)
    expect(await drain(spool)).toEqual([
      0,
      ...range(2, perSegment + 2),
      ...range(2 * perSegment, 30),
    ])
    expect(spool.figures).toMatchObject({
      damaged: 2,
      damagedBytes: size + (second.length - 2 * size),
      waiting: 0,
    })
  })

  it('does not use a number again that a power cut took back', async () => {
    let spool = await openSpool()
    await fill(spool, 0, 3)
    await spool.close()
    truncateSync(segmentPath(0), (statSync(segmentPath(0)).size / 3) * 2)
    spool = await openSpool()
    expect(spool.last).toEqual({ run: 1n, sequence: 2 })
    await fill(spool, 3, 5)
    expect(await drain(spool)).toEqual([0, 1, 3, 4])
    expect(spool.figures.waiting).toBe(0)
  })

  it('deletes what was shipped when the process died before it could', async () => {
    const options = { limitBytes: 1 << 20, segmentBytes: 3000 }
    let spool = await openSpool(options)
    await fill(spool, 0, 30, 300)
    const [path, bytes] = [segmentPath(0), readFileSync(segmentPath(0))]
    await drain(spool)
    await spool.close()
    await writeFile(path, bytes)
    spool = await openSpool(options)
    expect(await drain(spool)).toEqual([])
    expect(segments()).toHaveLength(1)
  })

  it('ships again rather than not at all when its position is lost', async () => {
    let spool = await openSpool()
    await fill(spool, 0, 6)
    await spool.next(3, 1 << 20)
    await spool.release(2)
    await spool.close()
    await writeFile(join(directory, 'position'), 'nonsense')
    spool = await openSpool()
    expect(spool.last).toEqual({ run: 1n, sequence: 5 })
    expect(await drain(spool)).toEqual(range(0, 6))
  })

  it('takes the older position when the newer is torn', async () => {
    let spool = await openSpool()
    await fill(spool, 0, 6)
    await spool.next(6, 1 << 20)
    for (const index of range(0, 4)) await spool.release(index)
    await spool.close() // writes the position once more
    const position = await open(join(directory, 'position'), 'r+')
    const slots = (await position.read({ buffer: Buffer.alloc(256), position: 0 })).buffer
    const newer = slots.readBigUInt64LE(8) > slots.readBigUInt64LE(136) ? 0 : 128
    await position.write(Buffer.alloc(20, 0x55), 0, 20, newer + 40)
    await position.close()
    spool = await openSpool()
    expect(await drain(spool)).toEqual([4, 5])
  })
})

describe('the directory of a spool', () => {
  it('is made when it is missing', async () => {
    const spool = await openSpool({ directory: join(directory, 'a', 'b') })
    await spool.append(makeBatch({ sequence: 0 }))
    expect(statSync(join(directory, 'a', 'b')).mode & 0o777).toBe(0o700)
  })

  it('may have a path of any length', async () => {
    const spool = await openSpool({ directory: join(directory, 'x'.repeat(200)) })
    await expect(openSpool({ directory: join(directory, 'x'.repeat(200)) })).rejects.toThrow(/held/)
    await spool.append(makeBatch({ sequence: 0 }))
  })

  it('that cannot be used is refused in words', async () => {
    await writeFile(join(directory, 'file'), '')
    const opening = openSpool({ directory: join(directory, 'file', 'spool') })
    await expect(opening).rejects.toMatchObject({
      code: 'unusable',
      message: expect.stringMatching(/the spool .*file\/spool cannot be used: ENOTDIR/),
    })
  })

  it('is for one process at a time', async () => {
    const spool = await openSpool()
    await expect(openSpool()).rejects.toMatchObject({ code: 'held' })
    await spool.append(makeBatch({ sequence: 0 }))
    await spool.close()
    await openSpool()
  })
})

describe('a process killed at any moment', () => {
  const script = fileURLToPath(new URL('../../testing/spool-filler.ts', import.meta.url))
  const killed: ChildProcess[] = []
  afterEach(() => {
    for (const child of killed.splice(0)) child.kill('SIGKILL')
  })

  /** Lets a process fill the spool and kills it after some of its lines; what it said. */
  async function fillAndKill(lines: number, after: number): Promise<string[]> {
    const child = spawn(process.execPath, [script, directory, '1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    killed.push(child)
    let said = ''
    const enough = new Promise<void>((resolve) => {
      child.stdout.on('data', (text) => {
        said += text
        if (said.split('\n').length > lines) resolve()
      })
    })
    const failed = once(child, 'exit').then(() => Promise.reject(new Error('the process ended')))
    await Promise.race([enough, failed])
    failed.catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, after))
    const closed = once(child, 'close')
    child.kill('SIGKILL')
    await closed
    expect(child.signalCode).toBe('SIGKILL')
    return said.split('\n').slice(0, -1)
  }

  it('loses no batch, skips none, and ships none again that was released', async () => {
    let before = -1
    for (const round of range(0, 8)) {
      const said = await fillAndKill(20 + 37 * round, (round * 7) % 5)
      const numbers = (word: string) =>
        said
          .filter((line) => line.startsWith(word))
          .flatMap((line) => line.split(' ').slice(1).map(Number))
      const appended = numbers('appended').at(-1)!
      const released = numbers('released').at(-1) ?? before
      const spool = await openSpool({ segmentBytes: 32 << 10 })
      // The last append may be durable although the process died before it could say so.
      expect([appended, appended + 1]).toContain(spool.last!.sequence)
      const [head] = await spool.next(1, 1)
      const first = head?.header.sequence ?? spool.last!.sequence + 1
      // The last release likewise: of at most two batches.
      expect(first).toBeGreaterThan(released)
      expect(first).toBeLessThanOrEqual(released + 3)
      before = first - 1
      await spool.close()
    }
    const spool = await openSpool({ segmentBytes: 32 << 10 })
    expect(spool.figures.damaged).toBe(0)
    expect(await drain(spool, 50)).toEqual(range(before + 1, spool.last!.sequence + 1))
  })
})

const canMount =
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', tmpdir()]).status === 0

describe('a full disk', () => {
  it.skipIf(!canMount)(
    'fails an append, and the next one works when there is room (needs root and mount)',
    async () => {
      const disk = join(directory, 'disk')
      await mkdir(disk)
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'none', disk]).status).toBe(0)
      try {
        await writeFile(join(disk, 'other'), new Uint8Array(20_000))
        const options = { directory: join(disk, 'spool'), segmentBytes: 40_000 }
        let spool = await openSpool(options)
        let sequence = 0
        const failure = await (async () => {
          for (;;) {
            const error = await spool.append(makeBatch({ sequence, fill: 3000 })).catch((e) => e)
            if (error !== undefined) return error
            sequence += 1
          }
        })()
        expect(failure).toMatchObject({
          code: 'full',
          message: expect.stringMatching(/disk of the spool .* is full/),
        })
        expect(sequence).toBeGreaterThan(20)
        expect(spool.last!.sequence).toBe(sequence - 1)
        // Shipping goes on without a free block.
        const [entry] = await spool.next(1, 1)
        await spool.release(entry!.index)
        rmSync(join(disk, 'other'))
        await spool.append(makeBatch({ sequence }))
        spool = await reopen(spool, options)
        expect(await drain(spool)).toEqual(range(1, sequence + 1))
        expect(spool.figures).toMatchObject({ damaged: 0, tornBytes: 0 })
        await spool.close()
      } finally {
        spawnSync('umount', ['-l', disk])
      }
    },
  )
})
