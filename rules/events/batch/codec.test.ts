import { readFileSync } from 'node:fs'
import {
  constants,
  deflateRawSync,
  inflateRawSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyEvents } from '#testing/arbitrary-events.ts'
import { makeContainer, makeEvent, makeFile, makeProcess, makeSocket } from '#testing/events.ts'
import type { SyscallEvent } from '../event.ts'
import { eventTypes } from '../event-types.ts'
import { nativeArgument } from '../fields/native-argument.ts'
import { readDetails, writeDetails } from './container-details.ts'
import { decodeBatch } from './decode.ts'
import { encodeBatch } from './encode.ts'
import { BatchError } from './error.ts'
import { FrameReader } from './frames.ts'
import type { BatchInfo } from './header.ts'
import { ByteReader } from './reader.ts'
import { TextReader, TextWriter } from './texts.ts'
import { ByteWriter } from './writer.ts'

const info: BatchInfo = {
  cluster: 'prod',
  node: 'ip-10-0-0-1.eu-west-1.compute.internal',
  boot: '6f1c1c3a-2b5e-4d8f-9a31-0d5d1b6f7c11',
  run: 0xfedc_ba98_7654_3210n,
  sequence: 17,
  previous: { run: 99n, sequence: 4 },
  sealedAt: 1_700_000_000_000_000_000n,
  rulesetHash: 'ab'.repeat(32),
  counters: { seen: 100, filtered: 60, folded: 3, lost: { 'ring-file': 2 } },
  keyId: 'k1',
  compression: 1,
}

const plain = (bytes: Uint8Array) => bytes.slice()

function roundTrip(events: readonly SyscallEvent[]): readonly SyscallEvent[] {
  return decodeBatch(encodeBatch(info, events, plain), plain).events
}

/** Everything an event can be asked for, as plain data. */
function facts(event: SyscallEvent): unknown {
  const { process, fd } = event
  const params = eventTypes[event.type]!.params
  const args = params.map((_, index) => nativeArgument(event, index))
  const idsOf = (kind: string) =>
    args.filter((value, index) => params[index]!.type === kind && typeof value === 'number')
  return {
    own: [event.type, event.seq, event.time, event.cpu, event.tid, event.count, event.flags],
    rights: [event.euid, event.egid, event.capEffective, event.capPermitted, event.result],
    process,
    fd,
    args,
    paths: params.map((_, index) => event.absolutePath(index)),
    users: [event.euid, process.uid, process.loginUid, ...idsOf('UID')].map((id) =>
      event.user(id as number),
    ),
    groups: [event.egid, process.gid, ...idsOf('GID')].map((id) => event.group(id as number)),
    names: [fd?.socket?.localIp, fd?.socket?.remoteIp].map((ip) => event.namesOf(ip ?? '')),
  }
}

describe('a batch', () => {
  it('gives back the events it was made of', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        expect(roundTrip(events).map(facts)).toEqual(events.map(facts))
      }),
      { numRuns: 300 },
    )
  })

  it('keeps its header', () => {
    const events = [makeEvent('openat', { time: 9n }), makeEvent('openat', { time: 5n })]
    const { header } = decodeBatch(encodeBatch(info, events, plain), plain)
    expect(header).toEqual({
      ...info,
      firstTime: 5n,
      lastTime: 9n,
      eventCount: 2,
      signature: new Uint8Array(64),
    })
  })

  it('without events is a heartbeat', () => {
    const { header, events } = decodeBatch(encodeBatch(info, [], plain), plain)
    expect(events).toEqual([])
    expect(header.firstTime).toBe(info.sealedAt)
    expect(header.eventCount).toBe(0)
  })

  it('holds each process once, and shares it between its events', () => {
    const process = makeProcess({ parent: makeProcess({ pid: 1 }) })
    const [first, second] = roundTrip([
      makeEvent('openat', { process }),
      makeEvent('close', { process }),
    ])
    expect(first!.process).toBe(second!.process)
    expect(first!.process.parent?.pid).toBe(1)
  })

  it('takes no prototype from the labels of a pod', () => {
    const podLabels = JSON.parse('{"__proto__": "x", "app": "web"}')
    const container = makeContainer({ podLabels })
    const [event] = roundTrip([makeEvent('openat', { process: makeProcess({ container }) })])
    const labels = event!.process.container!.podLabels!
    expect(Object.entries(labels)).toEqual([
      ['__proto__', 'x'],
      ['app', 'web'],
    ])
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })

  it('tells only of what is known of its containers', () => {
    const known = makeContainer({
      fullId: 'a'.repeat(64),
      workload: { kind: 'Deployment', name: 'web' },
      hostPid: false,
      podIps: [],
      mounts: [
        { source: '/', dest: '/host', mode: '', rdwr: true, propagation: 'rslave' },
        { source: '', dest: '/tmp', mode: '', rdwr: false, propagation: 'private' },
      ],
    })
    const back = roundTrip(
      [makeContainer(), known].map((container) =>
        makeEvent('openat', { process: makeProcess({ container }) }),
      ),
    ).map(({ process }) => process.container)
    expect(back).toEqual([makeContainer(), known])
    expect(Object.keys(back[0]!)).toEqual(['id', 'fullId', 'type'])
  })

  it('is cut where the parents of a process go in a circle', () => {
    const process = makeProcess({ comm: 'loop' }) as { parent: unknown }
    process.parent = process
    const [event] = roundTrip([makeEvent('openat', { process: process as never })])
    expect(event!.process.parent).toBeUndefined()
  })

  it('keeps users of different containers apart', () => {
    const user = (name: string) => [{ uid: 1000, gid: 1000, name, home: '/', shell: '' }]
    const inside = makeProcess({ container: makeContainer() })
    const [a, b] = roundTrip([
      makeEvent('openat', { process: inside, euid: 1000, users: user('app') }),
      makeEvent('openat', { euid: 1000, users: user('ann') }),
    ])
    expect(a!.user(1000)?.name).toBe('app')
    expect(b!.user(1000)?.name).toBe('ann')
  })
})

