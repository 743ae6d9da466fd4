import {
  type ArgValue,
  type Container,
  eventTypeId,
  eventTypes,
  type FileDescriptor,
  type Group,
  type Process,
  type Socket,
  type SyscallEvent,
  type User,
} from '#events'

/** A process for a test: a shell with nothing special, and what the test says instead. */
export function makeProcess(facts: Partial<Process> = {}): Process {
  return {
    pid: 100,
    ppid: facts.parent?.pid ?? 0,
    parent: undefined,
    start: 1_000_000_000n,
    comm: 'bash',
    exe: '/bin/bash',
    exePath: '/usr/bin/bash',
    args: [],
    env: [],
    cwd: '/root',
    vpid: facts.pid ?? 100,
    sid: 100,
    pgid: 100,
    vpgid: 100,
    tty: 0,
    uid: 0,
    gid: 0,
    loginUid: 0xffff_ffff,
    capInheritable: 0n,
    capEffective: 0n,
    capPermitted: 0n,
    exeInode: 7,
    exeCtime: 500_000_000n,
    exeMtime: 400_000_000n,
    exeFlags: 0,
    script: '',
    cgroups: [],
    pidNamespaceStart: 0n,
    namespaces: { mnt: 1, pid: 2, net: 3, user: 4 },
    container: undefined,
    streams: [],
    ...facts,
  }
}

/** A container as it is known by its cgroup alone, and what the test says more. */
export function makeContainer(facts: Partial<Container> = {}): Container {
  const fullId = facts.fullId ?? '0123456789abcdef'.repeat(4)
  return { id: fullId.slice(0, 12), fullId, type: 'containerd', ...facts }
}

export function makeFile(name: string, facts: Partial<FileDescriptor> = {}): FileDescriptor {
  return {
    num: 3,
    kind: 'file',
    name,
    rawName: name,
    dev: 0,
    inode: 0,
    layer: undefined,
    socket: undefined,
    ...facts,
  }
}

/** A connected TCP socket of a client, and what the test says instead. */
export function makeSocket(
  facts: Partial<Socket> = {},
  descriptor: Partial<FileDescriptor> = {},
): FileDescriptor {
  const socket: Socket = {
    family: 2,
    l4proto: 'tcp',
    role: 'client',
    localIp: '10.0.0.1',
    localPort: 40000,
    remoteIp: '10.0.0.2',
    remotePort: 443,
    connected: true,
    nameChanged: false,
    ...facts,
  }
  const name = `${socket.localIp}:${socket.localPort}->${socket.remoteIp}:${socket.remotePort}`
  return makeFile(name, { kind: 'ipv4', rawName: undefined, socket, ...descriptor })
}

export interface EventFacts extends Partial<Omit<SyscallEvent, 'type' | 'arg' | 'absolutePath'>> {
  /** Arguments by name. */
  readonly args?: Readonly<Record<string, ArgValue>>
  /** Absolute paths by the name of the argument. */
  readonly paths?: Readonly<Record<string, string>>
  readonly users?: readonly User[]
  readonly groups?: readonly Group[]
  readonly names?: Readonly<Record<string, readonly string[]>>
}

/** An event of a known type; throws when the type lacks an argument that the test names. */
export function makeEvent(typeName: string, facts: EventFacts = {}): SyscallEvent {
  const type = eventTypeId(typeName)
  if (type < 0) throw new Error(`no event type ${typeName}`)
  const { args = {}, paths = {}, users = [], groups = [], names = {}, ...rest } = facts
  const params = eventTypes[type]!.params.map(({ name }) => name)
  for (const name of [...Object.keys(args), ...Object.keys(paths)]) {
    if (!params.includes(name)) throw new Error(`${typeName} has no argument ${name}`)
  }
  const process = rest.process ?? makeProcess()
  return {
    type,
    seq: 1,
    time: 2_000_000_000n,
    cpu: 0,
    tid: process.pid,
    count: 1,
    flags: 0,
    process,
    euid: process.uid,
    egid: process.gid,
    capEffective: process.capEffective,
    capPermitted: process.capPermitted,
    result: 0,
    fd: undefined,
    ...rest,
    arg: (index) => args[params[index] ?? ''],
    absolutePath: (index) => paths[params[index] ?? ''],
    user: (uid) => users.find((user) => user.uid === uid),
    group: (gid) => groups.find((group) => group.gid === gid),
    namesOf: (ip) => names[ip] ?? [],
  }
}
