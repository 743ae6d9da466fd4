import { decodeBytes } from '../bytes.ts'
import { BatchError, type BatchErrorCode, type BatchPart } from './error.ts'
import { countLimit } from './limits.ts'
import { ColumnMode } from './writer.ts'

/** Reads what `ByteWriter` wrote; anything else ends in a {@link BatchError}. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #part: BatchPart
  #at = 0

  constructor(bytes: Uint8Array, part: BatchPart) {
    this.#bytes = bytes
    this.#part = part
  }

  get at(): number {
    return this.#at
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  fail(code: BatchErrorCode, message: string): never {
    throw new BatchError(code, this.#part, this.#at, message)
  }

  byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) this.fail('short', 'the bytes end here')
    this.#at += 1
    return byte
  }

  bytes(length: number): Uint8Array {
    if (length > this.left) this.fail('short', `${length} bytes do not follow`)
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  /** A reader of the next `length` bytes alone. */
  part(length: number): ByteReader {
    return new ByteReader(this.bytes(length), this.#part)
  }

  fixed(size: number): bigint {
    let value = 0n
    for (const [index, byte] of this.bytes(size).entries()) {
      value |= BigInt(byte) << BigInt(index * 8)
    }
    return value
  }

  unsigned(): number {
    const first = this.byte()
    return first < 0x80 ? first : this.#continue(first & 0x7f, 0x80)
  }

  signed(): number {
    const first = this.byte()
    const low = first & 0x3f
    const magnitude = first < 0x80 ? low : this.#continue(low, 0x40)
    return (first & 0x40) === 0 ? magnitude : -magnitude
  }

  #continue(low: number, from: number): number {
    let value = low
    for (let scale = from; ; scale *= 0x80) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (value > Number.MAX_SAFE_INTEGER) this.fail('number', 'the number is too large')
      if (byte < 0x80) return value
      if (scale > Number.MAX_SAFE_INTEGER) this.fail('number', 'the number does not end')
    }
  }

  big(): bigint {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) break
      if (shift >= 63n) this.fail('number', 'the number does not end')
    }
    const magnitude = (value + 1n) >> 1n
    if (magnitude >> 64n !== 0n) this.fail('number', 'the number is too large')
    return (value & 1n) === 0n ? magnitude : -magnitude
  }

  /** A count of at most `limit` things that take at least one byte each. */
  count(limit = countLimit): number {
    const count = this.unsigned()
    if (count > this.left) this.fail('count', `${count} items do not fit into what is left`)
    if (count > limit) this.fail('count', `${count} items are more than ${limit}`)
    return count
  }

  /** A text of at most `limit` bytes. */
  text(limit: number): string {
    const length = this.unsigned()
    if (length > limit) this.fail('text', `the text is longer than ${limit} bytes`)
    return decodeBytes(this.bytes(length))
  }

  /** A column of `count` integers. The caller has made sure that `count` is a sane number. */
  numbers(count: number): number[] {
    const mode = this.byte()
    if (mode === ColumnMode.constant) return new Array<number>(count).fill(this.signed())
    if (count > this.left) this.fail('short', `${count} numbers do not follow`)
    const values = new Array<number>(count)
    switch (mode) {
      case ColumnMode.unsigned:
        for (let i = 0; i < count; i++) values[i] = this.unsigned()
        return values
      case ColumnMode.signed:
        for (let i = 0; i < count; i++) values[i] = this.signed()
        return values
      case ColumnMode.delta:
        return this.#steps(values)
      case ColumnMode.wide:
        for (let i = 0; i < count; i++) values[i] = Number(this.big())
        return values
      default:
        this.fail('type', `no column is written in the way ${mode}`)
    }
  }

  #steps(values: number[]): number[] {
    let last = 0
    for (let i = 0; i < values.length; i++) {
      last += this.signed()
      if (!Number.isSafeInteger(last)) this.fail('number', 'the number is too large')
      values[i] = last
    }
    return values
  }

  /** A column of integers from 0 to below `end`: references and codes. */
  indexes(count: number, end: number, code: BatchErrorCode = 'index'): number[] {
    const values = this.numbers(count)
    for (const value of values) {
      if (value < 0 || value >= end) this.fail(code, `${value} is not below ${end}`)
    }
    return values
  }

  bigints(count: number): bigint[] {
    if (count === 0) {
      this.byte()
      return []
    }
    const values: bigint[] = []
    if (this.byte() === 0) {
      if (count > this.left) this.fail('short', `${count} numbers do not follow`)
      for (let i = 0; i < count; i++) values.push(this.big())
      return values
    }
    let last = this.big()
    for (const step of this.numbers(count)) {
      last += BigInt(step)
      values.push(last)
    }
    if (last >> 64n !== 0n && last >> 64n !== -1n) this.fail('number', 'the number is too large')
    return values
  }

  bigintSet(count: number): bigint[] {
    const set = Array.from({ length: this.count() }, () => this.big())
    return this.indexes(count, set.length).map((index) => set[index]!)
  }

  end(): void {
    if (this.left > 0) this.fail('rest', `${this.left} bytes are left over`)
  }
}
