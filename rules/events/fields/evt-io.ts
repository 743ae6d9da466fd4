import type { FdKind, SyscallEvent } from '../event.ts'
import { eventTypes } from '../event-types.ts'
import type { Extractor, Value } from '../value.ts'
import { type Binder, type Binders, eventTypeSet, plain } from './binder.ts'
import { existing } from './fd-kind.ts'

const reads = eventTypeSet(
  'read readv recv recvfrom recvmsg recvmmsg pread64 preadv copy_file_range finit_module',
)
const writes = eventTypeSet(
  'write writev send sendto sendmsg sendmmsg pwrite64 pwritev copy_file_range',
)
const waits = eventTypeSet('poll ppoll select pselect6 epoll_wait epoll_pwait nanosleep')
const opens = eventTypeSet('open openat openat2 open_by_handle_at creat')
const connects = eventTypeSet('connect accept accept4')

const ioKinds = eventTypes.map(({ category }) => /^io_(read|write|other)$/.exec(category)?.[1])

const fileKinds: ReadonlySet<FdKind> = new Set(['file', 'directory'])
const inetKinds: ReadonlySet<FdKind> = new Set(['ipv4', 'ipv6'])
const socketKinds: ReadonlySet<FdKind> = new Set(['ipv4', 'ipv6', 'unix'])

/** Falco's category; for reading and writing it is that of what is read or written. */
function category(event: SyscallEvent): Value {
  if (ioKinds[event.type] === undefined) {
    const name = eventTypes[event.type]?.category
    return name === 'ipc' ? 'IPC' : name
  }
  const kind = existing(event.fd)?.kind
  if (kind === undefined) return 'unknown'
  if (fileKinds.has(kind)) return 'file'
  if (inetKinds.has(kind)) return 'net'
  return kind === 'unix' || kind === 'pipe' ? 'ipc' : 'unknown'
}

/** Byte count of an I/O event, in one direction and over one kind of descriptor or any. */
function bufferLength(direction?: string, kinds?: ReadonlySet<FdKind>): Binder {
  return plain((event) => {
    const io = ioKinds[event.type]
    const fd = existing(event.fd)
    if (io === undefined || fd === undefined || event.result === undefined) return undefined
    if (direction !== undefined && io !== direction) return undefined
    if (kinds !== undefined && !kinds.has(fd.kind)) return undefined
    return event.result >= 0 ? event.result : undefined
  })
}
const plainFiles: ReadonlySet<FdKind> = new Set(['file'])

/** 1 for a failure of the chosen kind, 0 for its success, no value for other kinds. */
function failures(chosen: (event: SyscallEvent) => boolean): Extractor<SyscallEvent> {
  return (event) => {
    if (event.result === undefined || !chosen(event)) return undefined
    return event.result < 0 ? 1 : 0
  }
}

function isOfFile(event: SyscallEvent): boolean {
  const fd = existing(event.fd)
  return fd === undefined ? opens[event.type]! : fileKinds.has(fd.kind)
}

function isOfNetwork(event: SyscallEvent): boolean {
  const fd = existing(event.fd)
  return fd === undefined ? connects[event.type]! : socketKinds.has(fd.kind)
}

function isOfMemory(event: SyscallEvent): boolean {
  return eventTypes[event.type]?.category === 'memory'
}

/** Reading, writing and counting. */
export const evtIoFields: Binders = {
  'evt.category': plain(category),
  'evt.is_io': plain(({ type }) => reads[type]! || writes[type]!),
  'evt.is_io_read': plain(({ type }) => reads[type]!),
  'evt.is_io_write': plain(({ type }) => writes[type]!),
  'evt.io_dir': plain(({ type }) => (writes[type] ? 'write' : reads[type] ? 'read' : undefined)),
  'evt.is_wait': plain(({ type }) => waits[type]!),
  'evt.is_syslog': plain(
    ({ type, fd }) => writes[type]! && (existing(fd)?.name.includes('/dev/log') ?? false),
  ),
  'evt.buflen': bufferLength(),
  'evt.buflen.in': bufferLength('read'),
  'evt.buflen.out': bufferLength('write'),
  'evt.buflen.file': bufferLength(undefined, plainFiles),
  'evt.buflen.file.in': bufferLength('read', plainFiles),
  'evt.buflen.file.out': bufferLength('write', plainFiles),
  'evt.buflen.net': bufferLength(undefined, inetKinds),
  'evt.buflen.net.in': bufferLength('read', inetKinds),
  'evt.buflen.net.out': bufferLength('write', inetKinds),
  'evt.count.error': plain(failures(() => true)),
  'evt.count.error.file': plain(failures(isOfFile)),
  'evt.count.error.net': plain(failures(isOfNetwork)),
  'evt.count.error.memory': plain(failures(isOfMemory)),
  'evt.count.error.other': plain(
    failures((event) => !isOfFile(event) && !isOfNetwork(event) && !isOfMemory(event)),
  ),
  'evt.count.exit': plain(({ result }) => (result === undefined ? undefined : 1)),
  'evt.count.procinfo': plain(() => 0),
  'evt.count.threadinfo': plain(() => 0),
}
