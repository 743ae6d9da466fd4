import type { SyscallEvent } from '../event.ts'
import type { Notice } from '../notice.ts'
import { ContainerWriter } from './containers.ts'
import { writeEvents } from './events.ts'
import { type BatchInfo, encodeHeader } from './header.ts'
import { bodyLimit, countLimit, textCountLimit } from './limits.ts'
import { writeNotices } from './notices.ts'
import { PeopleWriter } from './people.ts'
import { ProcessWriter } from './processes.ts'
import { Section, writeSection } from './sections.ts'
import { TextWriter } from './texts.ts'
import { ByteWriter } from './writer.ts'

/** Compresses a body in the way that `BatchInfo.compression` names. */
export type Compress = (body: Uint8Array) => Uint8Array

/**
 * Makes a batch, its signature zero. Its length can exceed `batchLimit` (and then nobody reads it):
 * the caller looks at the length and splits. Throws a `RangeError` for more events (or for events with
 * more around them) than any batch may hold: the caller splits, too.
 */
export function encodeBatch(
  info: BatchInfo,
  events: readonly SyscallEvent[],
  compress: Compress,
  notices: readonly Notice[] = [],
): Uint8Array {
  within(events.length, countLimit, 'events')
  within(notices.length, countLimit, 'notices')
  const body = encodeBody(events, notices)
  const compressed = compress(body)
  const header = encodeHeader(info, {
    ...timesOf(info, events),
    eventCount: events.length,
    length: compressed.length,
    fullLength: body.length,
  })
  const bytes = new Uint8Array(header.length + compressed.length)
  bytes.set(header)
  bytes.set(compressed, header.length)
  return bytes
}

function within(count: number, limit: number, what: string): void {
  if (count > limit) throw new RangeError(`a batch has at most ${limit} ${what}, not ${count}`)
}

function timesOf({ sealedAt }: BatchInfo, events: readonly SyscallEvent[]) {
  let firstTime = events[0]?.time ?? sealedAt
  let lastTime = firstTime
  for (const { time } of events) {
    if (time < firstTime) firstTime = time
    if (time > lastTime) lastTime = time
  }
  return { firstTime, lastTime }
}

/** Texts are numbered while the rest is written, but stand first: references follow them. */
function encodeBody(events: readonly SyscallEvent[], notices: readonly Notice[]): Uint8Array {
  const texts = new TextWriter()
  const containers = new ContainerWriter()
  const processes = new ProcessWriter(containers)
  const people = new PeopleWriter(containers)
  for (const event of events) {
    processes.add(event.process)
    people.add(event)
  }
  const rest = new ByteWriter()
  containers.write(rest, texts)
  processes.write(rest, texts)
  people.write(rest, texts)
  writeEvents(rest, texts, processes, events)
  writeSection(rest, Section.notices, (out) => writeNotices(out, texts, notices))
  writeSection(rest, Section.streams, (out) => processes.writeStreams(out, texts))
  const body = new ByteWriter()
  texts.write(body)
  body.bytes(rest.finish())
  within(processes.count, countLimit, 'processes')
  within(texts.count, textCountLimit, 'texts')
  within(body.length, bodyLimit, 'bytes before compression')
  return body.finish()
}
