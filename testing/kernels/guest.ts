import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  cacheDirectory,
  type DebianArchitecture,
  DebianSuite,
  type Suite,
  unpack,
} from '../../collector/image/debian.ts'
import { type ImageEntry, imageConfig, imageLayers } from '../../collector/image/files.ts'
import { gatherParts, type Parts, sysrootOf } from '../../collector/image/parts.ts'
import { cpioOf } from './cpio.ts'

// A virtual machine that boots a stock kernel of Debian into the image's own files, and plays the probes.

/** A kernel of Debian: what points to its package, in which suite. */
export interface Kernel {
  readonly series: string
  readonly suite: Suite
  readonly metapackage: string
  readonly architecture: DebianArchitecture
}

export interface GuestRun {
  /** Version that the kernel says of itself; "" when it did not come up. */
  readonly release: string
  readonly log: readonly string[]
  readonly alerts: readonly GuestAlert[]
  /** Names of probes that this kernel or machine could not make. */
  readonly unmade: readonly string[]
  readonly doctor: GuestDoctor | undefined
  readonly agent: string
  readonly sensor: string
  readonly exitCode: number | undefined
  readonly seconds: number
  readonly console: string
}

export interface GuestAlert {
  readonly rule: string
  readonly output_fields: Readonly<Record<string, unknown>>
}

export interface GuestDoctor {
  readonly passed: boolean
  readonly checks: readonly {
    readonly name: string
    readonly state: string
    readonly found: string
  }[]
}

const here = import.meta.dirname
const LIMIT_MS = 300_000

const machines = {
  amd64: {
    command: 'qemu-system-x86_64',
    package: 'qemu-system-x86',
    options: ['-cpu', 'max'],
    console: 'ttyS0',
  },
  arm64: {
    command: 'qemu-system-aarch64',
    package: 'qemu-system-arm',
    // the core of Graviton2
    options: ['-machine', 'virt', '-cpu', 'neoverse-n1'],
    console: 'ttyAMA0',
  },
} as const

/** Packages of Debian that {@link runGuest} needs and are not here. */
export function missingMachines(architectures: readonly DebianArchitecture[]): string[] {
  return architectures
    .filter((each) => !existsSync(`/usr/bin/${machines[each].command}`))
    .map((each) => machines[each].package)
}

/** The boot image and, where it is a module, the overlay file system of a kernel. */
export interface Boot {
  readonly image: string
  readonly overlay: Buffer | undefined
}

/** Fetches a kernel; why not, in apt's words, when the archive has it no longer. */
export function whatBoots(kernel: Kernel): Boot | string {
  try {
    return fetchKernel(kernel)
  } catch (error) {
    return `not reachable: ${error instanceof Error ? error.message.split('\n').at(-2) : error}`
  }
}

function fetchKernel({ suite, metapackage, architecture }: Kernel): Boot {
  const debian = new DebianSuite(suite, architecture)
  const name = debian.dependency(metapackage, 'linux-image-')
  const directory = join(cacheDirectory, 'kernels', `${name}-${architecture}`)
  if (!existsSync(directory)) {
    // newer ones are in several packages
    const parts = debian.dependencies(name).filter((each) => /^linux-(binary|modules)-/.test(each))
    unpack(debian.fetch([name, ...parts]), directory)
  }
  const image = findFile(directory, 'vmlinuz*')
  if (image === undefined) throw new Error(`${name} has no boot image`)
  return { image, overlay: overlayModule(directory) }
}

function findFile(directory: string, pattern: string): string | undefined {
  const found = execFileSync('find', [directory, '-name', pattern], { encoding: 'utf8' })
  return found.split('\n').find((path) => path !== '')
}

function overlayModule(directory: string): Buffer | undefined {
  const path = findFile(directory, 'overlay.ko*')
  if (path?.endsWith('.xz')) return execFileSync('xz', ['-dc', path], { maxBuffer: 1 << 26 })
  return path === undefined ? undefined : readFileSync(path)
}

