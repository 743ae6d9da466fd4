import { decodeBytes, encodeText } from '../bytes.ts'
import { canonicalIp } from '../ip-text.ts'
import { textCountLimit } from './limits.ts'
import type { ByteReader } from './reader.ts'
import type { ByteWriter } from './writer.ts'

/** Gives each different text a number. A reference is that number, or 0 for "none" and number + 1. */
export class TextWriter {
  readonly #indexes = new Map<string, number>()

  index(text: string): number {
    let index = this.#indexes.get(text)
    if (index === undefined) {
      index = this.#indexes.size
      this.#indexes.set(text, index)
    }
    return index
  }

  reference(text: string | undefined): number {
    return text === undefined ? 0 : this.index(text) + 1
  }

  get count(): number {
    return this.#indexes.size
  }

  write(out: ByteWriter): void {
    const texts = [...this.#indexes.keys()].map(encodeText)
    out.unsigned(texts.length)
    out.numbers(
      texts.map(({ length }) => length),
      true,
    )
    for (const text of texts) out.bytes(text)
  }
}

/** The texts of a batch by number. */
export class TextReader {
  readonly #texts: readonly string[]
  readonly #reader: ByteReader
  readonly #addresses = new Set<number>()

  constructor(reader: ByteReader) {
    this.#reader = reader
    const lengths = reader.numbers(reader.count(textCountLimit))
    this.#texts = lengths.map((length) => {
      if (length < 0) reader.fail('text', 'a text has a negative length')
      return decodeBytes(reader.bytes(length))
    })
  }

  get count(): number {
    return this.#texts.length
  }

  text(index: number): string {
    return this.#texts[index] ?? this.#reader.fail('index', `there is no text ${index}`)
  }

  optional(reference: number): string | undefined {
    return reference === 0 ? undefined : this.text(reference - 1)
  }

  /** An IP address or "": what reads addresses later need not doubt them. */
  address(index: number): string {
    const text = this.text(index)
    if (text !== '' && !this.#addresses.has(index)) {
      if (canonicalIp(text) !== text) this.#reader.fail('text', 'an address is not an IP address')
      this.#addresses.add(index)
    }
    return text
  }

  /** A column of texts. */
  column(count: number): string[] {
    return this.columnOf(this.#reader, count)
  }

  /** A column of texts in another part of the batch. */
  columnOf(reader: ByteReader, count: number): string[] {
    return reader.numbers(count).map((index) => this.text(index))
  }

  optionalColumn(count: number): (string | undefined)[] {
    return this.#reader.numbers(count).map((reference) => this.optional(reference))
  }

  /** A column of lists of texts. */
  lists(count: number): (readonly string[])[] {
    const lengths = this.#reader.numbers(count)
    let total = 0
    for (const length of lengths) {
      if (length < 0) this.#reader.fail('count', 'a list has a negative length')
      total += length
    }
    if (total > Math.min(this.#reader.left, textCountLimit)) {
      this.#reader.fail('count', `${total} texts are too many`)
    }
    const items = this.column(total)
    let at = 0
    return lengths.map((length) => {
      at += length
      return length === 0 ? noTexts : items.slice(at - length, at)
    })
  }
}

const noTexts: readonly string[] = []

/** Writes what {@link TextReader.lists} reads. The items are spread: each takes a byte. */
export function writeLists(
  out: ByteWriter,
  texts: TextWriter,
  lists: readonly (readonly string[])[],
): void {
  out.numbers(lists.map(({ length }) => length))
  out.numbers(
    lists.flatMap((list) => list.map((text) => texts.index(text))),
    true,
  )
}
