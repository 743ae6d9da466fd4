import {
  type ArgValue,
  eventTypeId,
  eventTypes,
  type FileDescriptor,
  factsOf,
  type Group,
  type Process,
  type SyscallEvent,
  type User,
} from '#events'
import { joinPath } from '../../rules/events/path-text.ts'
import { type ArgumentReader, argumentReaders, pathRegisters } from './call-arguments.ts'
import { execArgument, failedExecArgument } from './exec-arguments.ts'
import { keepProcess } from './kept-process.ts'
import {
  CALL,
  EVENT,
  EXIT,
  FILE_ITEM,
  FLAG_NO_RESULT,
  Item,
  OPEN_HOW_ITEM,
  Shape,
} from './layout.ts'
import type { RecordReader } from './record-reader.ts'
import { readAddress, readFile, readSocket } from './ring-file.ts'
import type { SocketMemory } from './socket-memory.ts'
import { syscallNames } from './syscalls-x64.ts'

/** Event type of each native system call number. */
const typeOfCall = Int16Array.from(syscallNames, (name) =>
  name === undefined ? -1 : eventTypeId(name),
)
const EXECVE = eventTypeId('execve')
const EXECVEAT = eventTypeId('execveat')
const SPLICE = eventTypeId('splice')
const PROCEXIT = eventTypeId('procexit')
const opens = new Set(['open', 'openat', 'openat2', 'creat'].map(eventTypeId))

/** What an event needs from the tables around it. */
export interface EventContext {
  readonly sockets: SocketMemory
  user(uid: number, process: Process): User | undefined
  group(gid: number, process: Process): Group | undefined
  namesOf(ip: string): readonly string[]
}

/**
 * A record of the ring seen as an event. One object serves all records: it is valid until the next
 * {@link RingEvent.point}; {@link keepEvent} makes a copy that lasts.
 */
export class RingEvent implements SyscallEvent, ArgumentReader {
  readonly record: RecordReader
  readonly #context: EventContext
  process!: Process
  type = -1
  #epoch = 0n
  #fd: FileDescriptor | undefined
  #fdKnown = false

  constructor(record: RecordReader, context: EventContext) {
    this.record = record
    this.#context = context
  }

  /**
   * Shows the record the reader points at.
   * @param process of the caller; for an exec, the new image
   * @param epoch wall-clock time of boot, nanoseconds
   */
  point(process: Process, epoch: bigint): void {
    const { record } = this
    const { shape } = record
    this.process = process
    this.type =
      shape === Shape.call
        ? typeOfCall[record.u16(EVENT.syscall) & 511]!
        : shape === Shape.exec
          ? EXECVE
          : PROCEXIT
    this.#epoch = epoch
    this.#fdKnown = false
  }

  get seq(): number {
    return this.record.u64(EVENT.seq)
  }

  get time(): bigint {
    return this.record.big(EVENT.time) + this.#epoch
  }

  get cpu(): number {
    return this.record.u16(EVENT.cpu)
  }

  get tid(): number {
    return this.record.u32(EVENT.tid)
  }

  get count(): number {
    return 1
  }

  get flags(): number {
    return this.record.u8(EVENT.flags) & 15
  }

  get euid(): number {
    return this.record.u32(EVENT.euid)
  }

  get egid(): number {
    return this.record.u32(EVENT.egid)
  }

  get capEffective(): bigint {
    return this.record.big(EVENT.cap_effective)
  }

  get capPermitted(): bigint {
    return this.record.big(EVENT.cap_permitted)
  }

  get result(): number | undefined {
    if (this.record.shape === Shape.exit) return undefined
    return this.record.i64(EVENT.result)
  }

  /** The io_uring request was seen, its completion was not. */
  get resultUnknown(): boolean {
    return (this.record.u8(EVENT.flags) & FLAG_NO_RESULT) !== 0
  }

  get fd(): FileDescriptor | undefined {
    if (!this.#fdKnown) {
      this.#fdKnown = true
      this.#fd = this.record.shape === Shape.call ? this.#readFd() : undefined
    }
    return this.#fd
  }

  arg(index: number): ArgValue {
    if (this.record.shape === Shape.exec) return execArgument(this, index)
    if (this.type === EXECVE || this.type === EXECVEAT) return failedExecArgument(this, index)
    if (this.record.shape === Shape.exit) return this.#exitArgument(index)
    return argumentReaders[this.type]?.[index]?.(this)
  }

  absolutePath(index: number): string | undefined {
    const register = pathRegisters[this.type]?.[index] ?? -1
    if (register < 0) return undefined
    const given = this.record.text(Item.arg0 + register)
    if (given === undefined) return undefined
    if (given.startsWith('/')) return joinPath('/', given)
    const resolved = opens.has(this.type) ? this.record.path(Item.path) : undefined
    if (resolved !== undefined) return resolved
    // the second path of a call without directory arguments has its base in its own item too
    const base =
      (register <= 2 ? this.record.path(Item.base) : undefined) ?? this.record.path(Item.base2)
    return base === undefined ? undefined : joinPath(base, given)
  }

  user(uid: number): User | undefined {
    return this.#context.user(uid, this.process)
  }

  group(gid: number): Group | undefined {
    return this.#context.group(gid, this.process)
  }

  namesOf(ip: string): readonly string[] {
    return this.#context.namesOf(ip)
  }