/** Boots a kernel, runs sensor and agent in it, makes every probe, and gives what was seen. */
export async function runGuest(
  kernel: Kernel,
  { image, overlay }: Boot = fetchKernel(kernel),
): Promise<GuestRun> {
  const directory = mkdtempSync(join(tmpdir(), 'lanner-guest-'))
  try {
    const parts = gatherParts(kernel.architecture)
    const initramfs = join(directory, 'initramfs')
    writeFileSync(initramfs, cpioOf(guestFiles(parts, overlay, directory)))
    const start = Date.now()
    const output = await boot(kernel.architecture, image, initramfs)
    return { ...understand(output), seconds: (Date.now() - start) / 1000, console: output }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const config =
  'cluster: matrix\nnode: guest\nrules: {paths: /probes.yaml, matching: all}\n' +
  'alerts: {mode: always}\nkubernetes: {mode: off}\n'

function guestFiles(parts: Parts, overlay: Buffer | undefined, scratch: string): ImageEntry[] {
  const { architecture, triplet } = parts
  const busybox = new DebianSuite('bookworm', architecture).fetch(['busybox-static'])
  unpack(busybox, join(scratch, 'busybox'))
  const probes = join(scratch, 'probes')
  const flags = [`--sysroot=${sysrootOf(architecture)}`, '-static', '-O2', '-Wall', '-Wextra']
  execFileSync(`${triplet}-gcc`, [...flags, join(here, 'probes.c'), '-o', probes])
  const program = (path: string, content: Buffer): ImageEntry => ({
    ...{ path, mode: 0o755 },
    content: () => content,
  })
  const text = (path: string, content: string) => program(path, Buffer.from(content))
  const { environment, entrypoint, command } = imageConfig
  return [
    ...imageLayers(parts).flatMap(({ entries }) => entries),
    program('busybox', readFileSync(join(scratch, 'busybox/bin/busybox'))),
    program('init', readFileSync(join(here, 'init.sh'))),
    program('probes', readFileSync(probes)),
    program('actor', readFileSync(join(parts.build, 'lanner-actor'))),
    ...(architecture === 'arm64' ? [program('compat', compatProgram(scratch))] : []),
    ...(overlay === undefined ? [] : [program('overlay.ko', overlay)]),
    text('probes.yaml', readFileSync(join(here, 'probes.yaml'), 'utf8')),
    text('etc/lanner/agent.yaml', config),
    text('lanner-environment', assignments(environment)),
    text('lanner-command', [...entrypoint, ...command].join(' ')),
  ]
}

const assignments = (variables: Readonly<Record<string, string>>) =>
  Object.entries(variables)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')

async function boot(
  architecture: DebianArchitecture,
  kernel: string,
  initramfs: string,
): Promise<string> {
  const { command, options, console } = machines[architecture]
  const line = `console=${console} rdinit=/init quiet panic=-1 loglevel=4`
  const child = spawn(
    command,
    [
      ...options,
      ...['-m', '1536', '-smp', '2', '-accel', 'tcg,thread=multi', '-nographic', '-no-reboot'],
      ...['-nic', 'none', '-kernel', kernel, '-initrd', initramfs, '-append', line],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT_MS, killSignal: 'SIGKILL' },
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      output += bytes
    })
  }
  await once(child, 'close')
  return output
}

function understand(output: string) {
  const lines = output.split('\n').map((line) => line.replace(/\r$/, ''))
  const after = (mark: string) =>
    lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(mark.length))
  const [doctor] = after('DOCTOR ')
  const exit = after('GUEST exit ')[0]
  return {
    release: after('GUEST kernel ')[0] ?? '',
    log: after('LOG '),
    alerts: after('ALERT ').flatMap((line): GuestAlert[] => parsed(line)),
    unmade: after('UNMADE ').map((line) => line.split(':')[0]!),
    doctor: doctor === undefined ? undefined : parsed(doctor)[0],
    agent: after('AGENT ')[0] ?? '',
    sensor: after('SENSOR ')[0] ?? '',
    exitCode: exit === undefined ? undefined : Number(exit),
  }
}

/** Nothing for a line that the kernel wrote into. */
function parsed(line: string) {
  try {
    return [JSON.parse(line)]
  } catch {
    return []
  }
}

/** 32-bit Arm: opens a file with a system call of that table. See compat.S. */
function compatProgram(scratch: string): Buffer {
  const object = join(scratch, 'compat.o')
  execFileSync('clang', [
    '--target=armv7-linux-gnueabi',
    '-c',
    join(here, 'compat-arm.S'),
    '-o',
    object,
  ])
  return armExecutable(readFileSync(object))
}

const LOAD_ADDRESS = 0x10000
const HEADERS = 52 + 32

/** A static executable of the text section of an object without relocations: there is no linker for it. */
function armExecutable(object: Buffer): Buffer {
  const text = sectionOf(object, '.text')
  const header = Buffer.alloc(HEADERS)
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]).copy(header)
  header.writeUInt16LE(2, 16) // an executable
  header.writeUInt16LE(40, 18) // for Arm
  header.writeUInt32LE(1, 20)
  header.writeUInt32LE(LOAD_ADDRESS + HEADERS, 24) // entry
  header.writeUInt32LE(52, 28) // program headers
  header.writeUInt32LE(0x05000000, 36) // EABI 5
  header.writeUInt16LE(52, 40)
  header.writeUInt16LE(32, 42)
  header.writeUInt16LE(1, 44)
  const size = HEADERS + text.length
  const segment = [1, 0, LOAD_ADDRESS, LOAD_ADDRESS, size, size, 5, 0x10000]
  for (const [i, value] of segment.entries()) header.writeUInt32LE(value, 52 + 4 * i)
  return Buffer.concat([header, text])
}

/** Contents of a section of a 32-bit object file. */
function sectionOf(object: Buffer, name: string): Buffer {
  const table = object.readUInt32LE(32)
  const size = object.readUInt16LE(46)
  const count = object.readUInt16LE(48)
  const at = (index: number, field: number) => object.readUInt32LE(table + index * size + 4 * field)
  const names = at(object.readUInt16LE(50), 4)
  for (let index = 0; index < count; index++) {
    const start = names + at(index, 0)
    if (object.toString('latin1', start, object.indexOf(0, start)) !== name) continue
    return object.subarray(at(index, 4), at(index, 4) + at(index, 5))
  }
  throw new Error(`no section ${name}`)
}
