import { flagTables } from '#events'

/** Flags of open(2) that architectures number differently; 32-bit Arm has those of arm64. */
const ownOpenFlags: Readonly<Record<string, string>> = {
  x64: 'O_DIRECT=0x4000 O_LARGEFILE=0x8000 O_DIRECTORY=0x10000 O_TMPFILE=0x410000',
  arm64: 'O_DIRECTORY=0x4000 O_DIRECT=0x10000 O_LARGEFILE=0x20000 O_TMPFILE=0x404000',
}

function openFlagsOf(architecture: string): string {
  return (
    'O_TRUNC=0x200 O_SYNC=0x101000 O_NONBLOCK=0x800 O_EXCL=0x80 O_DSYNC=0x1000 O_APPEND=0x400 ' +
    `O_CREAT=0x40 O_CLOEXEC=0x80000 ${ownOpenFlags[architecture] ?? ownOpenFlags['x64']}`
  )
}

/** Flag tables in which Falco's numbering is not the kernel's. */
const kernelValues: Readonly<Record<string, string>> = {
  file_flags: openFlagsOf(process.arch),
  clone_flags:
    'CLONE_FILES=0x400 CLONE_FS=0x200 CLONE_IO=0x80000000 CLONE_NEWIPC=0x8000000 ' +
    'CLONE_NEWNET=0x40000000 CLONE_NEWNS=0x20000 CLONE_NEWPID=0x20000000 ' +
    'CLONE_NEWUTS=0x4000000 CLONE_PARENT=0x8000 CLONE_PARENT_SETTID=0x100000 ' +
    'CLONE_PTRACE=0x2000 CLONE_SIGHAND=0x800 CLONE_SYSVSEM=0x40000 CLONE_THREAD=0x10000 ' +
    'CLONE_UNTRACED=0x800000 CLONE_VM=0x100 CLONE_NEWUSER=0x10000000 ' +
    'CLONE_CHILD_CLEARTID=0x200000 CLONE_CHILD_SETTID=0x1000000 CLONE_SETTLS=0x80000 ' +
    'CLONE_VFORK=0x4000 CLONE_NEWCGROUP=0x2000000',
  openat2_flags:
    'RESOLVE_BENEATH=8 RESOLVE_IN_ROOT=16 RESOLVE_NO_MAGICLINKS=2 RESOLVE_NO_SYMLINKS=4 ' +
    'RESOLVE_NO_XDEV=1 RESOLVE_CACHED=32',
  fchownat_flags: 'AT_SYMLINK_NOFOLLOW=0x100 AT_EMPTY_PATH=0x1000',
  delete_module_flags: 'O_NONBLOCK=0x800 O_TRUNC=0x200',
}

const ptraceRequests =
  'PTRACE_TRACEME=0 PTRACE_PEEKTEXT=1 PTRACE_PEEKDATA=2 PTRACE_PEEKUSR=3 PTRACE_POKETEXT=4 ' +
  'PTRACE_POKEDATA=5 PTRACE_POKEUSR=6 PTRACE_CONT=7 PTRACE_KILL=8 PTRACE_SINGLESTEP=9 ' +
  'PTRACE_GETREGS=12 PTRACE_SETREGS=13 PTRACE_GETFPREGS=14 PTRACE_SETFPREGS=15 ' +
  'PTRACE_ATTACH=16 PTRACE_DETACH=17 PTRACE_GETFPXREGS=18 PTRACE_SETFPXREGS=19 ' +
  'PTRACE_OLDSETOPTIONS=21 PTRACE_SYSCALL=24 PTRACE_GET_THREAD_AREA=25 ' +
  'PTRACE_SET_THREAD_AREA=26 PTRACE_ARCH_PRCTL=30 PTRACE_SYSEMU=31 ' +
  'PTRACE_SYSEMU_SINGLESTEP=32 PTRACE_SINGLEBLOCK=33 PTRACE_SETOPTIONS=0x4200 ' +
  'PTRACE_GETEVENTMSG=0x4201 PTRACE_GETSIGINFO=0x4202 PTRACE_SETSIGINFO=0x4203 ' +
  'PTRACE_GETREGSET=0x4204 PTRACE_SETREGSET=0x4205 PTRACE_SEIZE=0x4206 ' +
  'PTRACE_INTERRUPT=0x4207 PTRACE_LISTEN=0x4208 PTRACE_PEEKSIGINFO=0x4209 ' +
  'PTRACE_GETSIGMASK=0x420a PTRACE_SETSIGMASK=0x420b'

/** Pairs of kernel value and Falco value, widest kernel value first so that O_SYNC hides O_DSYNC. */
function pairs(table: string, text: string): readonly (readonly [kernel: number, falco: number])[] {
  const falco = new Map(flagTables.get(table)?.map(({ name, value }) => [name, value]))
  return text
    .split(' ')
    .map((entry): [number, number] => {
      const [name, value] = entry.split('=') as [string, string]
      return [Number(value), falco.get(name) ?? 0]
    })
    .sort((a, b) => bitCount(b[0]) - bitCount(a[0]))
}

function bitCount(value: number): number {
  let count = 0
  for (let rest = value >>> 0; rest !== 0; rest &= rest - 1) count += 1
  return count
}

const bitTables = new Map(
  Object.entries(kernelValues).map(([table, text]) => [table, pairs(table, text)]),
)
const ptraceTable = new Map(pairs('ptrace_requests', ptraceRequests))
const accessModes = [1, 2, 3, 0] // O_RDONLY, O_WRONLY, O_RDWR, O_NONE
const openFlagCache = new Map<number, number>()

type Pairs = ReturnType<typeof pairs>

function mapBits(table: Pairs, value: number): number {
  let rest = value >>> 0
  let result = 0
  for (const [kernel, falco] of table) {
    const bits = kernel >>> 0
    if ((rest & bits) >>> 0 !== bits) continue
    result |= falco
    rest = (rest & ~bits) >>> 0
  }
  return result >>> 0
}

/** Flags of open(2) in Falco's numbering; cached, as programs use few combinations. */
export function openFlags(value: number): number {
  let flags = openFlagCache.get(value)
  if (flags === undefined) {
    flags = mapBits(bitTables.get('file_flags')!, value) | accessModes[value & 3]!
    if (openFlagCache.size < 4096) openFlagCache.set(value, flags)
  }
  return flags
}

/** The same for calls made on another architecture, not cached. */
export function openFlagsOn(architecture: 'x64' | 'arm64', value: number): number {
  return mapBits(pairs('file_flags', openFlagsOf(architecture)), value) | accessModes[value & 3]!
}

/**
 * A flags argument as Falco numbers it. Tables that share the kernel's numbering pass through, cut
 * to the bits that have a meaning there.
 */
export function falcoFlags(table: string | undefined, value: number): number {
  switch (table) {
    case undefined:
      return value
    case 'file_flags':
      return openFlags(value)
    case 'ptrace_requests':
      return ptraceTable.get(value) ?? 0
    case 'chmod_mode':
      return value & 0o7777
    case 'mount_flags':
      // the magic of Linux 2.4 and before in the upper half means nothing
      return (value & 0xffff0000) >>> 0 === 0xc0ed0000 ? value & 0xffff : value
    default: {
      const bits = bitTables.get(table)
      return bits === undefined ? value : mapBits(bits, value)
    }
  }
}
