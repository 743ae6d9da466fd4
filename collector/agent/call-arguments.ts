import { type ArgValue, eventTypeId, eventTypes, type Process, toInteger } from '#events'
import { argumentSources, rawSources } from './argument-sources.ts'
import { falcoFlags } from './kernel-flags.ts'
import { syscallNumber } from './syscalls-x64.ts'

/** Names of the calls whose arguments are read. */
export const describedCalls: readonly string[] = Object.keys(argumentSources)

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
  /** Little-endian number in what register `index` points to. */
  pointed(index: number, offset: number, bytes: 4 | 8): bigint | undefined
  readonly process: Process
  readonly tid: number
  readonly euid: number
  readonly egid: number
  readonly capPermitted: bigint
  readonly capEffective: bigint
  readonly filePath: string | undefined
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
  const pointed = /^(32|64)@(\d)\.(\d+)$/.exec(source)
  if (pointed !== null) {
    const [, bits, register, offset] = pointed
    return pointedReader(type, flags, Number(register), Number(offset), bits === '64' ? 8 : 4)
  }
  return known[source] ?? (() => undefined)
}

function pointedReader(
  type: string,
  flags: string | undefined,
  register: number,
  offset: number,
  bytes: 4 | 8,
): ReadArgument {
  return (reader) => {
    const value = reader.pointed(register, offset, bytes)
    if (value === undefined) return undefined
    if (flags !== undefined) return falcoFlags(flags, Number(BigInt.asUintN(32, value)))
    return toInteger(signed.has(type) ? BigInt.asIntN(bytes * 8, value) : value)
  }
}

/** What is known of the caller without looking at the call. */
const known: Readonly<Record<string, ReadArgument>> = {
  tid: ({ tid }) => tid,
  pid: ({ process }) => process.pid,
  euid: ({ euid }) => euid,
  egid: ({ egid }) => egid,
  file: ({ filePath }) => filePath,
  'caps.permitted': ({ capPermitted }) => capPermitted,
  'caps.effective': ({ capEffective }) => capEffective,
  'proc.inheritable': ({ process }) => process.capInheritable,
  'proc.exe': ({ process }) => process.exe,
  'proc.args': ({ process }) => process.args.join(' '),
  'proc.ppid': ({ process }) => process.ppid,
  'proc.cwd': ({ process }) => process.cwd,
  'proc.comm': ({ process }) => process.comm,
}

/** The sources of an event type's parameters; none for events that are no system call. */
function sourcesOf(name: string): readonly string[] {
  const row = argumentSources[name] ?? (syscallNumber(name) === undefined ? '' : rawSources)
  return row.split(' ')
}

const PR_SET_NAME = 15

/** The second argument of prctl is a text for one option alone, and a number for the others. */
const prctlReaders: readonly ReadArgument[] = [
  (reader) => reader.result,
  (reader) => falcoFlags('prctl_options', reader.lowRegister(0) >>> 0),
  (reader) => (reader.lowRegister(0) === PR_SET_NAME ? reader.textArgument(1) : ''),
  (reader) =>
    reader.lowRegister(0) === PR_SET_NAME ? 0 : toInteger(BigInt.asIntN(64, reader.register(1))),
]

/** One reader a parameter, by event type. */
export const argumentReaders: readonly (readonly ReadArgument[])[] = eventTypes.map((type) => {
  const names = sourcesOf(type.name)
  if (type.name === 'prctl') return type.params.map((_, i) => prctlReaders[i]!)
  return type.params.map((param, i) => readerOf(names[i] ?? '-', param.type, param.flags))
})

/** Register number whose text a path parameter is, for the directory it is relative to; or -1. */
export const pathRegisters: readonly (readonly number[])[] = eventTypes.map((type) => {
  const names = sourcesOf(type.name)
  return type.params.map((_, i) => (names[i]?.startsWith('text') ? Number(names[i].at(-1)) : -1))
})

/** Parameters that no event of this type carries, by event type and parameter name. */
export function undeliveredParams(typeName: string): readonly string[] {
  const type = eventTypes[eventTypeId(typeName)]
  const names = sourcesOf(typeName)
  return type?.params.filter((_, i) => (names[i] ?? '-') === '-').map((p) => p.name) ?? []
}
