import { describe, expect, it } from 'vitest'
import { type Process, syscallSource } from '#events'
import { makeRecord, type RecordParts } from '#testing/records.ts'
import { Item } from './layout.ts'
import { RecordReader } from './record-reader.ts'
import { keepEvent, RingEvent } from './ring-event.ts'
import { SocketMemory } from './socket-memory.ts'
import { syscallNumber } from './syscalls-x64.ts'

const process = { pid: 1000, comm: 'cat', cwd: '/srv', container: undefined } as unknown as Process

function eventOf(parts: RecordParts, sockets = new SocketMemory()): RingEvent {
  const bytes = makeRecord(parts)
  const record = new RecordReader(new Int32Array(bytes.buffer, 0, bytes.length >>> 2))
  const event = new RingEvent(record, {
    sockets,
    user: () => undefined,
    group: () => undefined,
    namesOf: (ip) => (ip === '192.0.2.1' ? ['example.org'] : []),
  })
  record.point(0)
  event.point(process, 0n)
  return event
}

function field(event: RingEvent, text: string): unknown {
  const [, name, arg] = /^([a-z0-9_.]+?)(?:\[(.*)\])?$/.exec(text)!
  const dotted = /^(evt\.(?:raw)?arg)\.(.+)$/.exec(name!)
  const ref = dotted
    ? { name: dotted[1]!, arg: dotted[2]!, text }
    : { name: name!, text, ...(arg && { arg }) }
  return syscallSource.bind(ref)?.(event)
}

const AT_FDCWD = -100
const fileItem = (mode: number, openFlags = 0, flags = 0, inode = 42, dev = (254 << 20) | 1) => {
  const item = new Uint8Array(24)
  const view = new DataView(item.buffer)
  view.setBigUint64(0, BigInt(inode), true)
  view.setUint32(8, dev, true)
  view.setUint32(12, mode, true)
  view.setUint32(16, openFlags, true)
  view.setUint32(20, flags, true)
  return item
}
const address4 = (port: number, ...ip: number[]) =>
  Uint8Array.of(2, 0, port >> 8, port & 255, ...ip, ...new Array(8).fill(0))
const socketItem = (fields: {
  family?: number
  type?: number
  state?: number
  local?: number[]
  localPort?: number
  remote?: number[]
  remotePort?: number
  inode?: number
}) => {
  const item = new Uint8Array(56)
  const view = new DataView(item.buffer)
  view.setUint16(0, fields.family ?? 2, true)
  view.setUint16(2, fields.type ?? 1, true)
  view.setUint8(6, fields.state ?? 7)
  view.setUint16(8, fields.localPort ?? 0, true)
  view.setUint16(10, fields.remotePort ?? 0, true)
  item.set(fields.local ?? [], 12)
  item.set(fields.remote ?? [], 28)
  view.setBigUint64(48, BigInt(fields.inode ?? 7), true)
  return item
}

describe('an open', () => {
  const opened = (extra: Partial<RecordParts> = {}) =>
    eventOf({
      shape: 'call',
      syscall: syscallNumber('openat')!,
      result: 3,
      args: [AT_FDCWD, 0, 0x80000, 0],
      items: [
        [Item.file, fileItem(0o100644)],
        [Item.path, 'shadow\0etc\0'],
        [Item.arg0 + 1, 'shadow'],
      ],
      ...extra,
    })

  it('has the path the kernel opened and the name the caller gave', () => {
    const event = opened()
    expect(field(event, 'fd.name')).toBe('/etc/shadow')
    expect(field(event, 'fd.nameraw')).toBe('shadow')
    expect(field(event, 'fd.num')).toBe(3)
    expect(field(event, 'fd.typechar')).toBe('f')
    expect(field(event, 'fd.dev.major')).toBe(254)
  })

  it('has its flags in the numbering and with the names of Falco', () => {
    const event = opened({ args: [AT_FDCWD, 0, 0x241, 0o644] })
    expect(field(event, 'evt.arg.flags')).toBe('O_TRUNC|O_CREAT|O_WRONLY')
    expect(field(event, 'evt.rawarg.flags')).toBe(256 | 4 | 2)
    expect(field(event, 'evt.is_open_write')).toBe(true)
    expect(field(event, 'evt.is_open_read')).toBe(false)
  })

  it('that fails has a path made of the directory and the name', () => {
    const event = opened({
      result: -2,
      items: [
        [Item.arg0 + 1, '../x'],
        [Item.base, 'b\0a\0'],
      ],
    })
    expect(field(event, 'fd.num')).toBe(-1)
    expect(field(event, 'fd.name')).toBe('/a/x')
    expect(field(event, 'evt.res')).toBe('ENOENT')
    expect(field(event, 'evt.rawres')).toBe(-2)
  })

  it('of an anonymous file has its name alone', () => {
    const event = opened({
      items: [
        [Item.file, fileItem(0o100777, 0, 4 | 16)],
        [Item.path, 'memfd:x\0'],
        [Item.arg0 + 1, '/proc/self/fd/3'],
      ],
    })
    expect(field(event, 'fd.name')).toBe('memfd:x')
  })

  it('of the root directory has the path /', () => {
    const event = opened({
      items: [
        [Item.file, fileItem(0o040755, 0x10000)],
        [Item.path, ''],
        [Item.arg0 + 1, '/'],
      ],
    })
    expect(field(event, 'fd.name')).toBe('/')
    expect(field(event, 'fd.type')).toBe('directory')
  })

  it('keeps names that are no UTF-8', () => {
    const event = opened({ result: -2, items: [[Item.arg0 + 1, '/tmp/\xff']] })
    expect(field(event, 'fd.name')).toBe('/tmp/\udcff')
  })
})

