import { type ArgValue, decodeBytes, eventTypeId, eventTypes } from '#events'
import { EVENT, Item } from './layout.ts'
import type { RingEvent } from './ring-event.ts'

const EXECVE = eventTypeId('execve')

/** Parameters of execve that a successful exec carries, from the new image. */
const readers: Readonly<Record<string, (event: RingEvent) => ArgValue>> = {
  res: () => 0,
  exe: ({ process }) => process.exe,
  args: ({ process }) => process.args.join(' '),
  tid: ({ record }) => record.u32(EVENT.tid),
  pid: ({ process }) => process.pid,
  ptid: ({ process }) => process.ppid,
  comm: ({ process }) => process.comm,
  cgroups: ({ process }) => process.cgroups.join(' '),
  env: ({ process }) => process.env.join(' '),
  tty: ({ process }) => process.tty,
  vpgid: ({ process }) => process.vpgid,
  pgid: ({ process }) => process.pgid,
  loginuid: ({ process }) => process.loginUid,
  flags: ({ process }) => process.exeFlags & 15,
  cap_inheritable: ({ process }) => process.capInheritable,
  cap_permitted: ({ capPermitted }) => capPermitted,
  cap_effective: ({ capEffective }) => capEffective,
  exe_ino: ({ process }) => process.exeInode,
  exe_ino_ctime: ({ process }) => process.exeCtime,
  exe_ino_mtime: ({ process }) => process.exeMtime,
  uid: ({ euid }) => euid,
  gid: ({ egid }) => egid,
  cwd: ({ process }) => process.cwd,
  trusted_exepath: ({ process }) => process.exePath,
  filename: ({ record }) => {
    const bytes = record.bytes(Item.arg0)
    return bytes === undefined ? undefined : decodeBytes(bytes)
  },
}

const { params } = eventTypes[EXECVE]!
const byIndex = params.map(({ name }) => readers[name])

/** Argument `index` of a successful exec. */
export function execArgument(event: RingEvent, index: number): ArgValue {
  return byIndex[index]?.(event)
}

/** Argument `index` of an exec that failed: the caller goes on, only the name is the call's own. */
export function failedExecArgument(event: RingEvent, index: number): ArgValue {
  const name = eventTypes[event.type]?.params[index]?.name
  if (name === 'res') return event.result
  if (name === 'filename') return event.textArgument(0) ?? event.textArgument(1)
  return undefined
}