describe('a batch of another release', () => {
  it('is readable when it was made before containers had details', () => {
    const trace = readFileSync(new URL('../../../cli/recorded/attack.trace', import.meta.url))
    const frames = new FrameReader()
    const events = frames
      .push(trace)
      .flatMap((frame) => decodeBatch(frame, (body) => zstdDecompressSync(body)).events)
    expect(events.length).toBeGreaterThan(0)
  })

  it('is readable when it has details that this one does not know', () => {
    const container = makeContainer({ serviceAccount: 'web', hostIpc: true })
    const texts = new TextWriter()
    const out = new ByteWriter()
    writeDetails(out, texts, [container])
    const [count, ...columns] = out.finish()
    const rest = new ByteWriter()
    texts.write(rest)
    rest.unsigned(count! + 1)
    rest.unsigned(99)
    rest.unsigned(3)
    rest.bytes(Uint8Array.of(7, 7, 7))
    rest.bytes(Uint8Array.from(columns))
    const reader = new ByteReader(rest.finish(), 'body')
    expect(readDetails(reader, new TextReader(reader), 1)).toEqual([
      { serviceAccount: 'web', hostIpc: true },
    ])
    reader.end()
  })
})

/** A minute of one busy node: mostly opens and connects of a few programs, some execs. */
function similarEvents(count: number): SyscallEvent[] {
  let state = 12345
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const systemd = makeProcess({ pid: 1, comm: 'systemd', exePath: '/usr/lib/systemd/systemd' })
  const shim = makeProcess({ pid: 800, comm: 'containerd-shim', parent: systemd })
  const container = makeContainer({
    podUid: 'b6f7c11a-2b5e-4d8f-9a31-0d5d1b6f7c11',
    podLabels: { app: 'web' },
    podIps: ['10.1.2.3'],
    workload: { kind: 'Deployment', name: 'web' },
    hostPid: false,
    mounts: [{ source: '/srv', dest: '/srv', mode: '', rdwr: true, propagation: 'private' }],
  })
  const workers = Array.from({ length: 6 }, (_, index) =>
    makeProcess({
      pid: 1000 + index * 17,
      comm: 'node',
      exePath: '/usr/local/bin/node',
      args: ['/srv/app/server.js', '--port', String(3000 + index)],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin', 'HOSTNAME=web-7c9f'],
      start: 1_699_999_000_000_000_000n + BigInt(random(1e9)),
      cgroups: [`memory=/kubepods/burstable/pod1/${container.fullId}`],
      capEffective: 0xa80425fbn,
      capPermitted: 0xa80425fbn,
      parent: shim,
      container,
    }),
  )
  let time = 1_700_000_000_000_000_000n
  return Array.from({ length: count }, (_, seq) => {
    time += BigInt(20_000 + random(4_000_000))
    const process = workers[random(workers.length)]!
    const common = { seq: seq + 1 + random(2), time, process, tid: process.pid, cpu: random(2) }
    if (random(4) === 0) {
      const fd = makeSocket(
        {
          localIp: '10.1.2.3',
          localPort: 32768 + random(28000),
          remoteIp: `10.1.7.${random(12)}`,
          remotePort: 5432,
        },
        { num: 20 + random(12), inode: 400_000 + random(50_000) },
      )
      return makeEvent('connect', { ...common, fd, result: -115 })
    }
    const file = random(60)
    const path = `/srv/app/node_modules/package-${file}/index.js`
    const fd = makeFile(path, { num: 18 + random(6), dev: 0x800010, inode: 70_000 + file * 31 })
    const args = { dirfd: -100, flags: 1 | 4096, mode: 0 }
    return makeEvent('openat', { ...common, fd, args, paths: { name: path }, result: fd.num })
  })
}

