import type { Container, Namespaces, Process } from '#events'
import type { ExecRecord } from './process-records.ts'

/** A place in the process tree. It lasts for the life of a process, over all its execs. */
export interface ProcessNode {
  readonly pid: number
  /** Since boot; with the pid unique until the next boot. */
  readonly start: bigint
  /** Wall-clock time of the start, nanoseconds since the epoch. */
  readonly startTime: bigint
  ppid: number
  parent: ProcessNode | undefined
  children: Set<ProcessNode> | undefined
  image: ProcessImage
  /** When it exited, by the clock of the events; `undefined` while it lives. */
  exitedAt: bigint | undefined
  /** The process that had the same pid before, while it is still remembered. */
  previous: ProcessNode | undefined
}

/** What a system call changes without a new program. */
export interface ProcessChange {
  readonly cwd?: string
  readonly uid?: number
  readonly gid?: number
  readonly loginUid?: number
  readonly sid?: number
  readonly pgid?: number
  readonly vpgid?: number
  readonly capInheritable?: bigint
  readonly capEffective?: bigint
  readonly capPermitted?: bigint
  readonly cgroups?: readonly string[]
  readonly container?: Container | undefined
}

/**
 * A process with one program: an exec makes a new image, so that events from before keep the old one.
 * The parent is that of the process now, with the program it runs now, as in Falco.
 */
export class ProcessImage implements Process {
  readonly #node: ProcessNode
  readonly comm: string
  readonly exe: string
  readonly exePath: string
  readonly args: readonly string[]
  readonly env: readonly string[]
  cwd: string
  readonly vpid: number
  sid: number
  pgid: number
  vpgid: number
  readonly tty: number
  uid: number
  gid: number
  loginUid: number
  capInheritable: bigint
  capEffective: bigint
  capPermitted: bigint
  readonly exeInode: number
  readonly exeCtime: bigint
  readonly exeMtime: bigint
  readonly exeFlags: number
  readonly script: string
  cgroups: readonly string[]
  readonly pidNamespaceStart: bigint
  readonly namespaces: Namespaces
  container: Container | undefined
  readonly streams: Process['streams']

  constructor(node: ProcessNode, facts: ImageFacts) {
    this.#node = node
    this.comm = facts.comm
    this.exe = facts.exe
    this.exePath = facts.exePath
    this.args = facts.args
    this.env = facts.env
    this.cwd = facts.cwd
    this.vpid = facts.vpid
    this.sid = facts.sid
    this.pgid = facts.pgid
    this.vpgid = facts.vpgid
    this.tty = facts.tty
    this.uid = facts.uid
    this.gid = facts.gid
    this.loginUid = facts.loginUid
    this.capInheritable = facts.capInheritable
    this.capEffective = facts.capEffective
    this.capPermitted = facts.capPermitted
    this.exeInode = facts.exeInode
    this.exeCtime = facts.exeCtime
    this.exeMtime = facts.exeMtime
    this.exeFlags = facts.exeFlags
    this.script = facts.script
    this.cgroups = facts.cgroups
    this.pidNamespaceStart = facts.pidNamespaceStart
    this.namespaces = facts.namespaces
    this.container = facts.container
    this.streams = facts.streams
  }

  get pid(): number {
    return this.#node.pid
  }

  get ppid(): number {
    return this.#node.ppid
  }

  get start(): bigint {
    return this.#node.startTime
  }

  get parent(): Process | undefined {
    return this.#node.parent?.image
  }

  change(change: ProcessChange): void {
    Object.assign(this, change)
  }
}

/** What an image is made of. */
export type ImageFacts = Omit<Process, 'pid' | 'ppid' | 'parent' | 'start'>

/** The facts of an exec or of a process found running. */
export function factsOfExec(
  record: ExecRecord,
  epoch: bigint,
  container: Container | undefined,
): ImageFacts {
  const [exe = '', ...args] = record.argv
  return {
    comm: record.comm,
    exe,
    exePath: record.exePath,
    args,
    env: record.env,
    cwd: record.cwd,
    vpid: record.vpid,
    sid: record.sid,
    pgid: record.pgid,
    vpgid: record.vpgid,
    tty: record.tty,
    uid: record.uid,
    gid: record.gid,
    loginUid: record.loginUid,
    capInheritable: record.capInheritable,
    capEffective: record.capEffective,
    capPermitted: record.capPermitted,
    exeInode: record.exeInode,
    exeCtime: record.exeCtime,
    exeMtime: record.exeMtime,
    exeFlags: record.exeFlags,
    script: record.script,
    cgroups: record.cgroups,
    pidNamespaceStart: record.pidNamespaceStart === 0n ? 0n : record.pidNamespaceStart + epoch,
    namespaces: record.namespaces,
    container,
    streams: record.streams,
  }
}

const nowhere: Namespaces = { mnt: 0, pid: 0, net: 0, user: 0 }

/** A process of which nothing but its existence is known. */
export const unknownFacts: ImageFacts = {
  comm: '',
  exe: '',
  exePath: '',
  args: [],
  env: [],
  cwd: '',
  vpid: -1,
  sid: 0,
  pgid: 0,
  vpgid: 0,
  tty: 0,
  uid: 0,
  gid: 0,
  loginUid: 0xffff_ffff,
  capInheritable: 0n,
  capEffective: 0n,
  capPermitted: 0n,
  exeInode: 0,
  exeCtime: 0n,
  exeMtime: 0n,
  exeFlags: 0,
  script: '',
  cgroups: [],
  pidNamespaceStart: 0n,
  namespaces: nowhere,
  container: undefined,
  streams: [],
}
