import type { SyscallEvent } from '../event.ts'
import type { Notice } from '../notice.ts'
import { readContainers } from './containers.ts'
import { BatchError } from './error.ts'
import { readEvents } from './events.ts'
import { type BatchHeader, readLayout } from './header.ts'
import { readNotices } from './notices.ts'
import { readPeople } from './people.ts'
import { readProcesses, readStreams } from './processes.ts'
import { ByteReader } from './reader.ts'
import { readSections, Section } from './sections.ts'
import { TextReader } from './texts.ts'

/**
 * Decompresses a body in the way `compression` names. It must not make more than `limit` bytes, even
 * of hostile input, and throws when it would; whatever it throws becomes a `BatchError`.
 */
export type Decompress = (body: Uint8Array, limit: number, compression: number) => Uint8Array

export interface Batch {
  readonly header: BatchHeader
  readonly events: readonly SyscallEvent[]
  /** What the node says of itself. */
  readonly notices: readonly Notice[]
}

/** Reads a batch. Whatever the bytes are, the only error is a {@link BatchError}. */
export function decodeBatch(bytes: Uint8Array, decompress: Decompress): Batch {
  const { header, bodyStart, fullBodyLength } = readLayout(bytes)
  const compressed = bytes.subarray(bodyStart)
  let body: Uint8Array
  try {
    body = decompress(compressed, fullBodyLength, header.compression)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new BatchError('compression', 'header', bodyStart, `no decompression: ${reason}`)
  }
  if (body.length !== fullBodyLength) {
    const lengths = `${body.length} bytes instead of ${fullBodyLength}`
    throw new BatchError('compression', 'header', bodyStart, `the body decompresses to ${lengths}`)
  }
  return { header, ...decodeBody(body, header.eventCount) }
}

function decodeBody(body: Uint8Array, eventCount: number): Omit<Batch, 'header'> {
  const reader = new ByteReader(body, 'body')
  const texts = new TextReader(reader)
  const containers = readContainers(reader, texts)
  const { processes, containerOf } = readProcesses(reader, texts, containers)
  const people = readPeople(reader, texts)
  const events = readEvents(reader, texts, eventCount, processes, containerOf, people)
  let notices: readonly Notice[] = []
  readSections(reader, {
    [Section.notices]: (content) => {
      notices = readNotices(content, texts)
    },
    [Section.streams]: (content) => readStreams(content, texts, processes),
  })
  return { events, notices }
}
