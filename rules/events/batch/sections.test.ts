import { describe, expect, it } from 'vitest'
import { makeEvent, makeProcess } from '#testing/events.ts'
import type { Notice } from '../notice.ts'
import { decodeBatch } from './decode.ts'
import { encodeBatch } from './encode.ts'
import type { BatchInfo } from './header.ts'
import { ByteReader } from './reader.ts'
import { readSections, writeSection } from './sections.ts'
import { ByteWriter } from './writer.ts'

const info: BatchInfo = {
  cluster: '',
  node: 'n',
  boot: 'b',
  run: 1n,
  sequence: 0,
  previous: undefined,
  sealedAt: 5n,
  rulesetHash: '',
  counters: { seen: 0, filtered: 0, folded: 0, lost: {} },
  keyId: '',
  compression: 0,
}
const plain = (bytes: Uint8Array) => bytes.slice()

describe('what follows the events of a batch', () => {
  it('brings the notices of the node', () => {
    const notices: Notice[] = [
      { kind: 'rules-refused', time: 7n, text: 'rules.yaml:3:1: unknown key' },
      { kind: 'stopped', time: 9n, text: '' },
    ]
    expect(decodeBatch(encodeBatch(info, [], plain, notices), plain).notices).toEqual(notices)
  })

  it('is nothing when there is nothing to say: such a batch is as it always was', () => {
    const bytes = encodeBatch(info, [makeEvent('open')], plain)
    expect(bytes).toEqual(encodeBatch(info, [makeEvent('open')], plain, []))
    expect(decodeBatch(bytes, plain).notices).toEqual([])
  })

  it('brings the standard streams of each process', () => {
    const streams = [
      { kind: 'pipe' as const, name: '' },
      undefined,
      { kind: 'ipv4' as const, name: 'a' },
    ]
    const child = makeProcess({ pid: 2, streams, parent: makeProcess({ pid: 1 }) })
    const [event] = decodeBatch(
      encodeBatch(info, [makeEvent('open', { process: child })], plain),
      plain,
    ).events
    expect(event!.process.streams).toEqual(streams)
    expect(event!.process.parent!.streams).toEqual([])
  })

  it('may be of a later build: unknown sections are stepped over', () => {
    const out = new ByteWriter()
    writeSection(out, 77, (content) => content.text('from the future'))
    writeSection(out, 1, (content) => content.byte(42))
    const read: number[] = []
    readSections(new ByteReader(out.finish(), 'body'), {
      1: (content) => read.push(content.byte()),
    })
    expect(read).toEqual([42])
  })

  it('must be as long as it says', () => {
    const out = new ByteWriter()
    writeSection(out, 1, (content) => content.text('ab'))
    const bytes = out.finish()
    const read = (each: Uint8Array) => () =>
      readSections(new ByteReader(each, 'body'), { 1: (content) => content.byte() })
    expect(read(bytes)).toThrow('left over')
    expect(read(bytes.subarray(0, -1))).toThrow('do not follow')
  })
})
