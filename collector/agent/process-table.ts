import type { Container, Process } from '#events'
import {
  factsOfExec,
  type ImageFacts,
  type ProcessChange,
  ProcessImage,
  type ProcessNode,
  unknownFacts,
} from './process-image.ts'
import type { ExecRecord, ExitRecord, ForkRecord } from './process-records.ts'

export interface ProcessTableOptions {
  /** Processes kept at most. */
  readonly limit?: number
  /** Nanoseconds for which an exited process is kept: events of it may still be on their way. */
  readonly grace?: bigint
  /** The container of a process that ran an exec or was found running. */
  readonly containerOf?: (record: ExecRecord) => Container | undefined
}

export interface ProcessTableCounters {
  /** Processes thrown out because there were too many. */
  readonly evicted: number
  /** Processes of which an event came before anything else: their facts are not known. */
  readonly unknown: number
}

/**
 * Exited processes kept at most: a machine that starts thousands a second would fill the memory with
 * them within the grace.
 */
const mostExited = 1024
/** How many of the oldest are looked at for one without children when one must go. */
const evictionWindow = 64

/**
 * The processes of this machine, from the records of their lives. Times are nanoseconds since boot;
 * those of the processes it gives out are since the epoch.
 */
export class ProcessTable {
  /** Wall-clock time of boot, nanoseconds; for processes that are new from now on. */
  epoch = 0n
  readonly #nodes = new Map<number, ProcessNode>()
  /** Exited, the longest ago first; those before `#nextExpired` are gone already. */
  #exited: (ProcessNode | undefined)[] = []
  #nextExpired = 0
  /** Found running before their parents were, by the pid they wait for. */
  readonly #orphans = new Map<number, { child: ProcessNode; parentStart: bigint }[]>()
  #snapshotting = true
  #evicted = 0
  #unknown = 0
  readonly #limit: number
  readonly #grace: bigint
  readonly #containerOf: (record: ExecRecord) => Container | undefined

  constructor(options: ProcessTableOptions = {}) {
    this.#limit = options.limit ?? 32_768
    this.#grace = options.grace ?? 2_000_000_000n
    this.#containerOf = options.containerOf ?? (() => undefined)
  }

  get size(): number {
    return this.#nodes.size
  }

  get counters(): ProcessTableCounters {
    return { evicted: this.#evicted, unknown: this.#unknown }
  }

  /** The process as it is now, `undefined` when it is not known. */
  find(pid: number, start: bigint): Process | undefined {
    return this.#node(pid, start)?.image
  }

  /** The process as it is now; when it is not known, one without facts that is kept from now on. */
  findOrAdd(pid: number, start: bigint): Process {
    const known = this.#node(pid, start)
    if (known !== undefined) return known.image
    this.#unknown += 1
    return this.#add(pid, start, 0, (node) => new ProcessImage(node, unknownFacts)).image
  }

  /** Ids of the processes of a pod that live, as far as they are known. */
  pidsOf(podUid: string): number[] {
    return [...this.#nodes.values()].flatMap(({ pid, image, exitedAt }) =>
      exitedAt === undefined && image.container?.podUid === podUid ? [pid] : [],
    )
  }

  /** A successful exec: the process with its new program. */
  exec(record: ExecRecord): Process {
    const node =
      this.#node(record.pid, record.start) ?? this.#add(record.pid, record.start, record.ppid)
    const facts = factsOfExec(record, this.epoch, this.#containerOf(record))
    node.image = new ProcessImage(node, facts)
    if (node.parent === undefined || node.ppid !== record.ppid) this.#attach(node, record)
    return node.image
  }

  /** A process that ran before the sensor did. */
  snapshot(record: ExecRecord): Process {
    return this.exec(record)
  }

  /** Says that all processes that ran before were reported: parents not seen will not come. */
  snapshotComplete(): void {
    this.#snapshotting = false
    this.#orphans.clear()
  }

  /** A new process: a copy of its parent until it runs an exec. */
  fork(record: ForkRecord): Process {
    const parent = this.#nodes.get(record.parentPid)
    const makeImage = (node: ProcessNode) => forkImage(node, record, parent?.image ?? unknownFacts)
    // A backlog can tell of a process that a snapshot behind it has shown already.
    const known = this.#node(record.pid, record.start)
    if (known !== undefined) known.image = makeImage(known)
    const node = known ?? this.#add(record.pid, record.start, record.parentPid, makeImage)
    if (parent === undefined) this.#unknown += 1
    else link(node, parent)
    return node.image
  }

  /** What a system call changed of a process. Events from before see it, too. */
  change(pid: number, start: bigint, change: ProcessChange): void {
    this.#node(pid, start)?.image.change(change)
  }

  /**
   * The end of a process. It can be found for a while longer; its children get their new parent.
   * `time` is that of the event, nanoseconds since boot.
   */
  exit(record: ExitRecord, time: bigint): void {
    const node = this.#node(record.pid, record.start)
    if (node !== undefined && node.exitedAt === undefined) {
      node.exitedAt = time
      this.#exited.push(node)
      this.#reparent(node, record.reaper)
    }
    this.expire(time)
  }

  /** Forgets the processes whose time has passed. */
  expire(now: bigint): void {
    while (this.#nextExpired < this.#exited.length) {
      const node = this.#exited[this.#nextExpired]!
      const tooMany = this.#exited.length - this.#nextExpired > mostExited
      if (!tooMany && node.exitedAt! + this.#grace > now) break
      this.#exited[this.#nextExpired++] = undefined
      this.#remove(node)
    }
    if (this.#nextExpired > 256 && this.#nextExpired * 2 > this.#exited.length) {
      this.#exited = this.#exited.slice(this.#nextExpired)
      this.#nextExpired = 0
    }
  }

  #node(pid: number, start: bigint): ProcessNode | undefined {
    let node = this.#nodes.get(pid)
    while (node !== undefined && node.start !== start) node = node.previous
    return node
  }

  #add(
    pid: number,
    start: bigint,
    ppid: number,
    makeImage: (node: ProcessNode) => ProcessImage = (node) => new ProcessImage(node, unknownFacts),
  ): ProcessNode {
    const before = this.#nodes.get(pid)
    if (before === undefined) this.#makeRoom()
    else if (before.exitedAt === undefined) this.#lostExit(before)
    const node = {
      pid,
      start,
      startTime: start + this.epoch,
      ppid,
      parent: undefined,
      children: undefined,
      exitedAt: undefined,
      previous: before,
    } as Partial<ProcessNode> as ProcessNode
    node.image = makeImage(node)
    this.#nodes.set(pid, node)
    this.#adoptOrphans(node)
    return node
  }

  /** Its pid is in use again, so it ended, though nobody said so. */
  #lostExit(node: ProcessNode): void {
    node.exitedAt = node.start
    this.#reparent(node, 0)
    unlink(node)
    node.previous = undefined
  }

