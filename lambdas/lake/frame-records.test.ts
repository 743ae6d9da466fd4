import { zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { appendAnnouncement, FrameReader } from '#events'
import { makeBatch } from '#testing/batches.ts'
import { frameRecords } from './frame-records.ts'

const token = 'eyJhbGciOiJSUzI1NiJ9.c2VjcmV0.c2lnbmF0dXJl'
const announce = (batch: Uint8Array) =>
  appendAnnouncement(batch, { publicKey: new Uint8Array(32).fill(7), token, instance: 'i-1' })
const event = (...records: Uint8Array[]) => ({
  records: records.map((bytes, at) => ({
    recordId: `${at}`,
    data: Buffer.from(bytes).toString('base64'),
  })),
})
/** The object that Firehose would write. */
const objectOf = ({ records }: ReturnType<typeof frameRecords>) =>
  Buffer.concat(records.map(({ data }) => Buffer.from(data, 'base64')))
const batchesIn = (object: Uint8Array) => {
  const reader = new FrameReader()
  const batches = reader.push(object)
  reader.end()
  return batches.map((batch) => Buffer.from(batch))
}

describe('records on their way into the lake', () => {
  it('are batches one after the other, without what a sensor says of itself', () => {
    const [first, second] = [makeBatch({ sequence: 1 }), makeBatch({ sequence: 2, fill: 300 })]
    const framed = frameRecords(event(announce(first), second))
    const object = objectOf(framed)
    expect(batchesIn(object)).toEqual([Buffer.from(first), Buffer.from(second)])
    expect(object.includes(token)).toBe(false)
    expect(framed.figures).toEqual({ batches: 2, bytes: object.length, dropped: 0 })
  })

  it('are dropped when they are no batch, whatever they are, and the others stay whole', () => {
    const good = makeBatch({ sequence: 1 })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(2), (noise, at) => {
        const records = [good, good]
        records.splice(at, 0, noise)
        const framed = frameRecords(event(...records))
        const ids = framed.records.map(({ recordId }) => recordId)
        expect(ids).toEqual(['0', '1', '2'])
        expect(framed.records[at]!.result).toBe('Dropped')
        expect(batchesIn(objectOf(framed))).toEqual([Buffer.from(good), Buffer.from(good)])
      }),
    )
  })

  it('stay when only the body of a batch is damaged: its header still tells what was lost', () => {
    const batch = makeBatch({ sequence: 1, fill: 100 }).slice()
    batch.set(zstdCompressSync('noise'), batch.length - 40)
    expect(frameRecords(event(batch)).records[0]!.result).toBe('Ok')
  })
})
