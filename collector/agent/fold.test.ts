import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SyscallEvent } from '#events'
import { makeEvent, makeFile, makeProcess, makeSocket } from '#testing/events.ts'
import { Folder, type FolderOptions } from './fold.ts'

const second = 1_000_000_000n

function setUp(options: Partial<FolderOptions> = {}) {
  const out: SyscallEvent[] = []
  const folder = new Folder({
    keep: (event) => ({ ...event }),
    onFolded: (event) => out.push(event),
    window: 5n * second,
    ...options,
  })
  const send = (event: SyscallEvent, now: bigint) => {
    if (!folder.fold(event, now)) out.push(event)
  }
  return { folder, out, send }
}

const process = makeProcess({ pid: 5 })
const open = (seq: number, path = '/etc/passwd', facts: object = {}) =>
  makeEvent('openat', { seq, process, fd: makeFile(path), result: 3 + (seq % 7), ...facts })
const seqs = (events: readonly SyscallEvent[]) => events.map(({ seq, count }) => [seq, count])

describe('folding', () => {
  it('lets the first event out at once and its repeats as one with their count', () => {
    const { folder, out, send } = setUp()
    for (let seq = 1; seq <= 100; seq++) send(open(seq), BigInt(seq) * 10_000_000n)
    expect(seqs(out)).toEqual([[1, 1]])
    expect(folder.waiting).toBe(99)
    folder.tick(6n * second)
    expect(seqs(out)).toEqual([
      [1, 1],
      [2, 99],
    ])
    expect(folder.waiting).toBe(0)
    expect(folder.figures.folded).toBe(98)
  })

  it('goes on with one event a window while repeats come, and forgets what has stopped', () => {
    const { folder, out, send } = setUp()
    for (let seq = 1; seq <= 20; seq++) send(open(seq), BigInt(seq) * second)
    folder.flush()
    expect(seqs(out)).toEqual([
      [1, 1],
      [2, 4],
      [6, 5],
      [11, 5],
      [16, 5],
    ])
    expect(folder.figures.remembered).toBe(0)
    send(open(30), 30n * second)
    folder.tick(36n * second)
    expect(folder.figures.remembered).toBe(0)
  })

  it.each([
    ['another file', open(2, '/etc/group')],
    ['another outcome', open(2, '/etc/passwd', { result: -13 })],
    ['another process', open(2, '/etc/passwd', { process: makeProcess({ pid: 6 }) })],
    ['other rights', open(2, '/etc/passwd', { euid: 77 })],
    ['other capabilities', open(2, '/etc/passwd', { capEffective: 1n })],
    [
      'another spelling',
      open(2, '/etc/passwd', { fd: makeFile('/etc/passwd', { rawName: '../passwd' }) }),
    ],
    ['another call', makeEvent('open', { seq: 2, process, fd: makeFile('/etc/passwd') })],
  ])('tells apart %s', (_, other) => {
    const { out, send } = setUp()
    send(open(1), 0n)
    send(other, 1n)
    expect(out.length).toBe(2)
  })

  it('takes connects to one place as repeats, whatever port they come from', () => {
    const { out, send } = setUp()
    for (let seq = 1; seq <= 10; seq++) {
      const fd = makeSocket({
        remoteIp: '10.0.0.1',
        remotePort: 443,
        localPort: 40_000 + seq,
        role: 'client',
      })
      send(makeEvent('connect', { seq, process, fd, result: seq % 2 === 0 ? -115 : 0 }), 0n)
    }
    expect(out.length).toBe(2)
    const fd = makeSocket({ remoteIp: '10.0.0.1', remotePort: 80, role: 'client' })
    send(makeEvent('connect', { seq: 11, process, fd }), 0n)
    expect(out.length).toBe(3)
  })

  it.each([
    'execve',
    'setuid',
    'setns',
    'unshare',
    'capset',
    'ptrace',
    'mount',
    'chroot',
    'bpf',
    'procexit',
    'clone',
  ])('never folds %s', (type) => {
    const { out, send } = setUp()
    for (let seq = 1; seq <= 5; seq++) send(makeEvent(type, { seq, process }), 0n)
    expect(out.length).toBe(5)
  })

  it('is bounded: the oldest window ends early', () => {
    const { folder, out, send } = setUp({ limit: 10 })
    for (let seq = 1; seq <= 30; seq++) send(open(seq, `/f${seq % 15}`), 0n)
    expect(folder.figures.remembered).toBe(10)
    expect(folder.figures.evicted).toBe(20)
    expect(out.length).toBe(30)
  })

  it('leaves alone what is too long to remember', () => {
    const { folder, out, send } = setUp()
    for (let seq = 1; seq <= 3; seq++) send(open(seq, `/${'x'.repeat(600)}`), 0n)
    expect(out.length).toBe(3)
    expect(folder.figures.remembered).toBe(0)
  })

  it('loses no event and hands none on twice', () => {
    const step = fc.record({ path: fc.nat(5), wait: fc.nat(3_000) })
    fc.assert(
      fc.property(fc.array(step), fc.integer({ min: 1, max: 4 }), (steps, limit) => {
        const { folder, out, send } = setUp({ limit })
        let now = 0n
        for (const [index, { path, wait }] of steps.entries()) {
          now += BigInt(wait) * 1_000_000n
          send(open(index + 1, `/f${path}`), now)
          folder.tick(now)
          const counted = out.reduce((sum, { count }) => sum + count, 0) + folder.waiting
          expect(counted).toBe(index + 1)
        }
        folder.flush()
        expect(out.reduce((sum, { count }) => sum + count, 0)).toBe(steps.length)
        expect(new Set(out.map(({ seq }) => seq)).size).toBe(out.length)
        expect(steps.length - out.length).toBe(folder.figures.folded)
      }),
    )
  })
})
