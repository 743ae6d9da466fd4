import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeRing, makeRecord } from '#testing/records.ts'
import { EVENT } from './layout.ts'
import { RecordReader } from './record-reader.ts'
import { Ring } from './ring.ts'

const BYTES = 4096

function numbered(seq: number): Uint8Array {
  return makeRecord({ shape: 'exit', seq })
}

function drained(ring: Ring, budget = 1000): number[] {
  const record = new RecordReader(ring.words)
  const seen: number[] = []
  ring.drain((at) => {
    record.point(at)
    seen.push(record.u64(EVENT.seq))
  }, budget)
  return seen
}

describe('draining the ring', () => {
  it('gives every record once, in order, and frees its space', () => {
    const fake = new FakeRing(BYTES)
    const ring = new Ring(fake.consumerPage, fake.producerAndData, BYTES)
    for (let seq = 1; seq <= 5; seq++) fake.push(numbered(seq))
    expect(drained(ring)).toEqual([1, 2, 3, 4, 5])
    expect(fake.consumed).toBe(5 * 88)
    expect(drained(ring)).toEqual([])
  })

  it('stops before a record that is still being written and resumes there', () => {
    const fake = new FakeRing(BYTES)
    const ring = new Ring(fake.consumerPage, fake.producerAndData, BYTES)
    fake.push(numbered(1))
    fake.push(numbered(2), 'busy')
    fake.push(numbered(3))
    expect(drained(ring)).toEqual([1])
    fake.submit(88)
    expect(drained(ring)).toEqual([2, 3])
  })

  it('skips a discarded record', () => {
    const fake = new FakeRing(BYTES)
    const ring = new Ring(fake.consumerPage, fake.producerAndData, BYTES)
    fake.push(numbered(1), 'discarded')
    fake.push(numbered(2))
    expect(drained(ring)).toEqual([2])
  })

  it('keeps what is held for a successor, and gives it back when it is released', () => {
    const fake = new FakeRing(BYTES)
    const ring = new Ring(fake.consumerPage, fake.producerAndData, BYTES)
    const record = new RecordReader(ring.words)
    for (let seq = 1; seq <= 4; seq++) fake.push(numbered(seq))
    ring.drain((at) => {
      record.point(at)
      if (record.u64(EVENT.seq) === 3) ring.holdFrom(ring.shown)
    }, 1000)
    expect(fake.consumed).toBe(2 * 88)
    expect(ring.heldBytes).toBe(2 * 88)
    const successor = new Ring(fake.consumerPage, fake.producerAndData, BYTES)
    expect(drained(successor)).toEqual([3, 4])
    ring.holdFrom(undefined)
    expect(fake.consumed).toBe(4 * 88)
    expect(ring.heldBytes).toBe(0)
  })

  it('keeps a 64-bit position past four gigabytes', () => {
    const start = 2 ** 32 - 88
    const fake = new FakeRing(BYTES, start)
    const ring = new Ring(fake.consumerPage, fake.producerAndData, BYTES)
    fake.push(numbered(1))
    fake.push(numbered(2))
    expect(drained(ring)).toEqual([1, 2])
    expect(fake.consumed).toBe(start + 2 * 88)
  })

  it('resumes where the reader before it stopped', () => {
    const fake = new FakeRing(BYTES)
    fake.push(numbered(1))
    drained(new Ring(fake.consumerPage, fake.producerAndData, BYTES))
    fake.push(numbered(2))
    expect(drained(new Ring(fake.consumerPage, fake.producerAndData, BYTES))).toEqual([2])
  })

  it('shows what lies in the ring without consuming it', () => {
    const fake = new FakeRing(BYTES)
    const ring = new Ring(fake.consumerPage, fake.producerAndData, BYTES)
    fake.push(numbered(1))
    const offsets: number[] = []
    ring.peek((at) => offsets.push(at))
    expect(offsets).toEqual([8])
    expect(drained(ring)).toEqual([1])
  })

  it('never loses or repeats a record, however writes and reads interleave', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }), (bursts) => {
        const fake = new FakeRing(BYTES)
        const ring = new Ring(fake.consumerPage, fake.producerAndData, BYTES)
        let next = 1
        const seen: number[] = []
        for (const burst of bursts) {
          for (let i = 0; i < burst; i++) fake.push(numbered(next++))
          seen.push(...drained(ring, 1 + (burst % 7) * 5), ...drained(ring))
        }
        expect(seen).toEqual(Array.from({ length: next - 1 }, (_, i) => i + 1))
      }),
      { numRuns: 50 },
    )
  })
})
