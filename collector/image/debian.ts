import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

// Debian packages of any suite and architecture, without touching what apt of this machine knows.

/** What downloads and builds are kept in, outside the checkout. */
export const cacheDirectory = process.env['LANNER_CACHE'] ?? join(homedir(), '.cache', 'lanner')

export type DebianArchitecture = 'amd64' | 'arm64'

const sources = {
  bullseye: ['debian bullseye'],
  bookworm: ['debian bookworm', 'debian-security bookworm-security'],
  'trixie-backports': ['debian trixie-backports'],
} as const
export type Suite = keyof typeof sources

export interface DebianPackage {
  readonly name: string
  readonly version: string
  readonly architecture: string
  /** Of the downloaded file. */
  readonly path: string
}

const LISTS_LIVE_MS = 24 * 3600 * 1000
const APT_LIMIT_MS = 300_000

/** One suite for one architecture: its own lists, so that a name means one version. */
export class DebianSuite {
  readonly #directory: string
  readonly #options: readonly string[]
  readonly #architecture: DebianArchitecture

  constructor(suite: Suite, architecture: DebianArchitecture) {
    this.#architecture = architecture
    this.#directory = join(cacheDirectory, 'debian', `${suite}-${architecture}`)
    for (const part of ['lists/partial', 'cache/archives/partial', 'files']) {
      mkdirSync(join(this.#directory, part), { recursive: true })
    }
    const list = join(this.#directory, 'sources.list')
    const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
    const lines = sources[suite].map(
      (place) => `deb [signed-by=${keyring}] http://deb.debian.org/${place} main\n`,
    )
    writeFileSync(list, lines.join(''))
    this.#options = [
      `Dir::Etc::SourceList=${list}`,
      'Dir::Etc::SourceParts=/dev/null',
      `Dir::State::Lists=${join(this.#directory, 'lists')}`,
      `Dir::Cache=${join(this.#directory, 'cache')}`,
      `APT::Architecture=${architecture}`,
      `APT::Architectures=${architecture}`,
      'Acquire::Languages=none',
      'APT::Sandbox::User=root',
    ].flatMap((option) => ['-o', option])
  }

  /** Downloads packages by name, unless they are here; throws with apt's words when it cannot. */
  fetch(names: readonly string[]): DebianPackage[] {
    this.#update()
    return names.map((name) => {
      const version = this.#field(name, 'Version')
      const escaped = version.replaceAll(':', '%3a')
      const files = join(this.#directory, 'files')
      const start = `${name}_${escaped}_`
      const find = () => readdirSync(files).find((file) => file.startsWith(start))
      if (find() === undefined) this.#run('apt-get', ['download', `${name}=${version}`], files)
      const file = find()
      if (file === undefined) throw new Error(`apt did not download ${name} ${version}`)
      return { name, version, architecture: this.#architecture, path: join(files, file) }
    })
  }

  /** Names of the packages that a package needs. */
  dependencies(name: string): string[] {
    this.#update()
    const alternatives = this.#field(name, 'Depends').split(/,\s*/)
    return alternatives.map((each) => each.split(' ')[0]!)
  }

  /** What a package that only points to others depends on, first the one whose name starts with `start`. */
  dependency(name: string, start: string): string {
    const found = this.dependencies(name).find((each) => each.startsWith(start))
    if (found === undefined) throw new Error(`${name} depends on no ${start}*`)
    return found
  }

  #update(): void {
    const stamp = join(this.#directory, 'updated')
    const at = statSync(stamp, { throwIfNoEntry: false })?.mtimeMs ?? 0
    if (Date.now() - at < LISTS_LIVE_MS) return
    this.#run('apt-get', ['update'], this.#directory)
    writeFileSync(stamp, '')
  }

  #field(name: string, field: string): string {
    const text = this.#run('apt-cache', ['show', '--no-all-versions', name], this.#directory)
    const line = new RegExp(`^${field}: (.*)$`, 'm').exec(text)?.[1]
    if (line === undefined) throw new Error(`no package ${name} with a ${field}`)
    return line
  }

  #run(tool: 'apt-get' | 'apt-cache', args: readonly string[], cwd: string): string {
    return execFileSync(tool, [...this.#options, ...args], {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: APT_LIMIT_MS,
    })
  }
}

/** Why packages cannot be had here; "" when they can. */
export function whyNoDebian(): string {
  const tools = ['/usr/bin/apt-get', '/usr/bin/dpkg-deb'].filter((path) => !existsSync(path))
  return tools.length === 0 ? '' : `no ${tools.join(', ')}: this needs Debian`
}

/** Unpacks packages over each other into `directory`. */
export function unpack(packages: readonly DebianPackage[], directory: string): void {
  mkdirSync(directory, { recursive: true })
  for (const { path } of packages) execFileSync('dpkg-deb', ['-x', path, directory])
}
