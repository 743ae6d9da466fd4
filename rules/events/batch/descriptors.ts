import type { FdKind, FileDescriptor, Socket } from '../event.ts'
import type { ByteReader } from './reader.ts'
import type { TextReader, TextWriter } from './texts.ts'
import type { ByteWriter } from './writer.ts'

/** Codes on the wire: only ever appended to. */
export const fdKinds: readonly FdKind[] = [
  'unknown',
  'file',
  'directory',
  'ipv4',
  'ipv6',
  'unix',
  'pipe',
  'event',
  'signalfd',
  'eventpoll',
  'inotify',
  'timerfd',
  'netlink',
  'bpf',
  'userfaultfd',
  'io_uring',
  'memfd',
  'pidfd',
]
const layers = [undefined, 'upper', 'lower'] as const
const protocols = [undefined, 'tcp', 'udp', 'icmp', 'raw'] as const
const roles = [undefined, 'client', 'server'] as const

/**
 * A socket's name follows from its endpoints, in one of these ways. Names with their ports would
 * otherwise be most of a batch.
 */
const namings: readonly ((socket: Socket) => string)[] = [
  (s) => `${s.localIp}:${s.localPort}->${s.remoteIp}:${s.remotePort}`,
  (s) => `${s.remoteIp}:${s.remotePort}->${s.localIp}:${s.localPort}`,
  (s) => `${s.localIp}:${s.localPort}`,
  (s) => `${s.localIp}->${s.remoteIp}`,
  (s) => `${s.remoteIp}->${s.localIp}`,
]

function nameReference({ name, socket }: FileDescriptor, texts: TextWriter): number {
  if (socket !== undefined) {
    const way = namings.findIndex((naming) => naming(socket) === name)
    if (way >= 0) return way
  }
  return namings.length + texts.index(name)
}

/** 0 for none, 1 for the name itself, else the text's number + 2. */
function rawReference({ name, rawName }: FileDescriptor, texts: TextWriter): number {
  if (rawName === undefined) return 0
  return rawName === name ? 1 : texts.index(rawName) + 2
}

export function writeDescriptors(
  out: ByteWriter,
  texts: TextWriter,
  descriptors: readonly FileDescriptor[],
): void {
  out.numbers(descriptors.map(({ num }) => num))
  out.numbers(descriptors.map(({ kind }) => fdKinds.indexOf(kind)))
  out.numbers(descriptors.map((fd) => nameReference(fd, texts)))
  out.numbers(descriptors.map((fd) => rawReference(fd, texts)))
  out.numbers(descriptors.map(({ dev }) => dev))
  out.numbers(descriptors.map(({ inode }) => inode))
  out.numbers(descriptors.map(({ layer }) => layers.indexOf(layer)))
  out.numbers(descriptors.map(({ socket }) => (socket === undefined ? 0 : 1)))
  const sockets = descriptors.flatMap(({ socket }) => (socket === undefined ? [] : [socket]))
  out.numbers(sockets.map(({ family }) => family))
  out.numbers(sockets.map(({ l4proto }) => protocols.indexOf(l4proto)))
  out.numbers(sockets.map(({ role }) => roles.indexOf(role)))
  out.numbers(sockets.map(({ localIp }) => texts.index(localIp)))
  out.numbers(sockets.map(({ localPort }) => localPort))
  out.numbers(sockets.map(({ remoteIp }) => texts.index(remoteIp)))
  out.numbers(sockets.map(({ remotePort }) => remotePort))
  out.numbers(sockets.map((s) => (s.connected ? 1 : 0) + (s.nameChanged ? 2 : 0)))
}

export function readDescriptors(
  reader: ByteReader,
  texts: TextReader,
  count: number,
): FileDescriptor[] {
  const nums = reader.numbers(count)
  const kindCodes = reader.indexes(count, fdKinds.length, 'type')
  const names = reader.numbers(count)
  const rawNames = reader.numbers(count)
  const devs = reader.numbers(count)
  const inodes = reader.numbers(count)
  const layerCodes = reader.indexes(count, layers.length, 'type')
  const hasSocket = reader.indexes(count, 2)
  const sockets = readSockets(reader, texts, hasSocket.filter((has) => has === 1).length)
  let nextSocket = 0
  const descriptors: FileDescriptor[] = []
  for (let row = 0; row < count; row++) {
    const socket = hasSocket[row] === 1 ? sockets[nextSocket++] : undefined
    const name = readName(reader, texts, names[row]!, socket)
    const raw = rawNames[row]!
    descriptors.push({
      num: nums[row]!,
      kind: fdKinds[kindCodes[row]!]!,
      name,
      rawName: raw === 0 ? undefined : raw === 1 ? name : texts.text(raw - 2),
      dev: devs[row]!,
      inode: inodes[row]!,
      layer: layers[layerCodes[row]!],
      socket,
    })
  }
  return descriptors
}

function readName(
  reader: ByteReader,
  texts: TextReader,
  reference: number,
  socket: Socket | undefined,
): string {
  if (reference >= namings.length) return texts.text(reference - namings.length)
  const naming = namings[reference]
  if (naming === undefined || socket === undefined) reader.fail('index', 'a name has no text')
  return naming(socket)
}

function readSockets(reader: ByteReader, texts: TextReader, count: number): Socket[] {
  const families = reader.numbers(count)
  const protocolCodes = reader.indexes(count, protocols.length, 'type')
  const roleCodes = reader.indexes(count, roles.length, 'type')
  const localIps = reader.numbers(count)
  const localPorts = reader.indexes(count, 65536, 'number')
  const remoteIps = reader.numbers(count)
  const remotePorts = reader.indexes(count, 65536, 'number')
  const states = reader.indexes(count, 4, 'number')
  const sockets: Socket[] = []
  for (let row = 0; row < count; row++) {
    sockets.push({
      family: families[row]!,
      l4proto: protocols[protocolCodes[row]!],
      role: roles[roleCodes[row]!],
      localIp: texts.address(localIps[row]!),
      localPort: localPorts[row]!,
      remoteIp: texts.address(remoteIps[row]!),
      remotePort: remotePorts[row]!,
      connected: (states[row]! & 1) !== 0,
      nameChanged: (states[row]! & 2) !== 0,
    })
  }
  return sockets
}
