import { canonicalIp, type FdKind, type FileDescriptor, type Socket, type Stream } from '#events'
import { FILE_ITEM, FILE_ITEM_BYTES, Item, SOCKET_ITEM } from './layout.ts'
import type { RecordReader } from './record-reader.ts'
import { type Ends, noEnds, type SocketMemory } from './socket-memory.ts'

const AF_UNIX = 1
const AF_INET = 2
const AF_INET6 = 10
const AF_NETLINK = 16
const S_IFMT = 0o170000
const S_IFIFO = 0o010000
const O_DIRECTORY = 0x10000
const ESTABLISHED = 1

const FileFlag = { upper: 2, memfd: 4, lower: 8, treeless: 16 } as const

/** Kinds of anonymous inodes by the name the kernel gives them. */
const anonymousKinds: readonly (readonly [prefix: string, kind: FdKind])[] = [
  ['[eventpoll]', 'eventpoll'],
  ['[eventfd]', 'event'],
  ['[timerfd]', 'timerfd'],
  ['[signalfd]', 'signalfd'],
  ['inotify', 'inotify'],
  ['[userfaultfd]', 'userfaultfd'],
  ['bpf-', 'bpf'],
  ['[io_uring]', 'io_uring'],
  ['[pidfd]', 'pidfd'],
]

/** What the event says about its file, from the kernel's own objects. */
export function readFile(
  record: RecordReader,
  num: number,
  rawName?: string,
): FileDescriptor | undefined {
  const offset = record.item(Item.file)
  if (offset === 0) return undefined
  const { kind, name } = fileAt(record, offset, Item.path)
  const flags = record.u32(offset + FILE_ITEM.flags)
  return {
    num,
    kind,
    name,
    rawName,
    dev: userDevice(record.u32(offset + FILE_ITEM.dev)),
    inode: record.u64(offset + FILE_ITEM.inode),
    layer:
      (flags & FileFlag.upper) !== 0
        ? 'upper'
        : (flags & FileFlag.lower) !== 0
          ? 'lower'
          : undefined,
    socket: undefined,
  }
}

/** Kind and name of the file whose item lies at `offset`, its path in the item of kind `pathKind`. */
function fileAt(record: RecordReader, offset: number, pathKind: number): Stream {
  const mode = record.u32(offset + FILE_ITEM.mode)
  const flags = record.u32(offset + FILE_ITEM.flags)
  const treeless = (flags & FileFlag.treeless) !== 0
  const name = treeless ? record.treelessName(pathKind) : (record.path(pathKind) ?? '')
  return { kind: fileKind(mode, flags, record.u32(offset + FILE_ITEM.open_flags), name), name }
}

let lastStreams: readonly (Stream | undefined)[] = []

/** Standard input, output and error of an exec; the same array as last time when they are the same. */
export function readStreams(record: RecordReader): readonly (Stream | undefined)[] {
  const streams: (Stream | undefined)[] = [undefined, undefined, undefined]
  for (let place = 0; place < streams.length; place++) {
    streams[place] = streamAt(record, place, streams)
  }
  const last = lastStreams
  const isSame = streams.every(
    (each, i) => each?.kind === last[i]?.kind && each?.name === last[i]?.name,
  )
  if (!isSame) lastStreams = streams
  return lastStreams
}

function streamAt(
  record: RecordReader,
  place: number,
  before: readonly (Stream | undefined)[],
): Stream | undefined {
  const offset = record.item(Item.stream + place)
  if (offset === 0) return undefined
  const length = record.itemLength(offset)
  // the same open file as that of an earlier one
  if (length === 1) return before[record.u8(offset)]
  const pathKind = Item.streamName + place
  return length === FILE_ITEM_BYTES
    ? fileAt(record, offset, pathKind)
    : socketAt(record, offset, pathKind)
}

