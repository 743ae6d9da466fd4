import { describe, expect, it } from 'vitest'
import { decodeBatch } from './decode.ts'
import { encodeBatch } from './encode.ts'
import { BatchError } from './error.ts'
import { type BatchInfo, bytesToSign, readHeader, withSignature } from './header.ts'

const info: BatchInfo = {
  cluster: 'c',
  node: 'n',
  boot: 'b',
  run: 1n,
  sequence: 0,
  previous: undefined,
  sealedAt: 7n,
  rulesetHash: '',
  counters: { seen: 0, filtered: 0, folded: 0, lost: {} },
  keyId: '',
  compression: 0,
}
const batch = encodeBatch(info, [], (body) => body)

function codeOf(bytes: Uint8Array): string {
  try {
    readHeader(bytes)
    return 'none'
  } catch (error) {
    return (error as BatchError).code
  }
}

function changed(at: number, byte: number): Uint8Array {
  const bytes = batch.slice()
  bytes[at] = byte
  return bytes
}

describe('the header of a batch', () => {
  it('is readable without the body', () => {
    expect(readHeader(batch)).toMatchObject({ cluster: 'c', sequence: 0, previous: undefined })
  })

  it('names what is wrong with bytes that are no batch', () => {
    expect(codeOf(new Uint8Array())).toBe('short')
    expect(codeOf(changed(0, 0))).toBe('magic')
    expect(codeOf(changed(4, 2))).toBe('version')
    expect(codeOf(batch.subarray(0, -1))).toBe('short')
    expect(codeOf(Uint8Array.of(...batch, 0))).toBe('rest')
    expect(codeOf(new Uint8Array((1 << 20) + 1))).toBe('size')
    expect(codeOf(changed(15, 0xff))).toBe('size')
    expect(codeOf(changed(18, 0xff))).toBe('count')
  })

  it('takes no text that nobody could read back', () => {
    const long = { ...info, node: 'n'.repeat(256) }
    expect(() => encodeBatch(long, [], (body) => body)).toThrow(TypeError)
  })

  it('says an unknown version clearly', () => {
    expect(() => readHeader(changed(4, 9))).toThrow(/format version 9 is not known/)
    expect(() => readHeader(changed(4, 9))).toThrow(BatchError)
  })
})

describe('a signature', () => {
  const signature = new Uint8Array(64).fill(7)

  it('is over the batch with its own place zero', () => {
    const signed = withSignature(batch, signature)
    expect(signed).not.toEqual(batch)
    expect(bytesToSign(signed)).toEqual(batch)
    expect(readHeader(signed).signature).toEqual(signature)
    expect(decodeBatch(signed, (body) => body).events).toEqual([])
  })

  it('has 64 bytes', () => {
    expect(() => withSignature(batch, new Uint8Array(63))).toThrow(RangeError)
  })

  it('is left as it is by what is made of it, also when it is a slice of other memory', () => {
    const signed = withSignature(batch, new Uint8Array(64).fill(9))
    // Behaves like Node's Buffer: its `slice` is a view.
    class Shared extends Uint8Array<ArrayBuffer> {
      override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
        return super.subarray(start, end)
      }
    }
    const shared = new Shared(new Uint8Array(signed).buffer)
    expect(bytesToSign(shared)).toEqual(batch)
    withSignature(shared, new Uint8Array(64).fill(7))
    const { signature } = readHeader(shared)
    shared.fill(0)
    expect(signature).toEqual(new Uint8Array(64).fill(9))
  })
})
