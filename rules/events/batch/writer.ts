import { encodeText } from '../bytes.ts'

/** How the numbers of a column are written; the encoder takes the shortest. */
export const ColumnMode = { constant: 0, unsigned: 1, signed: 2, delta: 3, wide: 4 } as const

/** Bytes in the making. Integers are little-endian or, where not said, variable-length. */
export class ByteWriter {
  #bytes = new Uint8Array(4096)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** The bytes so far; they change when more is written. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #grow(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    larger.set(this.finish())
    this.#bytes = larger
  }

  byte(value: number): void {
    this.#grow(1)
    this.#bytes[this.#length++] = value
  }

  bytes(value: Uint8Array): void {
    this.#grow(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  /** An integer of `size` bytes, two's complement. */
  fixed(value: bigint, size: number): void {
    let rest = BigInt.asUintN(size * 8, value)
    for (let i = 0; i < size; i++) {
      this.byte(Number(rest & 0xffn))
      rest >>= 8n
    }
  }

  /** A safe integer from 0 up, seven bits a byte. */
  unsigned(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.byte(rest)
  }

  /** A safe integer: its sign and six bits in the first byte, then seven bits a byte. */
  signed(value: number): void {
    const sign = value < 0 ? 0x40 : 0
    const magnitude = Math.abs(value)
    if (magnitude < 0x40) {
      this.byte(sign | magnitude)
      return
    }
    this.byte(0x80 | sign | (magnitude % 0x40))
    this.unsigned(Math.floor(magnitude / 0x40))
  }

  /** An integer of up to 65 bits with its sign last, seven bits a byte. */
  big(value: bigint): void {
    let rest = value >= 0n ? value << 1n : (-value << 1n) - 1n
    while (rest >= 0x80n) {
      this.byte(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.byte(Number(rest))
  }

  text(value: string): void {
    const bytes = encodeText(value)
    this.unsigned(bytes.length)
    this.bytes(bytes)
  }

  /**
   * A column of integers. `spread` keeps it from being written as one constant, so that a reader can
   * hold the number of rows against the number of bytes.
   */
  numbers(values: readonly number[], spread = false): void {
    const mode = chooseMode(values, spread)
    this.byte(mode)
    let last = 0
    for (const value of values) {
      if (mode === ColumnMode.unsigned) this.unsigned(value)
      else if (mode === ColumnMode.signed) this.signed(value)
      else if (mode === ColumnMode.delta) this.signed(value - last)
      else if (mode === ColumnMode.wide)
        this.big(Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n)
      else {
        this.signed(value)
        break
      }
      last = value
    }
  }

  /** A column of integers of up to 64 bits that lie close together, such as times. */
  bigints(values: readonly bigint[], spread = false): void {
    const steps: number[] = []
    let last = 0n
    for (const value of values) {
      steps.push(Number(value - last))
      last = value
    }
    const close = steps.length > 0 && steps.slice(1).every(Number.isSafeInteger)
    this.byte(close ? 1 : 0)
    if (!close) {
      for (const value of values) this.big(value)
      return
    }
    this.big(values[0]!)
    this.numbers([0, ...steps.slice(1)], spread)
  }

  /** A column of few different integers of up to 64 bits, such as sets of bits. */
  bigintSet(values: readonly bigint[]): void {
    const indexes = new Map<bigint, number>()
    const column = values.map((value) => {
      const index = indexes.get(value) ?? indexes.size
      indexes.set(value, index)
      return index
    })
    this.unsigned(indexes.size)
    for (const value of indexes.keys()) this.big(value)
    this.numbers(column)
  }
}

function unsignedLength(value: number): number {
  let length = 1
  for (let rest = value; rest >= 0x80; rest /= 0x80) length += 1
  return length
}

function signedLength(value: number): number {
  const magnitude = Math.abs(value)
  return magnitude < 0x40 ? 1 : 1 + unsignedLength(Math.floor(magnitude / 0x40))
}

function chooseMode(values: readonly number[], spread: boolean): number {
  const first = values[0]
  let constant = !spread
  let unsigned = 0
  let signed = 0
  let delta = 0
  let last = 0
  for (const value of values) {
    if (!Number.isSafeInteger(value)) return ColumnMode.wide
    constant &&= value === first
    unsigned += value < 0 ? Number.POSITIVE_INFINITY : unsignedLength(value)
    signed += signedLength(value)
    delta += Number.isSafeInteger(value - last)
      ? signedLength(value - last)
      : Number.POSITIVE_INFINITY
    last = value
  }
  if (constant && values.length > 0) return ColumnMode.constant
  if (unsigned <= signed && unsigned <= delta) return ColumnMode.unsigned
  return signed <= delta ? ColumnMode.signed : ColumnMode.delta
}
