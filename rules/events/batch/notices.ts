import { type Notice, noticeKinds } from '../notice.ts'
import type { ByteReader } from './reader.ts'
import type { TextReader, TextWriter } from './texts.ts'
import type { ByteWriter } from './writer.ts'

export function writeNotices(out: ByteWriter, texts: TextWriter, notices: readonly Notice[]): void {
  if (notices.length === 0) return
  out.unsigned(notices.length)
  for (const { kind, time, text } of notices) {
    out.unsigned(noticeKinds.indexOf(kind))
    out.big(time)
    out.unsigned(texts.index(text))
  }
}

/** A notice of a kind that this reader does not know is left out: nobody could act on it. */
export function readNotices(reader: ByteReader, texts: TextReader): Notice[] {
  return Array.from({ length: reader.count() }, () => {
    const kind = noticeKinds[reader.unsigned()]
    const notice = { time: reader.big(), text: texts.text(reader.unsigned()) }
    return kind === undefined ? [] : [{ kind, ...notice }]
  }).flat()
}