describe('a connect', () => {
  it('has the endpoints of the kernel when it succeeds', () => {
    const event = eventOf({
      shape: 'call',
      syscall: syscallNumber('connect')!,
      args: [5],
      items: [
        [
          Item.socket,
          socketItem({
            state: 1,
            local: [10, 0, 0, 1],
            localPort: 40000,
            remote: [192, 0, 2, 1],
            remotePort: 443,
          }),
        ],
        [Item.address, address4(1, 9, 9, 9, 9)],
      ],
    })
    expect(field(event, 'fd.name')).toBe('10.0.0.1:40000->192.0.2.1:443')
    expect(field(event, 'fd.sip')).toBe('192.0.2.1')
    expect(field(event, 'fd.cport')).toBe(40000)
    expect(field(event, 'fd.l4proto')).toBe('tcp')
    expect(field(event, 'fd.sip.name')).toBe('example.org')
  })

  it('that is refused has the address the caller passed', () => {
    const event = eventOf({
      shape: 'call',
      syscall: syscallNumber('connect')!,
      result: -111,
      args: [5],
      items: [
        [Item.socket, socketItem({})],
        [Item.address, address4(9, 127, 0, 0, 1)],
      ],
    })
    expect(field(event, 'fd.sip')).toBe('127.0.0.1')
    expect(field(event, 'fd.sport')).toBe(9)
    expect(field(event, 'evt.res')).toBe('ECONNREFUSED')
  })

  it('of an IPv4-mapped address is IPv4', () => {
    const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1]
    const event = eventOf({
      shape: 'call',
      syscall: syscallNumber('connect')!,
      args: [5],
      items: [
        [
          Item.socket,
          socketItem({
            family: 10,
            state: 1,
            local: mapped,
            localPort: 40000,
            remote: mapped,
            remotePort: 80,
          }),
        ],
      ],
    })
    expect(field(event, 'fd.type')).toBe('ipv4')
    expect(field(event, 'fd.sip')).toBe('192.0.2.1')
  })
})

describe('a datagram', () => {
  const sent = (sockets: SocketMemory, last: number) =>
    eventOf(
      {
        shape: 'call',
        syscall: syscallNumber('sendto')!,
        result: 5,
        args: [4],
        items: [
          [Item.socket, socketItem({ type: 2, localPort: 50000 })],
          [Item.address, address4(53, 192, 0, 2, last)],
        ],
      },
      sockets,
    )

  it('changes the name of its socket only when it goes to another address', () => {
    const sockets = new SocketMemory()
    expect(field(sent(sockets, 1), 'fd.name_changed')).toBe(true)
    expect(field(sent(sockets, 1), 'fd.name_changed')).toBe(false)
    expect(field(sent(sockets, 2), 'fd.name_changed')).toBe(true)
    expect(field(sent(sockets, 2), 'fd.connected')).toBe(false)
  })
})

describe('other calls', () => {
  it('resolve both paths of a rename', () => {
    const event = eventOf({
      shape: 'call',
      syscall: syscallNumber('renameat2')!,
      args: [AT_FDCWD, 0, AT_FDCWD, 0, 0],
      items: [
        [Item.arg0 + 1, 'a'],
        [Item.base, 'srv\0'],
        [Item.arg0 + 3, '/b/../c'],
      ],
    })
    expect(field(event, 'fs.path.source')).toBe('/srv/a')
    expect(field(event, 'fs.path.target')).toBe('/c')
  })

  it('name a ptrace request', () => {
    const event = eventOf({ shape: 'call', syscall: syscallNumber('ptrace')!, args: [16, 77] })
    expect(field(event, 'evt.arg.request')).toBe('PTRACE_ATTACH')
    expect(event.arg(4)).toBe(77)
  })

  it('stay true after the ring has moved on, when kept', () => {
    const event = eventOf({ shape: 'call', syscall: syscallNumber('setuid')!, args: [12] })
    const kept = keepEvent(event)
    event.record.words.fill(0)
    expect(kept.arg(1)).toBe(12)
    expect(kept.process.comm).toBe('cat')
  })
})

describe('items', () => {
  it('that claim more than the record holds are not read', () => {
    const event = eventOf({
      shape: 'call',
      syscall: syscallNumber('unlink')!,
      items: [[Item.arg0, '/x']],
    })
    event.record.words[120 >>> 2] = (0xffff << 16) | Item.arg0
    expect(event.absolutePath(1)).toBeUndefined()
  })
})