/** Kind and endpoints of a socket of which nothing but the kernel's own state is known. */
function socketAt(record: RecordReader, offset: number, pathKind: number): Stream {
  const family = record.u16(offset + SOCKET_ITEM.family)
  if (family !== AF_INET && family !== AF_INET6) {
    return { kind: kindOf(family, ''), name: record.text(pathKind) ?? '' }
  }
  const address = (at: number) =>
    family === AF_INET ? ipv4(record.u32(offset + at)) : ipv6(record, offset + at)
  const localIp = address(SOCKET_ITEM.local)
  const local = `${localIp}:${record.u16(offset + SOCKET_ITEM.local_port)}`
  const remotePort = record.u16(offset + SOCKET_ITEM.remote_port)
  const kind = kindOf(family, localIp)
  if (remotePort === 0) return { kind, name: local }
  return { kind, name: `${local}->${address(SOCKET_ITEM.remote)}:${remotePort}` }
}

/** A device number as stat(2) gives it, from the kernel's own 12 + 20 bits. */
export function userDevice(dev: number): number {
  const major = dev >>> 20
  const minor = dev & 0xfffff
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0
}

function fileKind(mode: number, flags: number, openFlags: number, name: string): FdKind {
  if ((flags & FileFlag.memfd) !== 0) return 'memfd'
  if ((flags & FileFlag.treeless) !== 0) {
    if ((mode & S_IFMT) === S_IFIFO) return 'pipe'
    return (
      anonymousKinds.find(([prefix]) => name.replace('anon_inode:', '').startsWith(prefix))?.[1] ??
      'unknown'
    )
  }
  // as in Falco: a directory is what was opened as one, whatever the inode is
  return (openFlags & O_DIRECTORY) !== 0 ? 'directory' : 'file'
}

interface Endpoint {
  readonly family: number
  readonly ip: string
  readonly port: number
}

const IP_SLOTS = 256
const ipWords = new Int32Array(IP_SLOTS)
const ipTexts = new Array<string>(IP_SLOTS).fill('0.0.0.0')

/** An address as text, by a small cache: a machine talks to few others at a time. */
function ipv4(word: number): string {
  const slot = (word ^ (word >>> 8) ^ (word >>> 16) ^ (word >>> 24)) & (IP_SLOTS - 1)
  // the zero that all slots begin with is at home in slot 0 alone, where its text is right
  if (ipWords[slot] !== (word | 0)) {
    ipWords[slot] = word
    ipTexts[slot] = ipv4Text(word)
  }
  return ipTexts[slot]!
}

function ipv4Text(word: number): string {
  return `${word & 255}.${(word >>> 8) & 255}.${(word >>> 16) & 255}.${word >>> 24}`
}

function ipv6(record: RecordReader, offset: number): string {
  const groups: string[] = []
  for (let i = 0; i < 16; i += 2) {
    groups.push(((record.u8(offset + i) << 8) | record.u8(offset + i + 1)).toString(16))
  }
  return canonicalIp(groups.join(':')) ?? ''
}

/** The address a caller gave or got: what it says, not what the kernel did with it. */
export function readAddress(record: RecordReader): Endpoint | undefined {
  const offset = record.item(Item.address)
  if (offset === 0 || record.itemLength(offset) < 8) return undefined
  const family = record.u16(offset)
  const port = (record.u8(offset + 2) << 8) | record.u8(offset + 3)
  if (family === AF_INET) return { family, ip: ipv4(record.u32(offset + 4)), port }
  if (family === AF_INET6 && record.itemLength(offset) >= 24) {
    return { family, ip: ipv6(record, offset + 8), port }
  }
  return undefined
}

function kindOf(family: number, ip: string): FdKind {
  if (family === AF_INET) return 'ipv4'
  if (family === AF_INET6) return ip.includes(':') || ip === '' ? 'ipv6' : 'ipv4'
  if (family === AF_UNIX) return 'unix'
  return family === AF_NETLINK ? 'netlink' : 'unknown'
}

