const SLOTS = 4096
const WORDS = 48
const MAX_BYTES = WORDS * 4

/**
 * Turns the same bytes into the same string without decoding them again: a direct-mapped cache of
 * bounded size (about 0.8 MiB), keyed by the bytes themselves. Longer texts pass through uncached.
 */
export class TextCache {
  readonly #build: (bytes: Uint8Array) => string
  readonly #hashes = new Int32Array(SLOTS)
  readonly #lengths = new Int32Array(SLOTS).fill(-1)
  readonly #copies = new Int32Array(SLOTS * WORDS)
  readonly #texts: string[] = new Array<string>(SLOTS).fill('')

  /** @param build makes the string of bytes not seen before; it must not keep them. */
  constructor(build: (bytes: Uint8Array) => string) {
    this.#build = build
  }

  /**
   * @param words the memory the text lies in, as 32-bit words
   * @param at byte offset of the text, a multiple of 4
   */
  text(words: Int32Array, at: number, length: number): string {
    if (length === 0) return this.#build(new Uint8Array(0))
    if (length > MAX_BYTES) return this.#build(bytesOf(words, at, length))
    const first = at >>> 2
    const whole = length >>> 2
    const rest = length & 3
    let hash = length
    for (let i = 0; i < whole; i++) hash = Math.imul(hash ^ words[first + i]!, 0x9e3779b1)
    const tail = rest === 0 ? 0 : words[first + whole]! & ((1 << (rest * 8)) - 1)
    hash = Math.imul(hash ^ tail, 0x9e3779b1)
    hash ^= hash >>> 15
    const slot = hash & (SLOTS - 1)
    const copy = slot * WORDS
    if (this.#hashes[slot] === hash && this.#lengths[slot] === length) {
      let same = rest === 0 || this.#copies[copy + whole] === tail
      for (let i = 0; same && i < whole; i++) same = this.#copies[copy + i] === words[first + i]
      if (same) return this.#texts[slot]!
    }
    const text = this.#build(bytesOf(words, at, length))
    this.#hashes[slot] = hash
    this.#lengths[slot] = length
    for (let i = 0; i < whole; i++) this.#copies[copy + i] = words[first + i]!
    if (rest !== 0) this.#copies[copy + whole] = tail
    this.#texts[slot] = text
    return text
  }
}

/** A copy: the ring's memory may be overwritten while the text is decoded lazily. */
function bytesOf(words: Int32Array, at: number, length: number): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset + at, length).slice()
}
