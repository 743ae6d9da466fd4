import { decodeBytes, type Namespaces, type Process } from '#events'
import { EVENT, EXIT, FORK, Item, PROCESS } from './layout.ts'
import type { RecordReader } from './record-reader.ts'
import { readStreams, userDevice } from './ring-file.ts'

/** A process as an exec or the start-up snapshot shows it. Times are since boot, nanoseconds. */
export interface ExecRecord {
  readonly pid: number
  readonly tid: number
  readonly ppid: number
  readonly parentStart: bigint
  readonly vpid: number
  readonly vtid: number
  readonly start: bigint
  readonly sid: number
  readonly pgid: number
  readonly vpgid: number
  readonly tty: number
  readonly uid: number
  readonly gid: number
  readonly euid: number
  readonly egid: number
  readonly loginUid: number
  readonly capInheritable: bigint
  readonly capPermitted: bigint
  readonly capEffective: bigint
  readonly capBounding: bigint
  /** 0 off, 1 strict, 2 filter. */
  readonly seccompMode: number
  readonly comm: string
  readonly exePath: string
  readonly argv: readonly string[]
  /** Only the variables that {@link EnvironmentFilter} lets through. */
  readonly env: readonly string[]
  readonly cwd: string
  readonly cgroups: readonly string[]
  readonly exeInode: number
  readonly exeDev: number
  readonly exeCtime: bigint
  readonly exeMtime: bigint
  /** Bits of `ExeFlag`. */
  readonly exeFlags: number
  readonly script: string
  readonly namespaces: Namespaces
  readonly pidNamespaceStart: bigint
  /** Standard input, output and error. */
  readonly streams: Process['streams']
}

export interface ForkRecord {
  readonly pid: number
  readonly tid: number
  readonly parentPid: number
  readonly parentTid: number
  readonly start: bigint
  readonly vpid: number
  readonly sid: number
  readonly pgid: number
  readonly vpgid: number
  readonly pidNamespace: number
  readonly comm: string
}

export interface ExitRecord {
  readonly pid: number
  readonly start: bigint
  /** As wait(2) gives it. */
  readonly status: number
  /** Who gets the children. */
  readonly reaper: number
}

/** Names of environment variables that rules ask for; `'all'` when a rule reads the whole. */
export type EnvironmentFilter = ReadonlySet<string> | 'all'

const FILE_FLAGS = 15
const WRITABLE = 1
const CAP_DAC_OVERRIDE = 1n << 1n

/** Strings of a block in which each ends with a zero (argv, environment). */
function strings(record: RecordReader, kind: number): string[] {
  const bytes = record.bytes(kind)
  if (bytes === undefined || bytes.length === 0) return []
  const parts = decodeBytes(bytes).split('\0')
  if (parts.at(-1) === '') parts.pop()
  return parts
}

function environment(record: RecordReader, wanted: EnvironmentFilter): string[] {
  if (wanted !== 'all' && wanted.size === 0) return []
  const all = strings(record, Item.env)
  if (wanted === 'all') return all
  return all.filter((entry) => wanted.has(entry.slice(0, entry.indexOf('='))))
}

/** Whether the process may write to its own program, by owner, mode and CAP_DAC_OVERRIDE. */
function isWritable(record: RecordReader): boolean {
  const mode = record.u32(PROCESS.exe_mode)
  if ((record.big(EVENT.cap_effective) & CAP_DAC_OVERRIDE) !== 0n) return true
  if (record.u32(PROCESS.exe_uid) === record.u32(EVENT.euid)) return (mode & 0o200) !== 0
  if (record.u32(PROCESS.exe_gid) === record.u32(EVENT.egid)) return (mode & 0o020) !== 0
  return (mode & 0o002) !== 0
}

let lastNamespaces: Namespaces = { mnt: 0, pid: 0, net: 0, user: 0 }

/** One object for processes in a row that live in the same ones. */
function namespacesOf(record: RecordReader): Namespaces {
  const mnt = record.u32(PROCESS.mnt_namespace)
  const pid = record.u32(PROCESS.pid_namespace)
  const net = record.u32(PROCESS.net_namespace)
  const user = record.u32(PROCESS.user_namespace)
  const last = lastNamespaces
  if (last.mnt !== mnt || last.pid !== pid || last.net !== net || last.user !== user) {
    lastNamespaces = { mnt, pid, net, user }
  }
  return lastNamespaces
}

/** Reads an exec or snapshot record; everything in the result may be kept. */
export function readExec(record: RecordReader, wanted: EnvironmentFilter): ExecRecord {
  const flags = record.u32(PROCESS.exe_flags)
  const treeless = (flags & 16) !== 0
  return {
    pid: record.u32(EVENT.pid),
    tid: record.u32(EVENT.tid),
    ppid: record.u32(PROCESS.ppid),
    parentStart: record.big(PROCESS.parent_start),
    vpid: record.u32(PROCESS.vpid),
    vtid: record.u32(PROCESS.vtid),
    start: record.big(EVENT.start),
    sid: record.u32(PROCESS.sid),
    pgid: record.u32(PROCESS.pgid),
    vpgid: record.u32(PROCESS.vpgid),
    tty: record.u32(PROCESS.tty),
    uid: record.u32(PROCESS.uid),
    gid: record.u32(PROCESS.gid),
    euid: record.u32(EVENT.euid),
    egid: record.u32(EVENT.egid),
    loginUid: record.u32(PROCESS.login_uid),
    capInheritable: record.sharedBig(PROCESS.cap_inheritable),
    capPermitted: record.sharedBig(EVENT.cap_permitted),
    capEffective: record.sharedBig(EVENT.cap_effective),
    capBounding: record.sharedBig(PROCESS.cap_bounding),
    seccompMode: record.u32(PROCESS.seccomp),
    comm: record.text(Item.comm) ?? '',
    exePath: treeless ? record.treelessName(Item.path) : (record.path(Item.path) ?? ''),
    argv: strings(record, Item.args),
    env: environment(record, wanted),
    cwd: record.path(Item.cwd) ?? '',
    cgroups: record.paths(Item.cgroup),
    exeInode: record.u64(PROCESS.exe_inode),
    exeDev: userDevice(record.u32(PROCESS.exe_dev)),
    exeCtime: record.sharedBig(PROCESS.exe_ctime),
    exeMtime: record.sharedBig(PROCESS.exe_mtime),
    exeFlags: (flags & FILE_FLAGS) | (isWritable(record) ? WRITABLE : 0),
    script: record.text(Item.script) ?? '',
    namespaces: namespacesOf(record),
    pidNamespaceStart: record.sharedBig(PROCESS.pid_namespace_start),
    streams: readStreams(record),
  }
}

export function readFork(record: RecordReader): ForkRecord {
  return {
    pid: record.u32(EVENT.pid),
    tid: record.u32(EVENT.pid),
    parentPid: record.u32(FORK.ppid),
    parentTid: record.u32(EVENT.tid),
    start: record.big(EVENT.start),
    vpid: record.u32(FORK.vpid),
    sid: record.u32(FORK.sid),
    pgid: record.u32(FORK.pgid),
    vpgid: record.u32(FORK.vpgid),
    pidNamespace: record.u32(FORK.pid_namespace),
    comm: record.text(Item.comm) ?? '',
  }
}

export function readExit(record: RecordReader): ExitRecord {
  return {
    pid: record.u32(EVENT.pid),
    start: record.big(EVENT.start),
    status: record.u32(EXIT.status),
    reaper: record.u32(EXIT.reaper),
  }
}
