import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { encodeFrame, type Process, type SyscallEvent } from '#events'
import { makeContainer, makeEvent, makeFile, makeProcess } from '#testing/events.ts'
import { main } from '../../cli/main.ts'
import { decompress } from '../../collector/agent/zstd.ts'
import { mostEvents, recordedEvents } from '../../lambdas/respond/evidence/recorded-events.ts'
import { lakeBatch } from '../../lambdas/respond/testing/lake-batch.ts'
import type { LakeBatch, ReadBatches } from '../../lambdas/shared/read-batches.ts'

const start = Date.parse('2026-11-26T18:00:00Z')
const whose = { uid: 'pod-1', containers: ['0123456789ab'] }
const range = { from: start, to: start + 60_000 }
const secrets = ['hunter2hunter2', 'AKIAIOSFODNN7EXAMPLE', 'sw0rdf1sh-value']

const shell = makeProcess({
  ...{ pid: 7, comm: 'mysql', exe: 'mysql', exePath: '/usr/bin/mysql' },
  args: ['--host=db', '--password=hunter2hunter2', '-e', 'select 1'],
  env: ['PATH=/bin', 'SESSION=sw0rdf1sh-value'],
  container: makeContainer({ podUid: 'pod-1', podName: 'web', namespace: 'shop' }),
  parent: makeProcess({ pid: 3, args: ['-c', 'export AWS_SECRET_ACCESS_KEY=hunter2hunter2'] }),
})
const stranger: Process = makeProcess({
  container: makeContainer({ fullId: 'f'.repeat(64), podUid: 'pod-2' }),
})
const open = (process: Process, path: string, time = start): SyscallEvent =>
  makeEvent('openat', {
    ...{ process, time: BigInt(time) * 1_000_000n, fd: makeFile(path) },
    ...{ args: { name: path }, paths: { name: path } },
  })

const lake = (...batches: LakeBatch[]): ReadBatches => ({
  ...{ batches, objects: 1, scanned: 1, cut: [], problems: [] },
})
const folder = mkdtempSync(join(tmpdir(), 'recorded-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function replay(trace: Uint8Array) {
  const path = join(folder, 'events.trace')
  const rules = join(folder, 'rules.yaml')
  writeFileSync(path, trace)
  writeFileSync(
    rules,
    '- rule: Opened\n  desc: d\n  condition: evt.type = openat\n  output: "%fd.name %proc.cmdline %container.id"\n  priority: NOTICE\n',
  )
  let [out, err] = ['', '']
  const io = {
    out: (text: string) => {
      out += text
    },
    err: (text: string) => {
      err += text
    },
    color: false,
  }
  const code = await main(['replay', path, '--rules', rules, '--json'], io)
  const lines = out.split('\n').filter((line) => line !== '')
  return { code, err, alerts: lines.map((line) => JSON.parse(line)) }
}

describe('events that were recorded', () => {
  it('are those of the pod, and can be replayed', async () => {
    const batch = lakeBatch([
      open(shell, '/etc/shadow'),
      open(stranger, '/other'),
      open(makeProcess(), '/host'),
    ])
    const noUid = { ...shell, container: makeContainer({}) }
    const { trace, description } = recordedEvents(
      lake(batch, lakeBatch([open(stranger, '/other')], 2), lakeBatch([open(noUid, '/by-id')], 3)),
      ...([whose, range] as const),
    )
    expect(description).toMatchObject({ events: 2, cut: [], problems: [], redacted: true })
    expect(description.batches.map(({ sequence }) => sequence)).toEqual([1, 3])
    expect(description.batches[0]).toMatchObject({ sha256: batch.sha256, keyId: 'k', run: '5' })
    expect(description.trace).toBe(createHash('sha256').update(trace).digest('hex'))
    const { code, err, alerts } = await replay(trace)
    expect(err).toContain('2 events in 2 batches')
    expect(code).toBe(0)
    expect(alerts.map(({ output_fields }) => output_fields['fd.name'])).toEqual([
      '/etc/shadow',
      '/by-id',
    ])
    expect(alerts[0].output_fields['proc.cmdline']).toContain('--host=db')
  })

  it('hold no secret, in whatever place it stands', () => {
    const events = [
      open(shell, '/x?token=hunter2hunter2'),
      makeEvent('execve', {
        process: { ...shell, exe: 'AKIAIOSFODNN7EXAMPLE' },
        args: { args: '--password=hunter2hunter2\0-x', env: 'SESSION=sw0rdf1sh-value' },
      }),
      makeEvent('write', {
        process: shell,
        args: { data: Buffer.from('GET / HTTP/1.1\r\nAuthorization: Bearer hunter2hunter2\r\n') },
      }),
    ]
    const { trace, description } = recordedEvents(lake(lakeBatch(events)), whose, range)
    expect(description.events).toBe(3)
    const body = Buffer.from(bodyOf(trace)).toString('latin1')
    for (const secret of secrets) expect(body).not.toContain(secret)
    expect(body).toContain('SESSION=')
    expect(body).toContain('GET / HTTP/1.1')
    // the test would be blind if the batch had none
    const before = Buffer.from(bodyOf(encodeFrame(lakeBatch(events).bytes))).toString('latin1')
    for (const secret of secrets) expect(before).toContain(secret)
  })

  it('say which batches are damaged, and hold the others', () => {
    const good = lakeBatch([open(shell, '/etc/shadow')])
    fc.assert(
      fc.property(fc.nat(good.bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = Uint8Array.from(good.bytes)
        bytes[at]! ^= flip
        const { description } = recordedEvents(lake({ ...good, bytes }, good), whose, range)
        const { events, problems } = description
        expect(events + problems.length).toBeGreaterThanOrEqual(1)
        expect(events).toBeGreaterThanOrEqual(1)
      }),
      { numRuns: 200 },
    )
    const cut = { ...good, bytes: good.bytes.subarray(0, good.bytes.length - 9) }
    const { description } = recordedEvents(lake(cut, good), whose, range)
    expect(description).toMatchObject({
      events: 1,
      problems: [expect.stringContaining('batches/x')],
    })
  })

  it('are a bounded number, and say so', () => {
    const many = Array.from({ length: 30_000 }, (_, at) => open(shell, '/x', start + at))
    const batches = [1, 2, 3].map((sequence) => lakeBatch(many, sequence))
    const { description } = recordedEvents(lake(...batches), whose, range)
    expect(description.events).toBe(mostEvents)
    expect(description.cut).toEqual([
      `events after the first ${mostEvents} were left out`,
      `1 batches were left out after ${mostEvents} events`,
    ])
  })
})

function bodyOf(trace: Uint8Array): Uint8Array {
  const batch = trace.subarray(4)
  const view = new DataView(batch.buffer, batch.byteOffset)
  const headerLength = view.getUint16(6, true)
  return decompress(batch.subarray(headerLength), 64 << 20, 1)
}
