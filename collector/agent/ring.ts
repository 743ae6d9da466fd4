import { CONTROL, EVENT, RING_BYTES } from './layout.ts'

const BUSY = 0x80000000 | 0
const DISCARDED = 0x40000000
const LENGTH = 0x3fffffff
const HEADER_BYTES = 8
/** Giving the kernel its space back for every record would cost more than reading it. */
const PUBLISH_BYTES = 64 << 10

/** Called with the byte offset of a record in `Ring.words`' memory; it lies there in one piece. */
export type OnRecord = (at: number) => void

/**
 * Reads a BPF ring buffer in place. The data pages are mapped twice in a row and read-only: writing
 * into them is a segmentation fault. Nobody but this reader moves the consumer position.
 *
 * A record may be held: the space from it on is given back only when it is released, so that a
 * successor of this process would read it again.
 */
export class Ring {
  /** The data, as words; record offsets are in bytes. */
  readonly words: Int32Array
  readonly #producer: Int32Array
  readonly #consumer: BigUint64Array
  readonly #reader: BigUint64Array | undefined
  readonly #mask: number
  /** Low 32 bits of the position, and the whole position as a safe integer. */
  #low: number
  #position: number
  /** Where the record begins that is being shown. */
  #shown: number
  #held = Number.POSITIVE_INFINITY
  #released: number

  /** @param reader where the read position is told to whoever waits for records, 8 bytes */
  constructor(
    consumerPage: ArrayBuffer,
    producerAndData: ArrayBuffer,
    bytes: number = RING_BYTES,
    reader?: ArrayBuffer,
  ) {
    this.#consumer = new BigUint64Array(consumerPage, 0, 1)
    this.#producer = new Int32Array(producerAndData, 0, 1)
    this.#reader = reader && new BigUint64Array(reader, 0, 1)
    // a page of the kernel's size comes before the data
    this.words = new Int32Array(producerAndData, producerAndData.byteLength - 2 * bytes)
    this.#mask = bytes - 1
    this.#position = Number(this.#consumer[0]!)
    this.#low = this.#position % 2 ** 32
    this.#shown = this.#position
    this.#released = this.#position
  }

  /**
   * Hands every complete record to `onRecord`, at most about `budget` of them, and frees their
   * space unless it is held. Returns how many; 0 means the ring is empty.
   */
  drain(onRecord: OnRecord, budget: number): number {
    let count = 0
    let unpublished = 0
    let low = this.#low
    reading: while (count < budget) {
      const end = Atomics.load(this.#producer, 0) >>> 0
      if (low === end) break
      while (low !== end) {
        const at = low & this.#mask
        const head = Atomics.load(this.words, at >>> 2)
        if ((head & BUSY) !== 0) break reading
        if ((head & DISCARDED) === 0) {
          this.#shown = this.#position + unpublished
          onRecord(at + HEADER_BYTES)
          count += 1
        }
        const step = ((head & LENGTH) + HEADER_BYTES + 7) & ~7
        low = (low + step) >>> 0
        unpublished += step
        if (unpublished >= PUBLISH_BYTES) {
          this.#advance(low, unpublished)
          unpublished = 0
        }
      }
    }
    if (unpublished > 0) this.#advance(low, unpublished)
    return count
  }

  /** Shows every record that lies in the ring now without consuming any. */
  peek(onRecord: OnRecord): void {
    const end = Atomics.load(this.#producer, 0) >>> 0
    for (let low = this.#low; low !== end; ) {
      const at = low & this.#mask
      const head = Atomics.load(this.words, at >>> 2)
      if ((head & BUSY) !== 0) return
      if ((head & DISCARDED) === 0) onRecord(at + HEADER_BYTES)
      low = (low + (((head & LENGTH) + HEADER_BYTES + 7) & ~7)) >>> 0
    }
  }

  /** Where the record begins that is being shown; positions only ever grow. */
  get shown(): number {
    return this.#shown
  }

  /** Bytes that were read and not given back. */
  get heldBytes(): number {
    return this.#position - this.#released
  }

  /** Keeps the space from `position` on until the next call; without a position, none. */
  holdFrom(position: number | undefined): void {
    this.#held = position ?? Number.POSITIVE_INFINITY
    this.#publish()
  }

  #advance(low: number, bytes: number): void {
    this.#low = low
    this.#position += bytes
    this.#publish()
  }

  #publish(): void {
    // what was given back once is the kernel's
    this.#released = Math.max(this.#released, Math.min(this.#position, this.#held))
    // 64-bit stores: the kernel must never see half a position
    Atomics.store(this.#consumer, 0, BigInt(this.#released))
    if (this.#reader !== undefined) Atomics.store(this.#reader, 0, BigInt(this.#position))
  }
}

/** Shape of the record at `at`, without decoding it. */
export function shapeAt(words: Int32Array, at: number): number {
  return (words[(at + EVENT.size) >>> 2]! >>> 16) & 0xff
}

/** Wall-clock time of boot in nanoseconds, as the sensor last measured it. */
export function epochOf(control: ArrayBuffer): bigint {
  return new BigInt64Array(control, CONTROL.epoch, 1)[0]!
}
