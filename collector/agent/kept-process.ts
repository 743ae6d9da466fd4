import type { Process } from '#events'

/**
 * A process as it was at one moment, with the ancestors it had then. The table's own objects change
 * their parent when that exits or runs another program.
 */
class KeptProcess implements Process {
  readonly pid: number
  readonly ppid: number
  readonly parent: Process | undefined
  readonly start: bigint
  readonly comm: string
  readonly exe: string
  readonly exePath: string
  readonly args: readonly string[]
  readonly env: readonly string[]
  readonly cwd: string
  readonly vpid: number
  readonly sid: number
  readonly pgid: number
  readonly vpgid: number
  readonly tty: number
  readonly uid: number
  readonly gid: number
  readonly loginUid: number
  readonly capInheritable: bigint
  readonly capEffective: bigint
  readonly capPermitted: bigint
  readonly exeInode: number
  readonly exeCtime: bigint
  readonly exeMtime: bigint
  readonly exeFlags: number
  readonly script: string
  readonly cgroups: readonly string[]
  readonly pidNamespaceStart: bigint
  readonly namespaces: Process['namespaces']
  readonly container: Process['container']
  readonly streams: Process['streams']

  constructor(process: Process, parent: Process | undefined) {
    this.pid = process.pid
    this.ppid = process.ppid
    this.parent = parent
    this.start = process.start
    this.comm = process.comm
    this.exe = process.exe
    this.exePath = process.exePath
    this.args = process.args
    this.env = process.env
    this.cwd = process.cwd
    this.vpid = process.vpid
    this.sid = process.sid
    this.pgid = process.pgid
    this.vpgid = process.vpgid
    this.tty = process.tty
    this.uid = process.uid
    this.gid = process.gid
    this.loginUid = process.loginUid
    this.capInheritable = process.capInheritable
    this.capEffective = process.capEffective
    this.capPermitted = process.capPermitted
    this.exeInode = process.exeInode
    this.exeCtime = process.exeCtime
    this.exeMtime = process.exeMtime
    this.exeFlags = process.exeFlags
    this.script = process.script
    this.cgroups = process.cgroups
    this.pidNamespaceStart = process.pidNamespaceStart
    this.namespaces = process.namespaces
    this.container = process.container
    this.streams = process.streams
  }
}

const kept = new WeakMap<Process, KeptProcess>()

/** The process as it is now; the same object again while nothing about it or its ancestors changes. */
export function keepProcess(process: Process): Process {
  if (process instanceof KeptProcess) return process
  const parent = process.parent === undefined ? undefined : keepProcess(process.parent)
  const known = kept.get(process)
  if (known !== undefined && known.parent === parent && known.cwd === process.cwd) return known
  const copy = new KeptProcess(process, parent)
  kept.set(process, copy)
  return copy
}
