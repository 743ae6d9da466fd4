import { errnoName } from '../errno-names.ts'
import type { ArgValue, Process, SyscallEvent } from '../event.ts'
import { type EventParam, eventTypes } from '../event-types.ts'
import { joinPath } from '../path-text.ts'
import { signalName } from '../signal-names.ts'
import { existing, kindLetter } from './fd-kind.ts'
import { flagNamer, valueNamer } from './flag-text.ts'
import { nativeArgument } from './native-argument.ts'

/** The name an argument's value stands for, "" when it stands for itself. */
type Resolve = (event: SyscallEvent, value: Exclude<ArgValue, undefined>, index: number) => string

const AT_FDCWD = -100

function resolver({ type, flags }: EventParam): Resolve {
  switch (type) {
    case 'FLAGS8':
    case 'FLAGS16':
    case 'FLAGS32':
    case 'MODE': {
      const name = flagNamer(flags ?? '')
      return (_event, value) => name(Number(value))
    }
    case 'ENUMFLAGS8':
    case 'ENUMFLAGS16':
    case 'ENUMFLAGS32': {
      const name = valueNamer(flags ?? '')
      return (_event, value) => name(Number(value))
    }
    case 'FSPATH':
    case 'FSRELPATH':
      return (event, value, index) => absoluteArgument(event, String(value), index)
    case 'ERRNO':
      return (_event, value) => (Number(value) < 0 ? (errnoName(-Number(value)) ?? '') : '')
    case 'FD':
      return (event, value) => descriptorText(event, Number(value))
    case 'PID':
      return (event, value) => processName(event, Number(value))
    case 'UID':
      return (event, value) => userName(event, Number(value))
    case 'GID':
      return (event, value) => groupName(event, Number(value))
    case 'SIGTYPE':
      return (_event, value) => signalName(Number(value)) ?? ''
    case 'RELTIME':
      return (_event, value) =>
        value === noTime ? '' : `${Number((Number(value) / 1e9).toPrecision(6))}s`
    default:
      return () => ''
  }
}

/** A timeout of -1, read as unsigned. */
const noTime = 0xffff_ffff_ffff_ffffn

/**
 * A path argument as an absolute path: a relative one as the kernel resolved it, else by text. An
 * absolute one keeps the symbolic links it was written with, as in Falco.
 */
export function absoluteArgument(event: SyscallEvent, path: string, index: number): string {
  if (path.startsWith('/')) return joinPath('/', path)
  return event.absolutePath(index) ?? joinPath(event.process.cwd, path)
}

function descriptorText(event: SyscallEvent, num: number): string {
  if (num === AT_FDCWD) return 'AT_FDCWD'
  if (num < 0) return errnoName(-num) ?? ''
  const fd = existing(event.fd)
  if (fd === undefined || fd.num !== num) return ''
  return `<${kindLetter(fd.kind)}${fd.socket?.l4proto?.[0] ?? ''}>${fd.name}`
}

/** Only the processes of an event's own line are known with it. */
function processName(event: SyscallEvent, pid: number): string {
  if (pid === event.tid) return event.process.comm
  let process: Process | undefined = event.process
  for (let level = 0; process !== undefined && level < 64; level++) {
    if (process.pid === pid) return process.comm
    process = process.parent
  }
  return ''
}

export function userName(event: SyscallEvent, uid: number): string {
  return event.user(uid)?.name ?? (uid === 0 ? 'root' : '<NA>')
}

export function groupName(event: SyscallEvent, gid: number): string {
  return event.group(gid)?.name ?? (gid === 0 ? 'root' : '<NA>')
}

/** The value itself as text; bytes that do not print show as dots. */
function plainText({ type }: EventParam, value: ArgValue): string {
  if (value === undefined)
    return /BUF$|TUPLE|SOCKADDR|LIST/.test(type) && type !== 'CHARBUF' ? 'NULL' : '<NA>'
  if (value instanceof Uint8Array) {
    let text = ''
    for (const byte of value) text += byte < 0x20 || byte > 0x7e ? '.' : String.fromCharCode(byte)
    return text
  }
  if (type === 'RELTIME' && value === noTime) return 'none'
  if (type === 'BYTEBUF') return String(value).replace(/[^\x20-\x7e]/g, '.')
  if ((type === 'UID' || type === 'GID') && value === 0xffff_ffff) return '-1'
  return String(value)
}

const resolvers: readonly (readonly Resolve[])[] = eventTypes.map(({ params }) =>
  params.map(resolver),
)

function resolved(event: SyscallEvent, value: ArgValue, index: number): string {
  return value === undefined ? '' : resolvers[event.type]![index]!(event, value, index)
}

/**
 * Display form of argument `index`, which must be one of the event's type: what its value stands
 * for, else the value; `<NA>` (`NULL` for bytes, tuples and lists) when the event lacks it.
 */
export function argumentText(event: SyscallEvent, index: number): string {
  const value = nativeArgument(event, index)
  return resolved(event, value, index) || plainText(eventTypes[event.type]!.params[index]!, value)
}

/** All arguments as `name=value(what it stands for)`, separated by blanks. */
export function allArgumentsText(event: SyscallEvent): string {
  const params = eventTypes[event.type]?.params ?? []
  return params
    .map((param, index) => {
      const value = nativeArgument(event, index)
      const name = resolved(event, value, index)
      return `${param.name}=${plainText(param, value)}${name === '' ? '' : `(${name})`}`
    })
    .join(' ')
}
