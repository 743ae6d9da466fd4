import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type DebianArchitecture, whyNoDebian } from './debian.ts'
import { imageLayers, type Layer } from './files.ts'
import { writeRoot } from './layout-files.ts'
import { type Descriptor, writeLayout } from './oci.ts'
import { architectures, gatherParts, missingTools } from './parts.ts'

// node collector/image/build.ts image DIR [ARCHITECTURE...]   an OCI layout
// node collector/image/build.ts root ARCHITECTURE DIR         the files of one image

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Why images for these architectures cannot be built here; "" when they can. */
export function whyNoImage(wanted: readonly DebianArchitecture[] = architectures): string {
  const debian = whyNoDebian()
  if (debian !== '') return debian
  const missing = missingTools(wanted)
  return missing.length === 0 ? '' : `apt-get install ${missing.join(' ')}`
}

export interface Source {
  readonly version: string
  readonly revision: string
  /** ISO 8601, of the commit: what is built from one commit has one date. */
  readonly created: string
}

/** The commit that this checkout is at. */
export function sourceOf(version: string): Source {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
  const created = new Date(Number(git('log', '-1', '--format=%ct')) * 1000).toISOString()
  return { version, revision: git('rev-parse', 'HEAD'), created }
}

/** Builds an image for each architecture into an OCI layout; gives the descriptor of its index. */
export function buildImages(
  directory: string,
  wanted: readonly DebianArchitecture[],
  source: Source,
): Descriptor {
  const layers = wanted.map((each): [DebianArchitecture, readonly Layer[]] => [
    each,
    imageLayers(gatherParts(each)),
  ])
  return writeLayout(directory, new Map(layers), source)
}

function isArchitecture(name: string | undefined): name is DebianArchitecture {
  return architectures.some((each) => each === name)
}

function main(args: readonly string[]): number {
  const [what, first, second] = args
  if (what === 'root' && isArchitecture(first) && second !== undefined) {
    writeRoot(second, imageLayers(gatherParts(first)))
    return 0
  }
  const wanted = args.length > 2 ? args.slice(2) : architectures
  if (what === 'image' && first !== undefined && wanted.every(isArchitecture)) {
    const { digest } = buildImages(first, wanted, sourceOf(process.env['VERSION'] ?? '0.1.0'))
    process.stdout.write(`${digest}\n`)
    return 0
  }
  process.stderr.write('usage: build.ts image DIR [ARCHITECTURE...] | root ARCHITECTURE DIR\n')
  return 2
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2))
