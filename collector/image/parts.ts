import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  cacheDirectory,
  type DebianArchitecture,
  type DebianPackage,
  DebianSuite,
  unpack,
} from './debian.ts'

// What an image of one architecture is made of, built or fetched: on either architecture for either.

export const architectures = ['amd64', 'arm64'] as const

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Libraries that Node is linked with, and what they need of the system. */
const runtimePackages = ['libc6', 'libgcc-s1', 'libstdc++6', 'gcc-12-base'] as const
/** Headers and libraries that the sensor, the addon and the simulations are compiled with. */
const buildPackages = [
  ...['libc6-dev', 'libc6', 'linux-libc-dev', 'libbpf-dev', 'libelf-dev', 'zlib1g-dev'],
] as const
/** Packages whose code is part of the sensor. */
export const linkedPackages = ['libbpf-dev', 'libelf-dev', 'zlib1g-dev', 'libc6-dev'] as const

const triplets = { amd64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' } as const
const nodeNames = { amd64: 'x64', arm64: 'arm64' } as const
const loaders = {
  amd64: 'lib64/ld-linux-x86-64.so.2',
  arm64: 'lib/ld-linux-aarch64.so.1',
} as const

export interface Parts {
  readonly architecture: DebianArchitecture
  /** Directory with lanner-sensor and ring.node, as built and `.stripped`, and lanner-actor. */
  readonly build: string
  /** The stripped Node binary. */
  readonly node: string
  readonly nodeVersion: string
  /** Root of the unpacked libraries. */
  readonly libraries: string
  readonly triplet: string
  /** Path of the program loader below `libraries` and in the image. */
  readonly loader: string
  readonly packages: readonly DebianPackage[]
  readonly linked: readonly DebianPackage[]
}

/** Tools that {@link gatherParts} needs and are not here; packages of Debian to install. */
export function missingTools(wanted: readonly DebianArchitecture[]): string[] {
  const needed = new Map([['clang', '/usr/bin/clang']])
  for (const architecture of wanted) {
    const triplet = triplets[architecture]
    needed.set(`gcc-${triplet.replace('_', '-')}`, `/usr/bin/${triplet}-gcc`)
  }
  return [...needed].filter(([, path]) => !existsSync(path)).map(([name]) => name)
}

/** Builds and fetches everything for one architecture; what is there already is taken as it is. */
export function gatherParts(architecture: DebianArchitecture): Parts {
  const triplet = triplets[architecture]
  const suite = new DebianSuite('bookworm', architecture)
  const packages = suite.fetch(runtimePackages)
  const development = suite.fetch(buildPackages)
  const sysroot = unpacked(`sysroot-${architecture}`, development)
  const libraries = unpacked(`libraries-${architecture}`, packages)
  const build = join(root, 'build', 'image', architecture)
  const compiler = `${triplet}-gcc`
  for (const part of ['collector/sensor', 'cli/simulations']) {
    const variables = [`OUT=${build}`, `CC=${compiler}`, `SYSROOT=${sysroot}`]
    execFileSync('make', ['-s', '-C', join(root, part), ...variables], { stdio: 'pipe' })
  }
  for (const name of ['lanner-sensor', 'ring.node']) {
    execFileSync(`${triplet}-strip`, ['-o', join(build, `${name}.stripped`), join(build, name)])
  }
  const { node, version } = strippedNode(architecture)
  return {
    ...{ architecture, build, node, libraries, triplet, packages },
    nodeVersion: version,
    loader: loaders[architecture],
    linked: development.filter(({ name }) => (linkedPackages as readonly string[]).includes(name)),
  }
}

/** Headers and libraries that programs of an architecture are compiled with; {@link gatherParts} makes it. */
export function sysrootOf(architecture: DebianArchitecture): string {
  return join(cacheDirectory, `sysroot-${architecture}`)
}

/** A directory of unpacked packages, named by their versions. */
function unpacked(name: string, packages: readonly DebianPackage[]): string {
  const versions = packages.map((each) => `${each.name}=${each.version}`).join('_')
  const id = versions.replaceAll(/[^\w.+=-]/g, '-')
  const directory = join(cacheDirectory, name)
  const stamp = join(directory, '.unpacked')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === id) {
    return directory
  }
  rmSync(directory, { recursive: true, force: true })
  unpack(packages, directory)
  writeFileSync(stamp, id)
  return directory
}

/** Node for Linux of this architecture from its npm package, in this machine's version, without symbols. */
function strippedNode(architecture: DebianArchitecture): { node: string; version: string } {
  const version = process.versions.node
  const directory = join(cacheDirectory, 'node')
  const node = join(directory, `node-${version}-${architecture}`)
  if (existsSync(node)) return { node, version }
  mkdirSync(directory, { recursive: true })
  const name = `node-linux-${nodeNames[architecture]}`
  const options = ['--silent', '--pack-destination', directory]
  execFileSync('npm', ['pack', `${name}@${version}`, ...options], { stdio: 'pipe', cwd: directory })
  const archive = join(directory, `${name}-${version}.tgz`)
  execFileSync('tar', ['-xzf', archive, '-C', directory, 'package/bin/node'])
  const unstripped = join(directory, 'package', 'bin', 'node')
  execFileSync(`${triplets[architecture]}-strip`, [unstripped])
  renameSync(unstripped, node)
  rmSync(archive)
  rmSync(join(directory, 'package'), { recursive: true })
  return { node, version }
}
