import type { ByteReader } from './reader.ts'
import { ByteWriter } from './writer.ts'

/**
 * What stands after the events of a body, each with a number and its length: a reader takes what it
 * knows and steps over the rest, and a batch without them is complete. This is how the format grows
 * without a new version. Numbers are never reused.
 */
export const Section = { notices: 1, streams: 2 } as const

/** Writes a section; nothing when `write` adds no bytes. */
export function writeSection(
  out: ByteWriter,
  section: number,
  write: (content: ByteWriter) => void,
): void {
  const content = new ByteWriter()
  write(content)
  if (content.length === 0) return
  out.unsigned(section)
  out.unsigned(content.length)
  out.bytes(content.finish())
}

/** Reads the sections to the end of the body with the readers of those that are known. */
export function readSections(
  reader: ByteReader,
  readers: Readonly<Record<number, (content: ByteReader) => void>>,
): void {
  while (reader.left > 0) {
    const section = reader.unsigned()
    const content = reader.part(reader.unsigned())
    const read = readers[section]
    if (read === undefined) continue
    read(content)
    content.end()
  }
}
