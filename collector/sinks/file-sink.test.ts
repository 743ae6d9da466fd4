import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { FrameReader } from '#events'
import { makeBatch } from '#testing/batches.ts'
import { openFileSink } from './file-sink.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lanner-sink-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const never = new AbortController().signal
const outgoing = (sequence: number) => ({ node: 'n', sequence, bytes: makeBatch({ sequence }) })

it('a file sink appends a trace', async () => {
  const path = join(directory, 'trace')
  for (const pair of [
    [1, 2],
    [3, 4],
  ]) {
    const sink = await openFileSink(path)
    expect(await sink.send(pair.map(outgoing), never)).toEqual([{ kind: 'sent' }, { kind: 'sent' }])
    await sink.close()
  }
  const reader = new FrameReader()
  const batches = reader.push(readFileSync(path))
  reader.end()
  expect(batches.map((batch) => Uint8Array.from(batch))).toEqual(
    [1, 2, 3, 4].map((sequence) => makeBatch({ sequence })),
  )
})

it('a full device fails a batch and all after it', async () => {
  const sink = await openFileSink('/dev/full')
  const outcomes = await sink.send([outgoing(1), outgoing(2)], never)
  expect(outcomes).toEqual(
    Array(2).fill({ kind: 'failed', message: expect.stringMatching(/^\/dev\/full: ENOSPC/) }),
  )
  await sink.close()
})
