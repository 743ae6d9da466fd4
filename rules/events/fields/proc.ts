import { ExeFlag, type Process, type Stream, type SyscallEvent } from '../event.ts'
import { toInteger } from '../integer.ts'
import type { Value } from '../value.ts'
import { type Binder, type Binders, plain } from './binder.ts'
import { kindWord } from './fd-kind.ts'
import { argsText, commandLineText, envText, envValue, exeLineText } from './process-text.ts'

type Read = (process: Process) => Value

function self(read: Read): Binder {
  return plain(({ process }) => read(process))
}

function ofParent(read: Read): Binder {
  return plain(({ process }) => (process.parent === undefined ? undefined : read(process.parent)))
}

function flag(bit: number): Binder {
  return self(({ exeFlags }) => (exeFlags & bit) !== 0)
}

/** A duration or a time, which 0 says is not known. */
function known(time: bigint): Value {
  return time === 0n ? undefined : toInteger(time)
}

function since(event: SyscallEvent, start: bigint | undefined): Value {
  return start === undefined || start === 0n ? undefined : toInteger(event.time - start)
}

/** `proc.args` is all of them as one text, `proc.args[N]` one of them or "". */
function bindArgs(arg: string | undefined) {
  if (arg === undefined) {
    const text = argsText()
    return ({ process }: SyscallEvent) => text(process)
  }
  if (!/^\d+$/.test(arg)) return undefined
  const index = Number(arg)
  return ({ process }: SyscallEvent) => process.args[index] ?? ''
}

/** `proc.env[NAME]` is "" when there is no such variable; digits mean all, as in Falco. */
function bindEnv(arg: string | undefined) {
  if (arg === undefined || /^\d+$/.test(arg)) {
    const text = envText()
    return ({ process }: SyscallEvent) => text(process)
  }
  return ({ process }: SyscallEvent) => envValue(process, arg)
}

function streamType(stream: Stream | undefined): string | undefined {
  return stream === undefined ? undefined : kindWord(stream.kind)
}

/** The process itself. Its standard streams are those it was started with. */
export const procFields: Binders = {
  'proc.name': self(({ comm }) => comm),
  'proc.exe': self(({ exe }) => exe),
  'proc.exepath': self(({ exePath }) => exePath),
  'proc.args': bindArgs,
  'proc.env': bindEnv,
  'proc.cmdline': () => {
    const text = commandLineText()
    return ({ process }) => text(process)
  },
  'proc.exeline': () => {
    const text = exeLineText()
    return ({ process }) => text(process)
  },
  'proc.cmdnargs': self(({ args }) => args.length),
  'proc.cmdlenargs': self(({ args }) => args.reduce((sum, arg) => sum + arg.length, 0)),
  'proc.cwd': self(({ cwd }) => (cwd === '' || cwd.endsWith('/') ? cwd : `${cwd}/`)),
  'proc.tty': self(({ tty }) => tty),
  'proc.pid': self(({ pid }) => pid),
  'proc.ppid': self(({ ppid }) => ppid),
  'proc.vpid': self(({ vpid }) => (vpid === -1 ? undefined : vpid)),
  'proc.sid': self(({ sid }) => sid),
  'proc.pgid': self(({ pgid }) => pgid),
  'proc.vpgid': self(({ vpgid }) => vpgid),
  // Session and group ids are of the initial namespace here, so that the leader is the process whose
  // pid they are; Falco compares with the virtual pid, the same thing outside of containers.
  'proc.is_sid_leader': self(({ sid, pid }) => sid === pid),
  'proc.is_vpgid_leader': self(({ vpgid, vpid }) => vpgid === vpid),
  'proc.is_pgid_leader': self(({ pgid, pid }) => pgid === pid),
  'proc.duration': plain((event) => since(event, event.process.start)),
  'proc.pid.ts': self(({ start }) => known(start)),
  'proc.pname': ofParent(({ comm }) => comm),
  'proc.pexe': ofParent(({ exe }) => exe),
  'proc.pexepath': ofParent(({ exePath }) => exePath),
  'proc.pvpid': ofParent(({ vpid }) => vpid),
  'proc.pcmdline': () => {
    const text = commandLineText()
    return ({ process: { parent } }) => (parent === undefined ? undefined : text(parent))
  },
  'proc.ppid.duration': plain((event) => since(event, event.process.parent?.start)),
  'proc.ppid.ts': ofParent(({ start }) => known(start)),
  'proc.is_exe_writable': flag(ExeFlag.writable),
  'proc.is_exe_upper_layer': flag(ExeFlag.upperLayer),
  'proc.is_exe_lower_layer': flag(ExeFlag.lowerLayer),
  'proc.is_exe_from_memfd': flag(ExeFlag.memfd),
  'proc.exe_ino': self(({ exeInode }) => (exeInode === 0 ? undefined : exeInode)),
  'proc.exe_ino.ctime': self(({ exeCtime }) => known(exeCtime)),
  'proc.exe_ino.mtime': self(({ exeMtime }) => known(exeMtime)),
  'proc.exe_ino.ctime_duration_proc_start': self(({ exeCtime, start }) =>
    exeCtime !== 0n && start > exeCtime ? toInteger(start - exeCtime) : undefined,
  ),
  'proc.exe_ino.ctime_duration_pidns_start': self(({ exeCtime, pidNamespaceStart }) =>
    pidNamespaceStart !== 0n && exeCtime > pidNamespaceStart
      ? toInteger(exeCtime - pidNamespaceStart)
      : undefined,
  ),
  ...Object.fromEntries(
    ['stdin', 'stdout', 'stderr'].flatMap((name, place) => [
      [`proc.${name}.type`, self(({ streams }) => streamType(streams[place]))],
      [`proc.${name}.name`, self(({ streams }) => streams[place]?.name)],
    ]),
  ),
  'proc.pidns_init_start_ts': self(({ pidNamespaceStart }) => known(pidNamespaceStart)),
}