  register(index: number): bigint {
    return this.record.big(CALL.args + index * 8)
  }

  lowRegister(index: number): number {
    return this.record.i32(CALL.args + index * 8)
  }

  textArgument(index: number): string | undefined {
    return this.record.text(Item.arg0 + index)
  }

  openHow(part: 'flags' | 'mode' | 'resolve'): number | undefined {
    const offset = this.record.item(Item.openHow)
    return offset === 0 ? undefined : this.record.u64(offset + OPEN_HOW_ITEM[part])
  }

  pointed(index: number, offset: number, bytes: 4 | 8): bigint | undefined {
    const block = this.record.bytes(Item.arg0 + index)
    if (block === undefined || block.length < offset + bytes) return undefined
    const view = new DataView(block.buffer, block.byteOffset)
    return bytes === 8 ? view.getBigUint64(offset, true) : BigInt(view.getUint32(offset, true))
  }

  get filePath(): string | undefined {
    return this.record.item(Item.file) === 0 ? undefined : this.fd?.name
  }

  get fileDev(): number | undefined {
    return this.fd === undefined || this.record.item(Item.file) === 0 ? undefined : this.fd.dev
  }

  get fileInode(): number | undefined {
    const offset = this.record.item(Item.file)
    return offset === 0 ? undefined : this.record.u64(offset + FILE_ITEM.inode)
  }

  get tuple(): string | undefined {
    return this.fd?.socket === undefined ? undefined : this.fd.name
  }

  get address(): string | undefined {
    const given = readAddress(this.record)
    return given === undefined ? this.record.text(Item.unix) : `${given.ip}:${given.port}`
  }

  #exitArgument(index: number): ArgValue {
    const status = this.record.u32(EXIT.status)
    // status, ret, sig, core, reaper_tid
    return [
      status,
      (status >>> 8) & 255,
      status & 127,
      (status >>> 7) & 1,
      this.record.u32(EXIT.reaper),
    ][index]
  }

  #readFd(): FileDescriptor | undefined {
    const { record } = this
    if (opens.has(this.type)) return this.#openedFile()
    const result = record.i64(EVENT.result)
    const name = eventTypes[this.type]?.name ?? ''
    // of a splice: where the bytes go
    const argument = CALL.args + (this.type === SPLICE ? 16 : 0)
    const num = makesDescriptor.has(name) ? result : record.i32(argument)
    return (
      readSocket(record, num, name, this.#context.sockets) ??
      readFile(record, num) ??
      (makesDescriptor.has(name) && result < 0 ? bare(-1, 'unknown', '', undefined) : undefined)
    )
  }

  #openedFile(): FileDescriptor | undefined {
    const register = this.record.item(Item.arg0 + 1) === 0 ? 0 : 1
    const rawName = this.record.text(Item.arg0 + register)
    const num = this.record.i64(EVENT.result)
    const file = readFile(this.record, num, rawName)
    if (file !== undefined) return file
    const index = pathRegisters[this.type]!.findIndex((r) => r >= 0)
    const name = this.absolutePath(index) ?? rawName ?? ''
    // without a file though opened: gone or replaced before it could be read; or an io_uring
    // result not seen
    return bare(num < 0 ? -1 : num, 'file', name, rawName)
  }
}

const makesDescriptor = new Set([
  'socket',
  'accept',
  'accept4',
  'dup',
  'dup2',
  'dup3',
  'memfd_create',
  'bpf',
  'userfaultfd',
  'open_by_handle_at',
  'open_tree',
  'fsopen',
  'fsmount',
  'pidfd_open',
  'pidfd_getfd',
  'perf_event_open',
  'memfd_secret',
  'eventfd',
  'eventfd2',
  'signalfd',
  'signalfd4',
  'timerfd_create',
  'inotify_init',
  'inotify_init1',
  'epoll_create',
  'epoll_create1',
  'io_uring_setup',
  'fanotify_init',
])

function bare(
  num: number,
  kind: FileDescriptor['kind'],
  name: string,
  rawName: string | undefined,
): FileDescriptor {
  return { num, kind, name, rawName, dev: 0, inode: 0, layer: undefined, socket: undefined }
}

/** A copy of an event that stays true after the ring and the tables have moved on. */
export function keepEvent(event: SyscallEvent): SyscallEvent {
  const params = eventTypes[event.type]?.params ?? []
  const args = params.map((_, i) => event.arg(i))
  const paths = params.map((_, i) => event.absolutePath(i))
  const argumentsOf = (type: string) =>
    args.filter((arg, i) => params[i]!.type === type && typeof arg === 'number') as number[]
  const uids = [event.euid, event.process.loginUid, event.process.uid, ...argumentsOf('UID')]
  const users = new Map(uids.map((uid) => [uid, event.user(uid)]))
  const gids = [event.egid, ...argumentsOf('GID')]
  const groups = new Map(gids.map((gid) => [gid, event.group(gid)]))
  const socket = event.fd?.socket
  const ips = socket === undefined ? [] : [socket.localIp, socket.remoteIp]
  const names = new Map(ips.map((ip) => [ip, event.namesOf(ip)]))
  return {
    ...factsOf(event),
    process: keepProcess(event.process),
    arg: (index) => args[index],
    absolutePath: (index) => paths[index],
    user: (uid) => users.get(uid),
    group: (gid) => groups.get(gid),
    namesOf: (ip) => names.get(ip) ?? [],
  }
}
