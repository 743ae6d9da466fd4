import type { Process, SyscallEvent } from '../event.ts'
import type { Extractor, Scalar } from '../value.ts'
import { type Binder, type Binders, plain } from './binder.ts'
import { argsText, commandLineText, envText, envValue } from './process-text.ts'

/** Parents link in a chain that ends; the limit only guards against one that does not. */
const deepest = 256

/** The ancestors, the parent first. */
function ancestorsOf(process: Process): Process[] {
  const ancestors: Process[] = []
  let ancestor = process.parent
  while (ancestor !== undefined && ancestors.length < deepest) {
    ancestors.push(ancestor)
    ancestor = ancestor.parent
  }
  return ancestors
}

function atLevel(process: Process, level: number): Process | undefined {
  let ancestor: Process | undefined = process
  for (let above = 0; above < level && ancestor !== undefined; above++) ancestor = ancestor.parent
  return ancestor
}

/** `field[N]` is of ancestor N, 0 being the process itself; `field` is the list of all ancestors. */
function ancestral(make: () => (process: Process) => Scalar): Binder {
  return (arg) => {
    const read = make()
    if (arg === undefined) return listed(read)
    return /^\d+$/.test(arg) ? levelled(read, Number(arg)) : undefined
  }
}

function listed(read: (process: Process) => Scalar): Extractor<SyscallEvent> {
  return ({ process }) =>
    process.parent === undefined ? undefined : ancestorsOf(process).map(read)
}

function levelled(read: (process: Process) => Scalar, level: number): Extractor<SyscallEvent> {
  return ({ process }) => {
    const ancestor = atLevel(process, level)
    return ancestor === undefined ? undefined : read(ancestor)
  }
}

/** Falco looks no further up for a variable. */
const environmentLevels = 20

/** `proc.aenv[NAME]` is the first ancestor's that has the variable. */
function bindAncestorEnv(arg: string | undefined): Extractor<SyscallEvent> {
  if (arg === undefined) return listed(envText())
  if (/^\d+$/.test(arg)) return levelled(envText(), Number(arg))
  return ({ process }) => {
    let ancestor = process.parent
    for (let level = 0; level < environmentLevels && ancestor !== undefined; level++) {
      const value = envValue(ancestor, arg)
      if (value !== '') return value
      ancestor = ancestor.parent
    }
    return ''
  }
}

/** Without an index this is one text, not a list: so it is in Falco. */
function bindAncestorArgs(arg: string | undefined): Extractor<SyscallEvent> | undefined {
  const text = argsText()
  if (arg === undefined) return ({ process }) => ancestorsOf(process).map(text).join(' ')
  return /^\d+$/.test(arg) ? levelled(text, Number(arg)) : undefined
}

/**
 * The leader of a session or process group: the ancestor (or the process itself) whose pid is the id,
 * else the oldest one that is still in it, as in Falco. `undefined` when the id is not known.
 */
function leaderOf(
  process: Process,
  idOf: (process: Process) => number,
  pidOf: (process: Process) => number,
): Process | undefined {
  const id = idOf(process)
  if (id <= 0) return undefined
  let leader = process
  for (const member of [process, ...ancestorsOf(process)]) {
    if (idOf(member) !== id) break
    leader = member
    if (pidOf(member) === id) break
  }
  return leader
}

function ofLeader(
  read: (process: Process) => string,
  idOf: (process: Process) => number,
  pidOf: (process: Process) => number = ({ pid }) => pid,
): Binder {
  return plain(({ process }) => {
    const leader = leaderOf(process, idOf, pidOf)
    return leader === undefined ? '' : read(leader)
  })
}

const comm = (process: Process) => process.comm
const exe = (process: Process) => process.exe
const exePath = (process: Process) => process.exePath
const sid = (process: Process) => process.sid
const pgid = (process: Process) => process.pgid
const vpgid = (process: Process) => process.vpgid
const vpid = (process: Process) => process.vpid

/** The oldest process of the line whose name ends in "sh". */
function loginShell({ process }: SyscallEvent): number | undefined {
  return [process, ...ancestorsOf(process)].findLast((member) => member.comm.endsWith('sh'))?.pid
}

/** Ancestors, session and group leaders. */
export const procAncestorFields: Binders = {
  'proc.aname': ancestral(() => comm),
  'proc.aexe': ancestral(() => exe),
  'proc.aexepath': ancestral(() => exePath),
  'proc.acmdline': ancestral(commandLineText),
  'proc.apid': ancestral(
    () =>
      ({ pid }) =>
        pid,
  ),
  'proc.aargs': bindAncestorArgs,
  'proc.aenv': bindAncestorEnv,
  'proc.sname': ofLeader(comm, sid),
  'proc.sid.exe': ofLeader(exe, sid),
  'proc.sid.exepath': ofLeader(exePath, sid),
  'proc.pgid.name': ofLeader(comm, pgid),
  'proc.pgid.exe': ofLeader(exe, pgid),
  'proc.pgid.exepath': ofLeader(exePath, pgid),
  'proc.vpgid.name': ofLeader(comm, vpgid, vpid),
  'proc.vpgid.exe': ofLeader(exe, vpgid, vpid),
  'proc.vpgid.exepath': ofLeader(exePath, vpgid, vpid),
  'proc.loginshellid': plain(loginShell),
}
