import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeBatch } from '#testing/batches.ts'
import { type Announcement, appendAnnouncement, splitRecord } from './announcement.ts'
import { BatchError } from './error.ts'

const batches = fc
  .record({
    sequence: fc.nat(1000),
    fill: fc.nat(5000),
    events: fc.nat(3),
    node: fc.string({ maxLength: 20 }),
  })
  .map(makeBatch)
const announcements: fc.Arbitrary<Announcement> = fc.record({
  publicKey: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  token: fc.oneof(fc.string(), fc.string({ minLength: 900, maxLength: 2000 })),
  instance: fc.string({ maxLength: 60 }),
})

describe('a record of the stream', () => {
  it('gives back the batch and the announcement that were put into it', () => {
    fc.assert(
      fc.property(batches, announcements, (batch, announcement) => {
        const record = appendAnnouncement(batch, announcement)
        expect(splitRecord(record)).toEqual({ batch, announcement })
      }),
    )
  })

  it('is what it was without an announcement', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        expect(splitRecord(batch)).toEqual({ batch })
      }),
    )
  })

  it('is split wherever its bytes lie in memory', () => {
    const batch = makeBatch({ sequence: 1 })
    const announcement = { publicKey: new Uint8Array(32).fill(7), token: 'a.b.c', instance: 'i-1' }
    const record = appendAnnouncement(batch, announcement)
    const memory = new Uint8Array(record.length + 5)
    memory.set(record, 5)
    expect(splitRecord(memory.subarray(5))).toEqual({ batch, announcement })
  })

  it('that is no batch comes back as it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(splitRecord(bytes)).toEqual({ batch: bytes })
      }),
    )
  })

  it.each([
    ['version', 4, 9],
    ['magic', 0, 0],
    ['text', 37 + 1, 0xff],
  ])('keeps its batch when the announcement has a bad %s', (code, at, byte) => {
    const batch = makeBatch({ sequence: 1 })
    const record = appendAnnouncement(batch, {
      publicKey: new Uint8Array(32),
      token: 'x'.repeat(200),
      instance: '',
    })
    record[batch.length + at] = byte
    const split = splitRecord(record)
    expect(split.batch).toEqual(batch)
    expect(split.announcement).toBeUndefined()
    expect(split.problem).toMatchObject({ name: 'BatchError', code, part: 'trailer' })
  })

  it('never keeps a byte of what stands behind the batch, and never throws, however damaged', () => {
    fc.assert(
      fc.property(
        batches,
        announcements,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.nat(),
        (batch, announcement, changes, cut) => {
          const whole = appendAnnouncement(batch, announcement)
          const trailer = whole.length - batch.length
          const record = whole.slice(0, batch.length + 1 + (cut % trailer))
          for (const [at, byte] of changes) {
            record[batch.length + (at % (record.length - batch.length))] = byte
          }
          const split = splitRecord(record)
          expect(split.batch).toEqual(batch)
          if (split.announcement === undefined) expect(split.problem).toBeInstanceOf(BatchError)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('is not made with a key, token or instance that no reader would take', () => {
    const good = { publicKey: new Uint8Array(32), token: '', instance: '' }
    const make = (more: Partial<Announcement>) => () =>
      appendAnnouncement(makeBatch({ sequence: 0 }), { ...good, ...more })
    expect(make({ publicKey: new Uint8Array(31) })).toThrow(/32 bytes, not 31/)
    expect(make({ token: 'x'.repeat(8193) })).toThrow(/a token has at most 8192/)
    expect(make({ instance: 'x'.repeat(256) })).toThrow(/an instance has at most 255/)
  })
})
