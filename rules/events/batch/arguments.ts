import type { ArgValue, SyscallEvent } from '../event.ts'
import { type EventParam, eventTypes } from '../event-types.ts'
import { isDerivable } from '../fields/native-argument.ts'
import type { ByteReader } from './reader.ts'
import type { TextReader, TextWriter } from './texts.ts'
import type { ByteWriter } from './writer.ts'

/** What kind of value a cell holds. `absent` also stands for what the rest of the event tells. */
const Tag = { absent: 0, number: 1, bigint: 2, text: 3, bytes: 4 } as const

/** Values and absolute paths of the arguments of one event type, by argument, then by row. */
export interface ArgumentTable {
  readonly values: readonly (readonly ArgValue[])[]
  readonly paths: readonly (readonly (string | undefined)[] | undefined)[]
}

function tagOf(value: ArgValue): number {
  if (typeof value === 'number') return Tag.number
  if (typeof value === 'bigint') return Tag.bigint
  if (typeof value === 'string') return Tag.text
  return value === undefined ? Tag.absent : Tag.bytes
}

/** Arguments that can name a file. */
function isPath({ type }: EventParam): boolean {
  return type === 'FSPATH' || type === 'FSRELPATH' || type === 'CHARBUF'
}

/** Which tags a parameter may have; bytes that are text stay text. */
function allows({ type }: EventParam, tag: number): boolean {
  if (tag === Tag.absent || type === 'DYN') return true
  if (isPath({ name: '', type }) || /^SOCK/.test(type)) return tag === Tag.text
  if (/^(BYTEBUF|FDLIST|SIGSET)$/.test(type)) return tag === Tag.text || tag === Tag.bytes
  return tag === Tag.number || tag === Tag.bigint
}

/** A value of the wrong kind would make the whole batch unreadable; it is left out instead. */
function isWritable(param: EventParam, value: ArgValue): boolean {
  return allows(param, tagOf(value)) && (typeof value !== 'number' || Number.isInteger(value))
}

/** Writes the arguments of all `events`, which are of one type. */
export function writeArguments(
  out: ByteWriter,
  texts: TextWriter,
  type: number,
  events: readonly SyscallEvent[],
): void {
  for (const [index, param] of eventTypes[type]!.params.entries()) {
    const values = events.map((event) => {
      const value = event.arg(index)
      return isDerivable(event, index, value) || !isWritable(param, value) ? undefined : value
    })
    writeValues(out, texts, values)
    if (!isPath(param)) continue
    out.numbers(
      events.map((event, row) => {
        const path = event.absolutePath(index)
        if (path === undefined) return 0
        if (path === values[row]) return 1
        return path === event.fd?.name ? 2 : texts.index(path) + 3
      }),
    )
  }
}

function writeValues(out: ByteWriter, texts: TextWriter, values: readonly ArgValue[]): void {
  out.numbers(values.map(tagOf))
  out.numbers(values.filter((value) => typeof value === 'number'))
  out.bigints(values.filter((value) => typeof value === 'bigint'))
  out.numbers(values.flatMap((value) => (typeof value === 'string' ? [texts.index(value)] : [])))
  const blobs = values.filter((value) => value instanceof Uint8Array)
  out.numbers(blobs.map(({ length }) => length))
  for (const blob of blobs) out.bytes(blob)
}

/** Reads what {@link writeArguments} wrote for `fdNames.length` events. */
export function readArguments(
  reader: ByteReader,
  texts: TextReader,
  type: number,
  fdNames: readonly (string | undefined)[],
): ArgumentTable {
  const values: ArgValue[][] = []
  const paths: ((string | undefined)[] | undefined)[] = []
  for (const param of eventTypes[type]!.params) {
    const column = readValues(reader, texts, param, fdNames.length)
    values.push(column)
    paths.push(isPath(param) ? readPaths(reader, texts, column, fdNames) : undefined)
  }
  return { values, paths }
}

function readPaths(
  reader: ByteReader,
  texts: TextReader,
  column: readonly ArgValue[],
  fdNames: readonly (string | undefined)[],
): (string | undefined)[] {
  return reader.numbers(column.length).map((reference, row) => {
    if (reference === 0) return undefined
    if (reference > 2) return texts.text(reference - 3)
    const path = reference === 1 ? column[row] : fdNames[row]
    return typeof path === 'string' ? path : reader.fail('index', 'a path has no text')
  })
}

function readValues(
  reader: ByteReader,
  texts: TextReader,
  param: EventParam,
  count: number,
): ArgValue[] {
  const tags = reader.indexes(count, 5, 'type')
  const counts = [0, 0, 0, 0, 0]
  for (const tag of tags) counts[tag]! += 1
  for (const [tag, found] of counts.entries()) {
    if (found > 0 && !allows(param, tag)) reader.fail('type', `${param.name} is of another type`)
  }
  const numbers = reader.numbers(counts[Tag.number]!)
  const bigints = reader.bigints(counts[Tag.bigint]!)
  const textIndexes = reader.numbers(counts[Tag.text]!)
  const lengths = reader.numbers(counts[Tag.bytes]!)
  const blobs = lengths.map((length) => {
    if (length < 0) reader.fail('count', 'bytes have a negative length')
    return reader.bytes(length).slice()
  })
  const next = [0, 0, 0, 0, 0]
  return tags.map((tag) => {
    const at = next[tag]!
    next[tag] = at + 1
    switch (tag) {
      case Tag.number:
        return numbers[at]
      case Tag.bigint:
        return bigints[at]
      case Tag.text:
        return texts.text(textIndexes[at]!)
      case Tag.bytes:
        return blobs[at]
      default:
        return undefined
    }
  })
}