  #attach(node: ProcessNode, { ppid, parentStart }: ExecRecord): void {
    node.ppid = ppid
    const parent = this.#node(ppid, parentStart)
    if (parent !== undefined) {
      link(node, parent)
    } else if (this.#snapshotting && ppid !== 0) {
      const waiting = this.#orphans.get(ppid)
      if (waiting === undefined) this.#orphans.set(ppid, [{ child: node, parentStart }])
      else waiting.push({ child: node, parentStart })
    }
  }

  #adoptOrphans(parent: ProcessNode): void {
    const waiting = this.#orphans.get(parent.pid)
    if (waiting === undefined) return
    this.#orphans.delete(parent.pid)
    for (const { child, parentStart } of waiting) {
      if (parentStart === parent.start && child.parent === undefined) link(child, parent)
    }
  }

  /** Without a known reaper the children keep the parent they had, which lives on through them. */
  #reparent(node: ProcessNode, reaperPid: number): void {
    if (node.children === undefined) return
    const reaper = this.#nodes.get(reaperPid)
    for (const child of [...node.children]) {
      if (reaperPid !== 0) child.ppid = reaperPid
      if (reaper !== undefined) link(child, reaper)
    }
  }

  #remove(node: ProcessNode): void {
    unlink(node)
    const current = this.#nodes.get(node.pid)
    if (current === node) {
      this.#nodes.delete(node.pid)
    } else {
      let later = current
      while (later !== undefined && later.previous !== node) later = later.previous
      if (later !== undefined) later.previous = node.previous
    }
    node.previous = undefined
  }

  #makeRoom(): void {
    if (this.#nodes.size < this.#limit) return
    this.#evicted += 1
    while (this.#nextExpired < this.#exited.length) {
      const node = this.#exited[this.#nextExpired]!
      this.#exited[this.#nextExpired++] = undefined
      if (this.#nodes.get(node.pid) !== node) continue
      this.#remove(node)
      return
    }
    let looked = 0
    let first: ProcessNode | undefined
    for (const node of this.#nodes.values()) {
      first ??= node
      if (node.children === undefined || node.children.size === 0) {
        first = node
        break
      }
      looked += 1
      if (looked === evictionWindow) break
    }
    if (first !== undefined) this.#remove(first)
  }
}

/** Puts `child` below `parent`, unless records in disorder would make it its own ancestor. */
function link(child: ProcessNode, parent: ProcessNode): void {
  if (child === parent || isAbove(child, parent)) return
  unlink(child)
  child.parent = parent
  child.ppid = parent.pid
  parent.children ??= new Set()
  parent.children.add(child)
}

function unlink(child: ProcessNode): void {
  child.parent?.children?.delete(child)
}

/** Whether `node` is an ancestor of `other`; a new process is nobody's, and is not looked for. */
function isAbove(node: ProcessNode, other: ProcessNode): boolean {
  if (node.children === undefined) return false
  for (let at = other.parent; at !== undefined; at = at.parent) if (at === node) return true
  return false
}

/** A copy of the parent's image, with what is the child's own. */
function forkImage(node: ProcessNode, record: ForkRecord, from: ImageFacts): ProcessImage {
  const sameNamespace = record.pidNamespace === from.namespaces.pid
  return new ProcessImage(node, {
    ...from,
    comm: record.comm === '' ? from.comm : record.comm,
    vpid: record.vpid,
    sid: record.sid,
    pgid: record.pgid,
    vpgid: record.vpgid,
    namespaces: sameNamespace ? from.namespaces : { ...from.namespaces, pid: record.pidNamespace },
    pidNamespaceStart: sameNamespace ? from.pidNamespaceStart : node.startTime,
  })
}
