/**
 * A system call (or a process life event) with all the context a rule may ask for. The node reads it
 * in place from the ring buffer, the cloud from a batch, both through this one interface, so that a
 * field has the same meaning everywhere.
 *
 * Times are nanoseconds since the epoch, ids are of the initial namespaces unless called virtual.
 */
export interface SyscallEvent {
  /** Index into `eventTypes`. */
  readonly type: number
  /** Given by the kernel, unique within a sensor run; a re-delivered event keeps it. */
  readonly seq: number
  readonly time: bigint
  readonly cpu: number
  readonly tid: number
  /** How many identical events this one stands for. */
  readonly count: number
  /** Bits of `EventFlag`. */
  readonly flags: number
  /** The calling process as it was at the event (for a successful exec: the new image). */
  readonly process: Process
  readonly euid: number
  readonly egid: number
  readonly capEffective: bigint
  readonly capPermitted: bigint
  /** Result of the call: negative errno on failure. `undefined` for events that have none. */
  readonly result: number | undefined
  /** The descriptor the event is about, if any: what was opened, connected, duplicated, … */
  readonly fd: FileDescriptor | undefined
  /**
   * Argument number `index` of `eventTypes[type].params`, native: flags are numbers in Falco's own
   * numbering, paths are as given by the caller, `undefined` where the event does not carry it.
   */
  arg(index: number): ArgValue
  /** Kernel-resolved or textually normalised absolute path of a path argument; see `eventTypes`. */
  absolutePath(index: number): string | undefined
  /** passwd entry in the container's (or the host's) files. */
  user(uid: number): User | undefined
  group(gid: number): Group | undefined
  /** Names that the name table knows for an address; resolved outside the engine. */
  namesOf(ip: string): readonly string[]
}

export type ArgValue = string | number | bigint | Uint8Array | undefined

/** Bits of {@link SyscallEvent.flags}; same values as `EVENT_FLAG_*` in `collector/bpf/event.h`. */
export const EventFlag = {
  /** Submitted through io_uring, not by a system call. */
  ioUring: 1,
  /** A 32-bit (compat) system call. */
  compat: 2,
  /** Some text of the event was cut at its limit. */
  truncated: 4,
  /** The process was known before this run: part of the start-up snapshot. */
  snapshot: 8,
} as const

export interface Process {
  readonly pid: number
  /** 0 when there is none. */
  readonly ppid: number
  readonly parent: Process | undefined
  /** Process start; with the boot id, `(pid, start)` is unique in the fleet. */
  readonly start: bigint
  readonly comm: string
  /** argv[0], as Falco's proc.exe. */
  readonly exe: string
  /** Resolved by the kernel; `memfd:NAME` for a file without a path. */
  readonly exePath: string
  /** Without argv[0]. */
  readonly args: readonly string[]
  /** The variables that rules ask for, as NAME=value. */
  readonly env: readonly string[]
  readonly cwd: string
  readonly vpid: number
  readonly sid: number
  readonly pgid: number
  readonly vpgid: number
  /** Device number of the controlling terminal, 0 when there is none. */
  readonly tty: number
  readonly uid: number
  readonly gid: number
  /** 4294967295 when unset. */
  readonly loginUid: number
  readonly capInheritable: bigint
  readonly capEffective: bigint
  readonly capPermitted: bigint
  readonly exeInode: number
  readonly exeCtime: bigint
  readonly exeMtime: bigint
  /** Bits of {@link ExeFlag}. */
  readonly exeFlags: number
  /** Path of the script when the program is its interpreter, "" otherwise. */
  readonly script: string
  readonly cgroups: readonly string[]
  /** Start of the first process of its pid namespace. */
  readonly pidNamespaceStart: bigint
  readonly namespaces: Namespaces
  readonly container: Container | undefined
  /** Standard input, output and error as the program found them; `undefined` where one was closed. */
  readonly streams: readonly (Stream | undefined)[]
}

/** What a descriptor leads to: kind, and path, endpoints or "". */
export type Stream = Pick<FileDescriptor, 'kind' | 'name'>

export interface Namespaces {
  readonly mnt: number
  readonly pid: number
  readonly net: number
  readonly user: number
}

export const ExeFlag = { writable: 1, upperLayer: 2, memfd: 4, lowerLayer: 8 } as const

/** What is known of a container; everything but the ids comes late or never. */
export interface Container {
  /** First 12 characters of the id, as Falco shows it. */
  readonly id: string
  readonly fullId: string
  /** docker, containerd, cri-o, podman, … by the shape of the cgroup path. */
  readonly type: string
  readonly privileged?: boolean
  readonly start?: bigint
  readonly name?: string
  readonly image?: string
  readonly imageId?: string
  readonly imageRepository?: string
  readonly imageTag?: string
  readonly imageDigest?: string
  /** What it mounts, in the order of its definition. */
  readonly mounts?: readonly Mount[]
  /** As in its cgroup path: that of a static pod is not the one the Kubernetes API shows. */
  readonly podUid?: string
  readonly podName?: string
  readonly namespace?: string
  readonly podLabels?: Readonly<Record<string, string>>
  /** The primary one first. */
  readonly podIps?: readonly string[]
  readonly serviceAccount?: string
  readonly workload?: Workload
  readonly hostPid?: boolean
  readonly hostNetwork?: boolean
  readonly hostIpc?: boolean
}

export interface Mount {
  /** Path on the host, "" when it is not known. */
  readonly source: string
  readonly dest: string
  /** Options as the runtime writes them, "" when there are none. */
  readonly mode: string
  readonly rdwr: boolean
  /** private, rslave, rshared. */
  readonly propagation: string
}

/** What made a pod: a Deployment, a StatefulSet, a Job, … of the pod's namespace. */
export interface Workload {
  readonly kind: string
  readonly name: string
}

export type FdKind =
  | 'file'
  | 'directory'
  | 'ipv4'
  | 'ipv6'
  | 'unix'
  | 'pipe'
  | 'event'
  | 'signalfd'
  | 'eventpoll'
  | 'inotify'
  | 'timerfd'
  | 'netlink'
  | 'bpf'
  | 'userfaultfd'
  | 'io_uring'
  | 'memfd'
  | 'pidfd'
  | 'unknown'

export interface FileDescriptor {
  /** -1 when the call that should have made it failed. */
  readonly num: number
  readonly kind: FdKind
  /** Path of a file, `ip:port->ip:port` of a socket, "" when there is none. */
  readonly name: string
  /** The path as the caller wrote it. */
  readonly rawName: string | undefined
  readonly dev: number
  readonly inode: number
  /** Overlay layer of the file, when on an overlay file system. */
  readonly layer: 'upper' | 'lower' | undefined
  readonly socket: Socket | undefined
}

/** Internet endpoints are canonical text; ports 0 and addresses "" when not known. */
export interface Socket {
  /** AF_* of the kernel. */
  readonly family: number
  readonly l4proto: 'tcp' | 'udp' | 'icmp' | 'raw' | undefined
  /** Which side this process is; undefined until connect, accept, bind or a first datagram. */
  readonly role: 'client' | 'server' | undefined
  readonly localIp: string
  readonly localPort: number
  readonly remoteIp: string
  readonly remotePort: number
  readonly connected: boolean
  /** The tuple differs from the one seen before on this socket. */
  readonly nameChanged: boolean
}

export interface User {
  readonly uid: number
  readonly gid: number
  readonly name: string
  readonly home: string
  readonly shell: string
}

export interface Group {
  readonly gid: number
  readonly name: string
}
