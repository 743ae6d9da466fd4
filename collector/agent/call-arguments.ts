import { type ArgValue, eventTypeId, eventTypes, toInteger } from '#events'
import { falcoFlags } from './kernel-flags.ts'

/**
 * Where the parameters of an event type come from, in the order of `eventTypes[…].params`:
 * `res` the result, `argN` a register, `textN` the text a register points to, `dev`/`ino` of the
 * event's file, `tuple` and `address` of its socket, `how.X` of openat2, `-` not delivered.
 */
const sources: Readonly<Record<string, string>> = {
  open: 'res text0 arg1 arg2 dev ino',
  openat: 'res arg0 text1 arg2 arg3 dev ino',
  openat2: 'res arg0 text1 how.flags how.mode how.resolve dev ino',
  creat: 'res text0 arg1 dev ino -',
  dup: 'res arg0',
  dup2: 'res arg0 arg1',
  dup3: 'res arg0 arg1 arg2',
  connect: 'res tuple arg0 address',
  accept: 'res tuple - - -',
  accept4: 'res tuple - - - arg3',
  bind: 'res address arg0',
  listen: 'res arg0 arg1',
  socket: 'res arg0 arg1 arg2 -',
  sendto: 'res - arg0 arg2 tuple',
  sendmsg: 'res - arg0 - tuple',
  recvfrom: 'res - tuple arg0 arg2',
  recvmsg: 'res - - tuple - arg0',
  unlink: 'res text0',
  unlinkat: 'res arg0 text1 arg2',
  rename: 'res text0 text1',
  renameat: 'res arg0 text1 arg2 text3',
  renameat2: 'res arg0 text1 arg2 text3 arg4',
  rmdir: 'res text0',
  mkdir: 'res text0 arg1',
  mkdirat: 'res arg0 text1 arg2',
  link: 'res text0 text1',
  linkat: 'res arg0 text1 arg2 text3 arg4',
  symlink: 'res text0 text1',
  symlinkat: 'res text0 arg1 text2',
  chmod: 'res text0 arg1',
  fchmod: 'res arg0 arg1',
  fchmodat: 'res arg0 text1 arg2',
  chown: 'res text0 arg1 arg2',
  lchown: 'res text0 arg1 arg2',
  fchown: 'res arg0 arg1 arg2',
  fchownat: 'res arg0 text1 arg2 arg3 arg4',
  chdir: 'res text0',
  fchdir: 'res arg0',
  chroot: 'res text0',
  mount: 'res text0 text1 text2 arg3',
  umount2: 'res text0 arg1',
  setns: 'res arg0 arg1',
  unshare: 'res arg0',
  setuid: 'res arg0',
  setgid: 'res arg0',
  setreuid: 'res arg0 arg1',
  setregid: 'res arg0 arg1',
  setresuid: 'res arg0 arg1 arg2',
  setresgid: 'res arg0 arg1 arg2',
  setsid: 'res',
  setpgid: 'res arg0 arg1',
  ptrace: 'res arg2 arg3 arg0 arg1',
  kill: 'res arg0 arg1',
  tkill: 'res arg0 arg1',
  tgkill: 'res arg0 arg1 arg2',
  bpf: 'res arg0',
  init_module: 'res - arg1 text2',
  finit_module: 'res arg0 text1 arg2',
  delete_module: 'res text0 arg1',
  memfd_create: 'res text0 arg1',
  userfaultfd: 'res arg0',
  mprotect: 'res arg0 arg1 arg2',
  seccomp: 'res arg0 arg1',
  ioctl: 'res arg0 arg1 arg2',
}

/** Names of the calls whose arguments are read. */
export const describedCalls: readonly string[] = Object.keys(sources)

/** What an argument is read from: a record of the ring, see {@link RingEvent}. */
export interface ArgumentReader {
  readonly result: number | undefined
  /** All 64 bits, unsigned. */
  register(index: number): bigint
  /** The low 32 bits, signed. */
  lowRegister(index: number): number
  textArgument(index: number): string | undefined
  openHow(part: 'flags' | 'mode' | 'resolve'): number | undefined
  readonly fileDev: number | undefined
  readonly fileInode: number | undefined
  readonly tuple: string | undefined
  readonly address: string | undefined
}

type ReadArgument = (reader: ArgumentReader) => ArgValue

const signed = new Set(['FD', 'PID', 'INT32', 'ERRNO'])

/** Reads a register as a parameter's type; 64-bit integers are dear, so only where they are needed. */
function fitted(type: string, flags: string | undefined, index: number): ReadArgument {
  if (signed.has(type)) return (reader) => reader.lowRegister(index)
  if (flags !== undefined) return (reader) => falcoFlags(flags, reader.lowRegister(index) >>> 0)
  if (type === 'UINT64' || type === 'DYN' || type === 'INT64') {
    return (reader) => toInteger(reader.register(index))
  }
  if (type === 'UINT8') return (reader) => reader.lowRegister(index) & 0xff
  return (reader) => reader.lowRegister(index) >>> 0
}

function readerOf(source: string, type: string, flags: string | undefined): ReadArgument {
  const index = Number(source.at(-1))
  if (source === 'res') return (reader) => reader.result
  if (source === 'dev') return (reader) => reader.fileDev
  if (source === 'ino') return (reader) => reader.fileInode
  if (source === 'tuple') return (reader) => reader.tuple
  if (source === 'address') return (reader) => reader.address
  if (source.startsWith('text')) return (reader) => reader.textArgument(index)
  if (source.startsWith('arg')) return fitted(type, flags, index)
  if (source.startsWith('how.')) {
    const part = source.slice(4) as 'flags' | 'mode' | 'resolve'
    return (reader) => {
      const value = reader.openHow(part)
      return value === undefined ? undefined : falcoFlags(flags, value)
    }
  }
  return () => undefined
}

/** One reader a parameter, by event type; empty for types without a row. */
export const argumentReaders: readonly (readonly ReadArgument[])[] = eventTypes.map((type) => {
  const row = sources[type.name]
  if (row === undefined) return []
  const names = row.split(' ')
  return type.params.map((param, i) => readerOf(names[i] ?? '-', param.type, param.flags))
})

/** Register number whose text a path parameter is, for the directory it is relative to; or -1. */
export const pathRegisters: readonly (readonly number[])[] = eventTypes.map((type) => {
  const names = sources[type.name]?.split(' ') ?? []
  return type.params.map((_, i) => (names[i]?.startsWith('text') ? Number(names[i].at(-1)) : -1))
})

/** Parameters that no event of this type carries, by event type and parameter name. */
export function undeliveredParams(typeName: string): readonly string[] {
  const type = eventTypes[eventTypeId(typeName)]
  const names = sources[typeName]?.split(' ') ?? []
  return type?.params.filter((_, i) => (names[i] ?? '-') === '-').map((p) => p.name) ?? []
}
