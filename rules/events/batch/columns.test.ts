import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BatchError } from './error.ts'
import { ByteReader } from './reader.ts'
import { ByteWriter } from './writer.ts'

function copy<T>(write: (out: ByteWriter) => void, read: (reader: ByteReader) => T): T {
  const out = new ByteWriter()
  write(out)
  const reader = new ByteReader(out.finish(), 'body')
  const value = read(reader)
  reader.end()
  return value
}

describe('a column', () => {
  it('gives back any integers', () => {
    const integer = fc.oneof(
      fc.integer(),
      fc.maxSafeInteger(),
      fc.constantFrom(0, 63, 64, -64, 2 ** 63),
    )
    fc.assert(
      fc.property(fc.array(integer), fc.boolean(), (values, spread) => {
        const back = copy(
          (out) => out.numbers(values, spread),
          (reader) => reader.numbers(values.length),
        )
        expect(back).toEqual(values)
      }),
    )
  })

  it('gives back any integers of 64 bits', () => {
    const integer = fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
      fc.bigInt({ min: 0n, max: 1000n }),
    )
    fc.assert(
      fc.property(fc.array(integer), (values) => {
        const count = values.length
        expect(
          copy(
            (out) => out.bigints(values),
            (reader) => reader.bigints(count),
          ),
        ).toEqual(values)
        expect(
          copy(
            (out) => out.bigintSet(values),
            (reader) => reader.bigintSet(count),
          ),
        ).toEqual(values)
      }),
    )
  })

  it('of one value takes a few bytes, unless each row must take one', () => {
    const size = (spread: boolean) => {
      const out = new ByteWriter()
      out.numbers(new Array<number>(1000).fill(5), spread)
      return out.length
    }
    expect(size(false)).toBe(2)
    expect(size(true)).toBeGreaterThan(1000)
  })
})

describe('a reader', () => {
  const reader = (...bytes: number[]) => new ByteReader(Uint8Array.from(bytes), 'body')
  const endless = new Array<number>(20).fill(0x80)

  it('stops at numbers that are too long or too large', () => {
    expect(() => reader(...endless).unsigned()).toThrow(BatchError)
    expect(() => reader(...endless).signed()).toThrow(BatchError)
    expect(() => reader(...endless).big()).toThrow(BatchError)
    expect(() => reader(...new Array<number>(8).fill(0xff), 1).unsigned()).toThrow(/too large/)
  })

  it('does not believe a count that the bytes cannot hold', () => {
    expect(() => reader(100, 1, 2).count()).toThrow(/100 items/)
    expect(() => reader(1, 5).numbers(10)).toThrow(/10 numbers do not follow/)
    expect(() => reader(9, 5).numbers(1)).toThrow(/no column/)
    expect(() => reader(1, 5).indexes(1, 5)).toThrow(/5 is not below 5/)
  })
})
