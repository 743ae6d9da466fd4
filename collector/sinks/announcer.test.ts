import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readHeader, splitRecord } from '#events'
import { makeBatch } from '#testing/batches.ts'
import { Announcer } from './announcer.ts'
import { Shipper, type WaitingBatch } from './shipper.ts'

const keyId = 'k'.repeat(24)
const publicKey = new Uint8Array(32).fill(3)
let directory = ''
let tokenPath = ''
let now = 0
let instance = ''
let said: string[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lanner-announcer-'))
  tokenPath = join(directory, 'token')
  now = 0
  instance = ''
  said = []
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const make = () =>
  new Announcer({
    ...{ publicKey, keyId, tokenPath, instance: () => instance, now: () => now },
    say: (text) => said.push(text),
  })

function waiting(count: number, more: { keyId?: string; fill?: number } = {}): WaitingBatch[] {
  return Array.from({ length: count }, (_, index) => {
    const batch = makeBatch({ sequence: index, fill: more.fill ?? 0 })
    return { index, batch, header: { ...readHeader(batch), keyId: more.keyId ?? keyId } }
  })
}

/** The tokens announced with these batches; `undefined` for those without announcement. */
async function ship(announcer: Announcer, batches: readonly WaitingBatch[], isTaken = true) {
  const records = await announcer.dress(batches)
  announcer.taken(records.map(() => isTaken))
  return records.map((record, at) => {
    const { batch, announcement } = splitRecord(record)
    expect(batch).toEqual(batches[at]!.batch)
    return announcement?.token
  })
}

const none = undefined

describe('the announcement of a sensor', () => {
  it('goes with all first batches until one is taken, then with one every five minutes', async () => {
    writeFileSync(tokenPath, 'token-1\n')
    const announcer = make()
    expect(await ship(announcer, waiting(2), false)).toEqual(['token-1', 'token-1'])
    expect(await ship(announcer, waiting(2))).toEqual(['token-1', 'token-1'])
    now += 299_000
    expect(await ship(announcer, waiting(2))).toEqual([none, none])
    now += 1_000
    expect(await ship(announcer, waiting(3), false)).toEqual(['token-1', none, none])
    expect(await ship(announcer, waiting(3))).toEqual(['token-1', none, none])
    expect(await ship(announcer, waiting(1))).toEqual([none])
  })

  it('goes out again soon after the token changed, or came', async () => {
    const announcer = make()
    expect(await ship(announcer, waiting(1))).toEqual([''])
    writeFileSync(tokenPath, 'token-1')
    now += 10_000
    expect(await ship(announcer, waiting(1))).toEqual(['token-1'])
    writeFileSync(tokenPath, 'another token')
    now += 10_000
    expect(await ship(announcer, waiting(2))).toEqual(['another token', none])
    now += 10_000
    expect(await ship(announcer, waiting(1))).toEqual([none])
  })

  it('goes out again when the machine became known', async () => {
    const announcer = make()
    await ship(announcer, waiting(1))
    instance = 'i-1'
    const [record] = await announcer.dress(waiting(1))
    expect(splitRecord(record!).announcement).toEqual({ publicKey, token: '', instance: 'i-1' })
  })

  it('does not go with batches of another run, nor where it would not fit', async () => {
    writeFileSync(tokenPath, 'x'.repeat(1000))
    const announcer = make()
    const others = waiting(1, { keyId: 'of the run before' })
    const large = waiting(1, { fill: (1 << 20) - 1500 })
    expect(await ship(announcer, [...others, ...large])).toEqual([none, none])
    expect(await ship(announcer, [...large, ...waiting(1)])).toEqual([none, 'x'.repeat(1000)])
  })

  it('goes without a token that is none, and says so once', async () => {
    writeFileSync(tokenPath, 'x'.repeat(9000))
    const announcer = make()
    expect(await ship(announcer, waiting(1), false)).toEqual([''])
    expect(await ship(announcer, waiting(1), false)).toEqual([''])
    expect(said).toEqual([`${tokenPath}: this is too long to be a token`])
  })

  it('is put behind what the shipper sends, and is not in what waits', async () => {
    writeFileSync(tokenPath, 'token-1')
    const batches = waiting(3)
    let released = -1
    const sent: Uint8Array[] = []
    const shipper = new Shipper({
      spool: {
        next: async () => batches.filter(({ index }) => index > released),
        release: async (upTo) => {
          released = upTo
        },
      },
      sink: {
        limits: { batches: 2, bytes: 1 << 20 },
        send: async (all) => {
          sent.push(...all.map(({ bytes }) => bytes))
          return all.map(() => ({ kind: 'sent' }))
        },
        close: async () => {},
      },
      records: make(),
      announce: () => {},
    })
    expect(await shipper.flush(5000)).toBe(true)
    expect(sent.map((record) => splitRecord(record).announcement?.token)).toEqual([
      ...['token-1', 'token-1', 'token-1'],
    ])
    expect(sent.map((record) => splitRecord(record).batch)).toEqual(
      batches.map(({ batch }) => batch),
    )
  })
})
