import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeBatch } from './encode.ts'
import { encodeFrame, FrameError, FrameReader } from './frames.ts'
import type { BatchInfo } from './header.ts'

function batch(sequence: number): Uint8Array {
  const info: BatchInfo = {
    cluster: 'c',
    node: 'node-7',
    boot: 'b',
    run: 1n,
    sequence,
    previous: undefined,
    sealedAt: 0n,
    rulesetHash: '',
    counters: { seen: 0, filtered: 0, folded: 0, lost: {} },
    keyId: '',
    compression: 0,
  }
  return encodeBatch(info, [], (body) => body)
}

const batches = [batch(1), batch(2), batch(3)]
const file = Uint8Array.from(batches.flatMap((each) => [...encodeFrame(each)]))

function errorOf(act: () => void): FrameError {
  try {
    act()
  } catch (error) {
    if (error instanceof FrameError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('a trace file', () => {
  it('is read in pieces of any size', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 120 })), (sizes) => {
        const reader = new FrameReader()
        const found: Uint8Array[] = []
        let at = 0
        for (const size of [...sizes, file.length]) {
          found.push(...reader.push(file.subarray(at, at + size)))
          at = Math.min(at + size, file.length)
        }
        reader.end()
        expect(found).toEqual(batches)
      }),
    )
  })

  it('that is cut names the batch', () => {
    const reader = new FrameReader()
    expect(reader.push(file.subarray(0, -2))).toHaveLength(2)
    const error = errorOf(() => reader.end())
    expect(error.code).toBe('short')
    expect(error.frame).toBe(2)
    expect(error.message).toMatch(/inside batch 2 \(node node-7, sequence 3\) at byte \d+: \d+ of/)
  })

  it('that is cut in a header or a length says where', () => {
    for (const left of [1, 3, 4, 9, 20, 60]) {
      const reader = new FrameReader()
      reader.push(encodeFrame(batch(1)).subarray(0, left))
      expect(errorOf(() => reader.end()).message).toMatch(/inside batch 0 at byte 0/)
    }
  })

  it('with an impossible length is refused at once', () => {
    const reader = new FrameReader()
    expect(errorOf(() => reader.push(new Uint8Array(8).fill(0xff))).code).toBe('size')
  })

  it('may be empty', () => {
    const reader = new FrameReader()
    expect(reader.push(new Uint8Array())).toEqual([])
    expect(() => reader.end()).not.toThrow()
  })
})
