import type { Place, SourceFile } from './diagnostic.ts'

/** A stretch of text that comes from one file. */
interface Segment {
  readonly length: number
  readonly file: SourceFile
  /** Offset in the file of each character, or the range that all of them stand for. */
  readonly origin: Int32Array | { readonly at: number; readonly end: number }
  /** Where in the origin the segment begins. */
  readonly from: number
}

/**
 * Text put together from pieces of files, that still knows where each character was written:
 * conditions are folded, appended to and have their lists filled in before they are parsed.
 */
export class SourcedText {
  readonly text: string
  readonly #segments: readonly Segment[]

  private constructor(text: string, segments: readonly Segment[]) {
    this.text = text
    this.#segments = segments
  }

  /** Text that as a whole stands for a place. */
  static at(text: string, { file, at, end }: Place): SourcedText {
    return new SourcedText(text, [{ length: text.length, file, origin: { at, end }, from: 0 }])
  }

  /** The value of a YAML scalar of the given style. */
  static ofScalar(text: string, style: string, { file, at, end }: Place): SourcedText {
    const origin = align(text, file.text, at, end, style === 'QUOTE_DOUBLE')
    return new SourcedText(text, [{ length: text.length, file, origin, from: 0 }])
  }

  static join(parts: readonly SourcedText[]): SourcedText {
    return new SourcedText(
      parts.map(({ text }) => text).join(''),
      parts.flatMap((part) => part.#segments),
    )
  }

  slice(start: number, end = this.text.length): SourcedText {
    const segments: Segment[] = []
    let at = 0
    for (const segment of this.#segments) {
      const from = Math.max(start - at, 0)
      const to = Math.min(end - at, segment.length)
      if (from < to) segments.push({ ...segment, length: to - from, from: segment.from + from })
      at += segment.length
      if (at >= end) break
    }
    // An empty text, too, was written somewhere.
    if (segments.length === 0) return SourcedText.at('', this.placeOf(start, start))
    return new SourcedText(this.text.slice(start, end), segments)
  }

  trim(): SourcedText {
    const start = this.text.length - this.text.trimStart().length
    return this.slice(start, Math.max(start, this.text.trimEnd().length))
  }

  /** Where the characters from `at` to before `end` were written. */
  placeOf(at: number, end: number): Place {
    const first = this.#origin(Math.min(at, Math.max(this.text.length - 1, 0)))
    if (at >= this.text.length) return { file: first.file, at: first.end, end: first.end }
    const last = end > at ? this.#origin(Math.min(end, this.text.length) - 1) : first
    const isOneStretch = last.file === first.file && last.end >= first.end
    return { file: first.file, at: first.at, end: isOneStretch ? last.end : first.end }
  }

  #origin(index: number): Place {
    let at = 0
    let segment = this.#segments[0]!
    for (const candidate of this.#segments) {
      if (candidate.length === 0) continue
      segment = candidate
      if (index < at + candidate.length) break
      at += candidate.length
    }
    const { file, origin, from } = segment
    if (!(origin instanceof Int32Array)) return { file, at: origin.at, end: origin.end }
    const offset = origin[from + Math.min(index - at, segment.length - 1)] ?? 0
    return { file, at: offset, end: offset + 1 }
  }
}

/** Offset in the file of each character of a scalar's value: they differ in blanks and escapes. */
function align(value: string, source: string, at: number, end: number, escapes: boolean) {
  const offsets = new Int32Array(value.length)
  let from = at
  for (let i = 0; i < value.length; i++) {
    const char = value[i]!
    if (/\s/.test(char)) {
      offsets[i] = Math.min(from, end)
      if (/\s/.test(source[from] ?? '')) from += 1
      else if (escapes && source[from] === '\\') from += 2
      continue
    }
    while (from < end && source[from] !== char) {
      if (escapes && source[from] === '\\' && source[from + 1] === char) break
      from += 1
    }
    offsets[i] = Math.min(from, end)
    from += escapes && source[from] === '\\' && char !== '\\' ? 2 : 1
  }
  return offsets
}