describe('the size of a batch', () => {
  it('is at most 16 bytes an event for 500 similar ones under zstd', () => {
    const zstd = (body: Uint8Array) =>
      zstdCompressSync(body, { params: { [constants.ZSTD_c_compressionLevel]: 3 } })
    for (const count of [500, 5000]) {
      const each = encodeBatch(info, similarEvents(count), zstd).length / count
      if (process.env['LANNER_SHOW_SIZES']) console.log(`${count}: ${each.toFixed(2)} B/event`)
      expect(each).toBeLessThanOrEqual(16)
    }
  })

  it('is small for a heartbeat', () => {
    expect(encodeBatch(info, [], (body) => deflateRawSync(body)).length).toBeLessThan(400)
  })
})

describe('damaged bytes', () => {
  const small = encodeBatch(info, similarEvents(4), plain)

  /** Decodes and asks for everything; true when the bytes were taken for a batch. */
  function survives(bytes: Uint8Array): boolean {
    try {
      for (const event of decodeBatch(bytes, plain).events) facts(event)
      return true
    } catch (error) {
      if (!(error instanceof BatchError)) throw error
      expect(error.message).toContain(`${error.part} byte ${error.offset}`)
      return false
    }
  }

  it('never do more than raise a BatchError: 100,000 mutations', { timeout: 60_000 }, () => {
    let state = 42
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    let refused = 0
    for (let round = 0; round < 100_000; round++) {
      let bytes = small.slice()
      for (let edits = 1 + random(3); edits > 0; edits--) {
        // Past the prefix and the lengths, so that most mutations reach the body.
        const at = random(8) === 0 ? random(bytes.length) : 200 + random(bytes.length - 200)
        bytes[at] = [0, 0xff, 0x80, 0x7f, random(256), bytes[at]! ^ (1 << random(8))][random(6)]!
      }
      if (random(50) === 0) bytes = bytes.subarray(0, random(bytes.length))
      if (!survives(bytes)) refused += 1
    }
    expect(refused).toBeGreaterThan(1000)
    expect(refused).toBeLessThan(100_000)
  })

  it('that are random never do more than raise a BatchError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        const bytes = new Uint8Array(small.length + noise.length)
        bytes.set(small)
        expect(survives(noise)).toBe(false)
        bytes.set(noise, 250)
        survives(bytes.subarray(0, small.length))
      }),
      { numRuns: process.env['LANNER_LONG'] === '1' ? 40_000 : 2000 },
    )
  })

  it('that decompress to another length are refused', () => {
    const bytes = encodeBatch(info, similarEvents(4), (body) => deflateRawSync(body))
    const inflate = (body: Uint8Array, limit: number) =>
      inflateRawSync(body, { maxOutputLength: limit })
    expect(decodeBatch(bytes, inflate).events).toHaveLength(4)
    expect(() => decodeBatch(bytes, () => new Uint8Array(3))).toThrow(/decompresses to 3 bytes/)
    expect(() => decodeBatch(bytes.fill(0x55, -20), inflate)).toThrow(BatchError)
  })

  it('cannot ask for more than they hold', () => {
    const limits: number[] = []
    decodeBatch(encodeBatch(info, similarEvents(4), plain), (body, limit) => {
      limits.push(limit)
      return body.slice()
    })
    expect(limits[0]).toBeLessThan(5000)
  })
})

describe('more than a batch may hold', () => {
  it('is refused when it is made, not when it is read', () => {
    const events = new Array<SyscallEvent>(65_537).fill(makeEvent('getpid'))
    expect(() => encodeBatch(info, events, plain)).toThrow(/at most 65536 events/)
    const large = makeEvent('openat', { fd: makeFile('x'.repeat(9 << 20)) })
    expect(() => encodeBatch(info, [large], plain)).toThrow(RangeError)
  })
})
