import fc from 'fast-check'
import {
  type ArgValue,
  type Container,
  type EventParam,
  eventTypes,
  type FileDescriptor,
  type Process,
  type SyscallEvent,
} from '#events'

const count = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const big = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const time = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })
const inode = fc.maxSafeNat()
/** Texts with every kind of byte: well-formed, and the lone surrogates that stand for bad bytes. */
const text = fc.oneof(
  fc.constantFrom('', '/etc/passwd', 'bash', 'ünï', '\u{1f600}', '\udc80\udcff'),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
)
const ip = fc.oneof(fc.constantFrom('', '::1', '2001:db8::1'), fc.ipV4())

const container: fc.Arbitrary<Container> = fc
  .record(
    {
      fullId: fc.string({
        unit: fc.constantFrom(...'0123456789abcdef'),
        minLength: 12,
        maxLength: 64,
      }),
      type: fc.constantFrom('docker', 'containerd', 'cri-o'),
      privileged: fc.boolean(),
      start: time,
      name: text,
      image: text,
      imageRepository: text,
      imageTag: text,
      imageDigest: text,
      podUid: text,
      podName: text,
      namespace: text,
      imageId: text,
      serviceAccount: text,
      workload: fc.record({ kind: text, name: text }),
      podIps: fc.array(ip, { maxLength: 2 }),
      hostPid: fc.boolean(),
      hostNetwork: fc.boolean(),
      hostIpc: fc.boolean(),
      mounts: fc.array(
        fc.record({ source: text, dest: text, mode: text, rdwr: fc.boolean(), propagation: text }),
        { maxLength: 3 },
      ),
      podLabels: fc.dictionary(fc.constantFrom('app', 'constructor', 'a/b', ''), text, {
        noNullPrototype: false,
      }),
    },
    { requiredKeys: ['fullId', 'type'] },
  )
  .map((facts) => ({ id: facts.fullId.slice(0, 12), ...facts }) as Container)

const stream = fc.option(
  fc.record({
    kind: fc.constantFrom('file' as const, 'pipe' as const, 'ipv4' as const),
    name: text,
  }),
  { nil: undefined },
)

const processFacts = fc.record({
  pid: count,
  ppid: count,
  start: time,
  comm: text,
  exe: text,
  exePath: text,
  args: fc.array(text, { maxLength: 3 }),
  env: fc.array(text, { maxLength: 2 }),
  cwd: text,
  vpid: fc.integer({ min: -1, max: 2 ** 31 }),
  sid: count,
  pgid: count,
  vpgid: fc.integer({ min: -1, max: 2 ** 31 }),
  tty: count,
  uid: count,
  gid: count,
  loginUid: fc.constantFrom(0xffff_ffff, 1000),
  capInheritable: big,
  capEffective: big,
  capPermitted: big,
  exeInode: inode,
  exeCtime: time,
  exeMtime: time,
  exeFlags: fc.nat(15),
  script: text,
  streams: fc.oneof(
    fc.constant([]),
    fc.tuple(stream, stream, stream).filter((all) => all.some((one) => one !== undefined)),
  ),
  cgroups: fc.array(text, { maxLength: 2 }),
  pidNamespaceStart: time,
  namespaces: fc.record({ mnt: count, pid: count, net: count, user: count }),
})

const descriptor: fc.Arbitrary<FileDescriptor> = fc
  .record({
    num: fc.integer({ min: -1, max: 1 << 20 }),
    kind: fc.constantFrom('file', 'directory', 'ipv4', 'ipv6', 'unix', 'unknown'),
    name: text,
    rawName: fc.option(text, { nil: undefined }),
    dev: count,
    inode,
    layer: fc.constantFrom(undefined, 'upper', 'lower'),
    socket: fc.option(
      fc.record({
        family: fc.nat(50),
        l4proto: fc.constantFrom(undefined, 'tcp', 'udp', 'icmp', 'raw'),
        role: fc.constantFrom(undefined, 'client', 'server'),
        localIp: ip,
        localPort: fc.nat(65535),
        remoteIp: ip,
        remotePort: fc.nat(65535),
        connected: fc.boolean(),
        nameChanged: fc.boolean(),
      }),
      { nil: undefined },
    ),
    derivedName: fc.boolean(),
  })
  .map(({ derivedName, ...fd }) => {
    const { socket: s } = fd
    if (s === undefined || !derivedName) return fd as FileDescriptor
    const name = `${s.localIp}:${s.localPort}->${s.remoteIp}:${s.remotePort}`
    return { ...fd, name } as FileDescriptor
  })

function argument({ type }: EventParam): fc.Arbitrary<ArgValue> {
  if (type === 'DYN') return fc.oneof(fc.constant(undefined), fc.maxSafeInteger(), text)
  if (/^(CHARBUF|FSPATH|FSRELPATH|SOCKADDR|SOCKTUPLE)$/.test(type)) {
    return fc.oneof(fc.constant(undefined), text)
  }
  if (/^(BYTEBUF|FDLIST|SIGSET)$/.test(type)) {
    return fc.oneof(fc.constant(undefined), text, fc.uint8Array({ maxLength: 6 }))
  }
  return fc.oneof(fc.constant(undefined), fc.maxSafeInteger(), big)
}

/** Processes in a line, each with the one before as its parent, some in containers. */
const processLine = fc
  .array(fc.tuple(processFacts, fc.option(container, { nil: undefined }), fc.boolean()), {
    minLength: 1,
    maxLength: 4,
  })
  .map((members) => {
    const line: Process[] = []
    for (const [facts, ownContainer, hasParent] of members) {
      const parent = hasParent ? line.at(-1) : undefined
      line.push({ ...facts, parent, container: ownContainer } as Process)
    }
    return line
  })

const eventFacts = (line: readonly Process[]) =>
  fc
    .tuple(
      fc.record({
        seq: inode,
        time,
        cpu: fc.nat(255),
        tid: count,
        count: fc.integer({ min: 1, max: 1000 }),
        flags: fc.nat(31),
        process: fc.constantFrom(...line),
        euid: count,
        egid: count,
        capEffective: big,
        capPermitted: big,
        result: fc.option(fc.maxSafeInteger(), { nil: undefined }),
        fd: fc.option(descriptor, { nil: undefined }),
      }),
      fc.nat(eventTypes.length - 1),
    )
    .chain(([facts, type]) =>
      fc
        .tuple(
          fc.tuple(...eventTypes[type]!.params.map(argument)),
          fc.array(fc.option(text, { nil: undefined }), { maxLength: 3 }),
        )
        .map(
          ([args, paths]): SyscallEvent => ({
            ...(facts as Omit<SyscallEvent, 'type' | 'arg' | 'absolutePath'>),
            type,
            arg: (index) => args[index],
            absolutePath: (index) =>
              /PATH|CHARBUF/.test(eventTypes[type]!.params[index]?.type ?? '')
                ? paths[index]
                : undefined,
            // The tables depend on the id and the container alone, as passwd files do.
            user: (uid) =>
              uid % 2 === 0
                ? undefined
                : {
                    uid,
                    gid: uid % 100,
                    name: `u${uid}${facts.process.container?.id}`,
                    home: '/h',
                    shell: '',
                  },
            group: (gid) => (gid % 2 === 0 ? undefined : { gid, name: `g${gid}` }),
            namesOf: (address) => (address.includes('1') ? [`${address}.example`] : []),
          }),
        ),
    )

/** Any events: of every type, with every kind of value, of a few related processes. */
export const anyEvents: fc.Arbitrary<SyscallEvent[]> = processLine.chain((line) =>
  fc.array(eventFacts(line), { maxLength: 6 }),
)
