const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/** Bytes of an object as most are; what a larger one needed is given back. */
const usualSize = 32 << 10

export interface SplitterOptions {
  /**
   * How deep the objects lie that are wanted: 1 for objects that follow one another, 3 for the items
   * of a list (an object, in it an array, in it the items).
   */
  readonly depth: 1 | 3
  /** Bytes of one object; a larger one is passed over and counted. */
  readonly objectLimit: number
  /** Bytes around the objects; more of them are an error. */
  readonly restLimit: number
  readonly onObject: (json: unknown) => void
}

/**
 * Takes JSON as it comes over the wire and gives its objects one by one, so that no more than one is
 * ever in memory, however long the list or the stream is. Throws at what is no JSON.
 */
export class JsonSplitter {
  readonly #options: SplitterOptions
  #depth = 0
  #arrays = 0
  #inText = false
  #escaped = false
  #inObject = false
  /** The bytes of the object so far; used again for the next one. */
  #object = Buffer.allocUnsafeSlow(usualSize)
  #length = 0
  #rest: Buffer[] = []
  #restLength = 0
  #oversized = 0

  constructor(options: SplitterOptions) {
    this.#options = options
  }

  /** Objects passed over because of their size. */
  get oversized(): number {
    return this.#oversized
  }

  push(chunk: Buffer): void {
    let from = 0
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!
      if (this.#inText) {
        if (this.#escaped) this.#escaped = false
        else if (byte === backslash) this.#escaped = true
        else if (byte === quote) this.#inText = false
      } else if (byte === quote) {
        this.#inText = true
      } else if (byte === openBrace || byte === openBracket) {
        if (this.#opensObject(byte)) {
          this.#keepRest(chunk.subarray(from, i))
          this.#inObject = true
          from = i
        }
        this.#depth += 1
        if (byte === openBracket && !this.#inObject) this.#arrays += 1
      } else if (byte === closeBrace || byte === closeBracket) {
        this.#depth -= 1
        if (this.#depth < 0) throw new SyntaxError('a bracket closes what was never opened')
        if (byte === closeBracket && !this.#inObject) this.#arrays -= 1
        if (this.#inObject && this.#depth === this.#options.depth - 1) {
          this.#keep(chunk.subarray(from, i + 1))
          this.#emit()
          from = i + 1
        }
      }
    }
    const left = chunk.subarray(from)
    if (this.#inObject) this.#keep(left)
    else this.#keepRest(left)
  }

  /** What stands around the objects, with null for each of them. Throws when the end is missing. */
  end(): unknown {
    if (this.#depth > 0 || this.#inText) throw new SyntaxError('the JSON ends too early')
    return JSON.parse(Buffer.concat(this.#rest).toString())
  }

  #opensObject(byte: number): boolean {
    const { depth } = this.#options
    if (this.#inObject || byte !== openBrace || this.#depth !== depth - 1) return false
    return depth === 1 || this.#arrays === 1
  }

  #keep(piece: Buffer): void {
    const from = this.#length
    this.#length += piece.length
    if (this.#length > this.#options.objectLimit) return
    if (this.#length > this.#object.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#length, this.#object.length * 2))
      this.#object.copy(larger, 0, 0, from)
      this.#object = larger
    }
    piece.copy(this.#object, from)
  }

  #keepRest(piece: Buffer): void {
    if (piece.length === 0) return
    if (this.#options.depth === 1) {
      if (piece.toString().trim() !== '')
        throw new SyntaxError('there is something between objects')
      return
    }
    this.#restLength += piece.length
    if (this.#restLength > this.#options.restLimit) {
      throw new RangeError(
        `the list has more than ${this.#options.restLimit} bytes around its items`,
      )
    }
    this.#rest.push(Buffer.from(piece))
  }

  #emit(): void {
    const length = this.#length
    this.#length = 0
    this.#inObject = false
    this.#keepRest(placeholder(this.#options.depth))
    if (length > this.#options.objectLimit) {
      this.#oversized += 1
      return
    }
    const text = this.#object.toString('utf8', 0, length)
    if (this.#object.length > usualSize) this.#object = Buffer.allocUnsafeSlow(usualSize)
    this.#options.onObject(JSON.parse(text))
  }
}

function placeholder(depth: number): Buffer {
  return Buffer.from(depth === 1 ? '' : 'null')
}
