import type { ArgValue, SyscallEvent } from '../event.ts'
import { type EventParam, eventTypes } from '../event-types.ts'

type Read = (event: SyscallEvent) => ArgValue

/** Arguments of exec and clone that only repeat what the process table knows. */
const ofProcess: Readonly<Record<string, Read>> = {
  exe: ({ process }) => process.exe,
  args: ({ process }) => lines(process.args),
  tid: ({ tid }) => tid,
  pid: ({ process }) => process.pid,
  ptid: ({ process }) => process.ppid,
  cwd: ({ process }) => process.cwd,
  comm: ({ process }) => process.comm,
  cgroups: ({ process }) => lines(process.cgroups),
  env: ({ process }) => lines(process.env),
  tty: ({ process }) => process.tty,
  vpgid: ({ process }) => process.vpgid,
  vpid: ({ process }) => process.vpid,
  pgid: ({ process }) => process.pgid,
  loginuid: ({ process }) => process.loginUid,
  cap_inheritable: ({ process }) => process.capInheritable,
  cap_permitted: ({ capPermitted }) => capPermitted,
  cap_effective: ({ capEffective }) => capEffective,
  exe_ino: ({ process }) => process.exeInode,
  exe_ino_ctime: ({ process }) => process.exeCtime,
  exe_ino_mtime: ({ process }) => process.exeMtime,
  uid: ({ euid }) => euid,
  gid: ({ egid }) => egid,
  trusted_exepath: ({ process }) => process.exePath,
  pidns_init_start_ts: ({ process }) => process.pidNamespaceStart,
}

/** Lists travel as texts that each end in a NUL byte. */
function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\0`).join('')
}

const opensFile = /^(open|openat|openat2|open_by_handle_at|creat)$/

/**
 * How an argument that an event does not carry follows from the rest of the event. It keeps events
 * small: nothing is carried twice.
 */
function derive(type: string, param: EventParam, index: number): Read | undefined {
  if (/^(execve|execveat|clone|clone3|fork|vfork)$/.test(type)) {
    if (param.name === 'flags' && type.startsWith('execve')) {
      return ({ process }) => process.exeFlags
    }
    if (Object.hasOwn(ofProcess, param.name)) return ofProcess[param.name]
  }
  if (index === 0 && (param.name === 'res' || param.name === 'fd')) return ({ result }) => result
  if (param.name === 'fd') return ({ fd }) => fd?.num
  if (param.name === 'tuple') return ({ fd }) => (fd?.socket === undefined ? undefined : fd.name)
  if (!opensFile.test(type)) return undefined
  if (param.name === 'dev') return ({ fd }) => fd?.dev
  if (param.name === 'ino') return ({ fd }) => fd?.inode
  if (param.name === 'name') return ({ fd }) => fd?.rawName
  if (param.name === 'path') return ({ fd }) => fd?.name
  return undefined
}

const derived: readonly (readonly (Read | undefined)[])[] = eventTypes.map(({ name, params }) =>
  params.map((param, index) => derive(name, param, index)),
)

/** Argument `index` in its native form: as the event carries it, else as the rest of it tells. */
export function nativeArgument(event: SyscallEvent, index: number): ArgValue {
  return event.arg(index) ?? derived[event.type]?.[index]?.(event)
}

/** Whether the rest of an event already tells this value, so that it need not be carried. */
export function isDerivable(event: SyscallEvent, index: number, value: ArgValue): boolean {
  return value === derived[event.type]?.[index]?.(event)
}

const noIndex: readonly number[] = eventTypes.map(() => -1)
const positions = new Map<string, Int16Array>()
for (const [type, { params }] of eventTypes.entries()) {
  for (const [index, { name }] of params.entries()) {
    let row = positions.get(name)
    if (row === undefined) {
      row = Int16Array.from(noIndex)
      positions.set(name, row)
    }
    row[type] = index
  }
}

/** Position of the argument called `name` in each event type, -1 where there is none. */
export function argumentPositions(name: string): Int16Array | undefined {
  return positions.get(name)
}
