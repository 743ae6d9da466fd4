import { decodeBytes } from '#events'
import {
  CALL_BYTES,
  EVENT,
  EVENT_BYTES,
  EXIT_BYTES,
  FORK_BYTES,
  PROCESS_BYTES,
  Shape,
} from './layout.ts'
import { TextCache } from './text-cache.ts'

const KINDS = 64
const BIG_SLOTS = 256
const fixedBytes = new Uint8Array(16)
fixedBytes[Shape.call] = CALL_BYTES
fixedBytes[Shape.exec] = PROCESS_BYTES
fixedBytes[Shape.snapshot] = PROCESS_BYTES
fixedBytes[Shape.fork] = FORK_BYTES
fixedBytes[Shape.exit] = EXIT_BYTES
fixedBytes[Shape.ready] = EVENT_BYTES

/** Joins components that the kernel gave leaf first, each ended by a zero. */
export function joinComponents(bytes: Uint8Array): string {
  const names = decodeBytes(bytes).split('\0')
  names.pop()
  // a root directory is its own only component
  if (names.at(-1) === '/') names.pop()
  return `/${names.reverse().join('/')}`
}

/**
 * One record of the ring (or of anything with the same bytes), read in place: fixed fields by
 * offset, items found by one walk on first use. Pointing it at the next record costs nothing.
 */
export class RecordReader {
  readonly words: Int32Array
  /** Byte offset of the record. */
  at = 0
  /** What the record is: a value of `Shape`. */
  shape = 0
  readonly #longs: BigUint64Array
  readonly #texts = new TextCache(decodeBytes)
  readonly #paths = new TextCache(joinComponents)
  readonly #bigs: bigint[] = new Array<bigint>(BIG_SLOTS).fill(0n)
  readonly #bigWords = new Int32Array(2 * BIG_SLOTS)
  #lastPaths: readonly string[] = []
  readonly #itemAt = new Int32Array(KINDS)
  readonly #itemOf = new Int32Array(KINDS).fill(-1)
  #generation = 0
  #walked = false

  /** @param words aligned to eight bytes */
  constructor(words: Int32Array) {
    this.words = words
    this.#longs = new BigUint64Array(words.buffer, words.byteOffset, words.byteLength >>> 3)
  }

  point(at: number): void {
    this.at = at
    this.shape = (this.words[at >>> 2]! >>> 16) & 0xff
    this.#generation = (this.#generation + 1) | 0
    this.#walked = false
  }

  u8(offset: number): number {
    return (this.words[(this.at + offset) >>> 2]! >>> ((offset & 3) * 8)) & 0xff
  }

  u16(offset: number): number {
    return (this.words[(this.at + offset) >>> 2]! >>> ((offset & 2) * 8)) & 0xffff
  }

  u32(offset: number): number {
    return this.words[(this.at + offset) >>> 2]! >>> 0
  }

  i32(offset: number): number {
    return this.words[(this.at + offset) >>> 2]!
  }

  /** A 64-bit number as a double: exact below 2^53. */
  u64(offset: number): number {
    const word = (this.at + offset) >>> 2
    return (this.words[word + 1]! >>> 0) * 4294967296 + (this.words[word]! >>> 0)
  }

  i64(offset: number): number {
    const word = (this.at + offset) >>> 2
    return this.words[word + 1]! * 4294967296 + (this.words[word]! >>> 0)
  }

  /** A field of the fixed part, exact. */
  big(offset: number): bigint {
    return this.#longs[(this.at + offset) >>> 3]!
  }

  /** The same as {@link big}, for values that many processes have in common: kept once for all. */
  sharedBig(offset: number): bigint {
    const word = (this.at + offset) >>> 2
    const low = this.words[word]!
    const high = this.words[word + 1]!
    const slot = Math.imul(low ^ Math.imul(high, 31), 0x9e3779b1) >>> 24
    if (this.#bigWords[2 * slot] !== low || this.#bigWords[2 * slot + 1] !== high) {
      this.#bigWords[2 * slot] = low
      this.#bigWords[2 * slot + 1] = high
      this.#bigs[slot] = this.big(offset)
    }
    return this.#bigs[slot]!
  }

  get size(): number {
    return this.u16(EVENT.size)
  }

  /** Offset of an item's bytes within the record, 0 when there is none. */
  item(kind: number): number {
    if (!this.#walked) this.#walk()
    return this.#itemOf[kind] === this.#generation ? this.#itemAt[kind]! : 0
  }

  itemLength(offset: number): number {
    return this.u16(offset - 2)
  }

  text(kind: number): string | undefined {
    const offset = this.item(kind)
    if (offset === 0) return undefined
    return this.#texts.text(this.words, this.at + offset, this.itemLength(offset))
  }

  path(kind: number): string | undefined {
    const offset = this.item(kind)
    if (offset === 0) return undefined
    return this.#paths.text(this.words, this.at + offset, this.itemLength(offset))
  }

  /** Name of a file without a place in a tree, where {@link path} would pretend it has one. */
  treelessName(kind: number): string {
    return this.path(kind)?.slice(1) ?? ''
  }

  /** A copy of an item's bytes, safe to keep. */
  bytes(kind: number): Uint8Array | undefined {
    const offset = this.item(kind)
    return offset === 0 ? undefined : this.#copy(offset)
  }

  /**
   * Paths of every item of a kind that may come more than once, each once. The same array as last
   * time when they are the same.
   */
  paths(kind: number): readonly string[] {
    const found: string[] = []
    this.#eachItem((itemKind, offset) => {
      if (itemKind !== kind) return
      const path = this.#paths.text(this.words, this.at + offset, this.itemLength(offset))
      if (!found.includes(path)) found.push(path)
    })
    const last = this.#lastPaths
    if (last.length !== found.length || !last.every((path, i) => path === found[i])) {
      this.#lastPaths = found
    }
    return this.#lastPaths
  }

  #copy(offset: number): Uint8Array {
    const start = this.words.byteOffset + this.at + offset
    return new Uint8Array(this.words.buffer, start, this.itemLength(offset)).slice()
  }

  #walk(): void {
    this.#walked = true
    this.#eachItem((kind, offset) => {
      if (kind >= KINDS) return
      this.#itemAt[kind] = offset
      this.#itemOf[kind] = this.#generation
    })
  }

  #eachItem(visit: (kind: number, offset: number) => void): void {
    const end = this.size
    for (let offset = fixedBytes[this.shape & 15]!; offset + 4 <= end; ) {
      const head = this.words[(this.at + offset) >>> 2]!
      const length = head >>> 16
      // kind 0 is the padding of the record to eight bytes
      if ((head & 0xffff) === 0 || offset + 4 + length > end) return
      visit(head & 0xffff, offset + 4)
      offset += 4 + ((length + 3) & ~3)
    }
  }
}
