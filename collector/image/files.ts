import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { agentEnvironment, nodeFlags, passOptions } from '../agent-command.ts'
import type { Parts } from './parts.ts'

// The one list of what is in the image; the OCI layout, the Dockerfile's build and the EC2 package come of it.

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A file, directory or link of the image; owned by root, without a date. */
export interface ImageEntry {
  /** Below the root, without a slash in front. */
  readonly path: string
  readonly mode: number
  /** Absent: a directory. */
  readonly content?: () => Uint8Array
  /** Target of a symbolic link. */
  readonly link?: string
}

/** What changes seldom and is large comes first, so that a node fetches it once for many versions. */
export interface Layer {
  readonly name: 'runtime' | 'lanner'
  readonly entries: readonly ImageEntry[]
}

const passwd = 'root:x:0:0:root:/:/none\nnobody:x:65534:65534:nobody:/:/none\n'
const group = 'root:x:0:\nnogroup:x:65534:\n'
const nsswitch = 'passwd: files\ngroup: files\nhosts: files dns\n'

/** Shared libraries that the Node binary names, by the package that has them. */
const libraries = [
  ...['libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0', 'libresolv.so.2'],
  ...['libgcc_s.so.1', 'libstdc++.so.6'],
] as const

/** Everything in an image of these parts. */
export function imageLayers(parts: Parts): readonly Layer[] {
  return [
    { name: 'runtime', entries: runtimeEntries(parts) },
    { name: 'lanner', entries: lannerEntries(parts) },
  ]
}

function runtimeEntries({ libraries: from, triplet, loader, node, packages }: Parts) {
  const sources = libraries.map((name) => findLibrary(from, triplet, name))
  return [
    ...['dev', 'etc', 'etc/lanner', 'lanner', 'lanner/licenses', 'lib', `lib/${triplet}`],
    ...(loader.startsWith('lib64/') ? ['lib64'] : []),
    ...['proc', 'run', 'sys', 'var', 'var/lib', 'var/lib/lanner', 'var/run'],
  ]
    .map((path): ImageEntry => ({ path, mode: 0o755 }))
    .concat(
      { path: 'tmp', mode: 0o1777 },
      text('etc/passwd', passwd),
      text('etc/group', group),
      text('etc/nsswitch.conf', nsswitch),
      file(loader, findLoader(from, triplet, loader), 0o755),
      ...sources.map((path, i) => file(`lib/${triplet}/${libraries[i]}`, path, 0o644)),
      file('lanner/node', node, 0o755),
      ...packages.map(({ name }) =>
        file(
          `lanner/licenses/${name}`,
          join(from, 'usr/share/doc', docOf(name), 'copyright'),
          0o644,
        ),
      ),
    )
}

function lannerEntries({ build }: Parts): ImageEntry[] {
  const collector = join(root, 'build', 'collector')
  const programs = readdirSync(collector).filter((name) => name.endsWith('.mjs'))
  const library = join(root, 'rules', 'library')
  const rules = readdirSync(library).filter((name) => isRuleFile(name))
  return [
    { path: 'lanner/collector', mode: 0o755 },
    { path: 'lanner/rules', mode: 0o755 },
    file('lanner/licenses/lanner', join(root, 'LICENSE'), 0o644),
    file('lanner/lanner-sensor', join(build, 'lanner-sensor.stripped'), 0o755),
    file('lanner/doctor.mjs', join(root, 'build', 'doctor.mjs'), 0o644),
    ...programs.map((name) => file(`lanner/collector/${name}`, join(collector, name), 0o644)),
    file('lanner/collector/ring.node', join(build, 'ring.node.stripped'), 0o644),
    ...rules.map((name) => file(`lanner/rules/${name}`, join(library, name), 0o644)),
  ]
}

/** Correlations are evaluated behind the stream, tests nowhere. */
function isRuleFile(name: string): boolean {
  return /^[\w-]+\.yaml$/.test(name)
}

/** Environment, command and labels of the image. */
export const imageConfig = {
  environment: { ...agentEnvironment, LANNER_BUILD: '/lanner/' },
  entrypoint: [
    ...['/lanner/lanner-sensor', ...passOptions, '--', '/lanner/node', ...nodeFlags],
    '/lanner/collector/main.mjs',
  ],
  command: ['/etc/lanner/agent.yaml'],
  directory: '/',
} as const

function text(path: string, content: string): ImageEntry {
  return { path, mode: 0o644, content: () => Buffer.from(content) }
}

function file(path: string, from: string, mode: number): ImageEntry {
  return { path, mode, content: () => readFileSync(from) }
}

/** Packages of one source share a directory of documents. */
function docOf(name: string): string {
  return name === 'libstdc++6' || name === 'libgcc-s1' ? 'gcc-12-base' : name
}

function findLibrary(from: string, triplet: string, name: string): string {
  for (const directory of [`lib/${triplet}`, `usr/lib/${triplet}`]) {
    if (readdirSync(join(from, directory)).includes(name)) return join(from, directory, name)
  }
  throw new Error(`${name} is in none of the packages`)
}

function findLoader(from: string, triplet: string, loader: string): string {
  return join(from, 'lib', triplet, loader.split('/').at(-1)!)
}
