import { constantFields } from '../constant-fields.ts'
import { errnoName } from '../errno-names.ts'
import type { SyscallEvent } from '../event.ts'
import { eventTypes } from '../event-types.ts'
import { toInteger } from '../integer.ts'
import { timeFields } from '../time-text.ts'
import type { Extractor, Value } from '../value.ts'
import { absoluteArgument, allArgumentsText, argumentText } from './argument-text.ts'
import { type Binders, byEventType, plain } from './binder.ts'
import { argumentPositions, nativeArgument } from './native-argument.ts'

const names = eventTypes.map(({ name }) => name)
const notSystemCalls = new Set([
  'procexit',
  'signaldeliver',
  'asyncevent',
  'container',
  'switch',
  'drop',
])
const systemCalls = names.map((name) => (notSystemCalls.has(name) ? undefined : name))

/** The result as Falco words it. */
function resultText({ result }: SyscallEvent): Value {
  if (result === undefined) return undefined
  return result >= 0 ? 'SUCCESS' : (errnoName(-result) ?? String(result))
}

function bindArgument(arg: string | undefined): Extractor<SyscallEvent> | undefined {
  if (arg === undefined) return undefined
  if (/^\d+$/.test(arg)) {
    const index = Number(arg)
    return (event) =>
      index < (eventTypes[event.type]?.params.length ?? 0) ? argumentText(event, index) : undefined
  }
  const positions = argumentPositions(arg)
  if (positions === undefined) return undefined
  return (event) => {
    const index = positions[event.type] ?? -1
    return index < 0 ? undefined : argumentText(event, index)
  }
}

function bindRawArgument(arg: string | undefined): Extractor<SyscallEvent> | undefined {
  const positions = arg === undefined ? undefined : argumentPositions(arg)
  if (positions === undefined) return undefined
  return (event) => {
    const index = positions[event.type] ?? -1
    if (index < 0) return undefined
    const value = nativeArgument(event, index)
    return typeof value === 'bigint' ? toInteger(value) : value
  }
}

/** The captured payload; a text argument stands for its own bytes. */
function payload(event: SyscallEvent): Value {
  const index = dataPositions[event.type] ?? -1
  return index < 0 ? undefined : nativeArgument(event, index)
}
const dataPositions = argumentPositions('data')!

/** Path arguments of the *at() calls: the only one, or source and target. */
const atPaths: readonly (readonly number[])[] = eventTypes.map(({ params }) =>
  params.flatMap(({ type }, index) => (type === 'FSRELPATH' ? [index] : [])),
)

function bindAbsolutePath(arg: string | undefined): Extractor<SyscallEvent> | undefined {
  if (arg !== undefined && arg !== 'src' && arg !== 'dst') return undefined
  return (event) => {
    const paths = atPaths[event.type]
    const index = arg === 'dst' && paths?.length === 2 ? paths[1] : paths?.[0]
    const path = index === undefined ? undefined : nativeArgument(event, index)
    return typeof path === 'string' ? absoluteArgument(event, path, index!) : undefined
  }
}

/** Falco's numbers of the flags of open that say what may be done with the file. */
const Open = { read: 1, write: 2, create: 4, tmpfile: 8192, created: 16384 } as const
const executable = 0o111

/** Where the open calls have their flags and mode. */
const openArguments = byEventType<readonly [flags: number, mode: number] | undefined>(
  { open: [2, 3], openat: [3, 4], openat2: [3, 4], open_by_handle_at: [2, -1], creat: [-1, 2] },
  undefined,
)

function openFlags(event: SyscallEvent): number {
  const at = openArguments[event.type]
  return at === undefined || at[0] < 0 ? 0 : Number(nativeArgument(event, at[0]) ?? 0)
}

function isOpenExec(event: SyscallEvent): boolean {
  const at = openArguments[event.type]
  if (at === undefined || at[1] < 0) return false
  const creates = at[0] < 0 || (openFlags(event) & (Open.create | Open.tmpfile)) !== 0
  return creates && (Number(nativeArgument(event, at[1]) ?? 0) & executable) !== 0
}

function isOpenCreate(event: SyscallEvent): boolean {
  const flags = openFlags(event)
  if ((flags & Open.created) !== 0) return true
  return (flags & Open.tmpfile) !== 0 && (event.result ?? -1) >= 0
}

const constants: Binders = Object.fromEntries(
  [...constantFields].map(([name, value]) => [name, plain(() => value)]),
)
const times: Binders = Object.fromEntries(
  [...timeFields].map(([name, show]) => [name, plain((event) => show(event.time))]),
)

/** The event itself: type, time, arguments and result. */
export const evtFields: Binders = {
  ...constants,
  ...times,
  // Numbers begin at 1: rules use `evt.num=0` for "never".
  'evt.num': plain(({ seq }) => (seq > 0 ? seq : 1)),
  'evt.type': plain(({ type }) => names[type]),
  'evt.type.is': (arg) => {
    const wanted = /^\d+$/.test(arg ?? '') ? Number(arg) : names.indexOf(arg ?? '')
    return ({ type }) => (type === wanted ? 1 : 0)
  },
  'syscall.type': plain(({ type }) => systemCalls[type]),
  'evt.cpu': plain(({ cpu }) => cpu),
  'evt.args': plain(allArgumentsText),
  'evt.info': plain(allArgumentsText),
  'evt.arg': bindArgument,
  'evt.rawarg': bindRawArgument,
  'evt.abspath': bindAbsolutePath,
  'evt.buffer': plain(payload),
  'evt.res': plain(resultText),
  'evt.rawres': plain(({ result }) => result),
  'evt.failed': plain(({ result }) => (result === undefined ? undefined : result < 0)),
  'evt.is_open_read': plain((event) => (openFlags(event) & Open.read) !== 0),
  'evt.is_open_write': plain((event) => (openFlags(event) & Open.write) !== 0),
  'evt.is_open_exec': plain(isOpenExec),
  'evt.is_open_create': plain(isOpenCreate),
}