function protocolOf(type: number, protocol: number): Socket['l4proto'] {
  if (protocol === 6 || (protocol === 0 && type === 1)) return 'tcp'
  if (protocol === 17 || (protocol === 0 && type === 2)) return 'udp'
  if (protocol === 1 || protocol === 58) return 'icmp'
  return type === 3 ? 'raw' : undefined
}

/**
 * The socket of an event. A refused connect and a datagram have no peer in the kernel's socket: then
 * the address the caller passed stands in.
 */
export function readSocket(
  record: RecordReader,
  num: number,
  call: string,
  memory: SocketMemory,
): FileDescriptor | undefined {
  const offset = record.item(Item.socket)
  const given = readAddress(record)
  if (offset === 0) return undefined
  const family = record.u16(offset + SOCKET_ITEM.family)
  const inode = record.u64(offset + SOCKET_ITEM.inode)
  const isInet = family === AF_INET || family === AF_INET6
  if (!isInet) {
    const name = family === AF_UNIX ? (record.text(Item.unix) ?? '') : ''
    return bare(num, kindOf(family, ''), name, inode)
  }
  const address = (at: number) =>
    family === AF_INET ? ipv4(record.u32(offset + at)) : ipv6(record, offset + at)
  const localPort = record.u16(offset + SOCKET_ITEM.local_port)
  const kernelPort = record.u16(offset + SOCKET_ITEM.remote_port)
  const peerKnown = kernelPort !== 0 || given === undefined || call === 'bind'
  const localIp = address(SOCKET_ITEM.local)
  const remoteIp = peerKnown ? (kernelPort === 0 ? '' : address(SOCKET_ITEM.remote)) : given.ip
  const remotePort = peerKnown ? kernelPort : given.port
  const connected = record.u8(offset + SOCKET_ITEM.state) === ESTABLISHED
  const role = memory.role(inode, call, localPort, remotePort)
  const ends = endsOf(role, localIp, localPort, remoteIp, remotePort)
  const l4proto = protocolOf(
    record.u16(offset + SOCKET_ITEM.type),
    record.u16(offset + SOCKET_ITEM.protocol),
  )
  return new SocketDescriptor(num, kindOf(family, remoteIp || localIp), inode, ends, {
    family,
    l4proto,
    role,
    localIp,
    localPort,
    remoteIp,
    remotePort,
    connected,
    nameChanged: memory.changed(inode, ends),
  })
}

/** An Internet socket; its name is put together when somebody asks. */
class SocketDescriptor implements FileDescriptor {
  readonly num: number
  readonly kind: FdKind
  readonly rawName: undefined
  readonly dev = 0
  readonly inode: number
  readonly layer: undefined
  readonly socket: Socket
  readonly #ends: Ends

  constructor(num: number, kind: FdKind, inode: number, ends: Ends, socket: Socket) {
    this.num = num
    this.kind = kind
    this.inode = inode
    this.socket = socket
    this.#ends = ends
  }

  get name(): string {
    const { firstIp, firstPort, secondIp, secondPort } = this.#ends
    if (this.socket.role === undefined) return ''
    const first = `${firstIp}:${firstPort}`
    return this.socket.remotePort === 0 ? first : `${first}->${secondIp}:${secondPort}`
  }
}

function bare(num: number, kind: FdKind, name: string, inode: number): FileDescriptor {
  return { num, kind, name, rawName: undefined, dev: 0, inode, layer: undefined, socket: undefined }
}

/** Falco's order: client first; a listening socket is its own address alone. */
function endsOf(
  role: Socket['role'],
  localIp: string,
  localPort: number,
  remoteIp: string,
  remotePort: number,
): Ends {
  if (role === undefined) return noEnds
  if (remotePort === 0) {
    return { firstIp: localIp, firstPort: localPort, secondIp: '', secondPort: 0 }
  }
  return role === 'server'
    ? { firstIp: remoteIp, firstPort: remotePort, secondIp: localIp, secondPort: localPort }
    : { firstIp: localIp, firstPort: localPort, secondIp: remoteIp, secondPort: remotePort }
}
