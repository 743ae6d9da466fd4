import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type Source, sourceOf, whyNoImage } from './build.ts'
import { type ImageEntry, imageConfig, imageLayers } from './files.ts'
import { writeLayout } from './oci.ts'
import { architectures, gatherParts, type Parts } from './parts.ts'
import { sbomOf, sha256 } from './sbom.ts'
import { tarOf } from './tar.ts'

// node collector/image/release.ts VERSION DIR: everything that a release is, in DIR, and one bundle of it all.

const here = import.meta.dirname
const root = fileURLToPath(new URL('../..', import.meta.url))

/** Files of a release: name → bytes. What goes in is in the repository or in packages; no clock, no chance. */
export function releaseFiles(source: Source): Map<string, Uint8Array> {
  const { version } = source
  const parts = architectures.map(gatherParts)
  const files = new Map<string, Uint8Array>()
  const { archive, digest } = imageArchive(parts, source)
  files.set(`lanner-${version}-image.tar`, archive)
  files.set(`lanner-${version}.tgz`, packed(chartEntries(version, digest)))
  for (const part of parts) {
    files.set(`lanner-${version}-${part.architecture}.tar.gz`, packed(machineEntries(part)))
  }
  files.set(
    `lanner-${version}-rules.tar.gz`,
    packed(entriesBelow(join(root, 'rules/library'), 'rules')),
  )
  files.set('sbom.cdx.json', Buffer.from(sbomOf(version, source.created, parts)))
  files.set('provenance.json', Buffer.from(provenanceOf(source, digest, parts, files)))
  files.set('SHA256SUMS', Buffer.from(checksums(files)))
  return files
}

/** Writes a release, and the bundle with all of it for networks that reach nothing. */
export function writeRelease(directory: string, source: Source): void {
  const files = releaseFiles(source)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  for (const [name, bytes] of files) writeFileSync(join(directory, name), bytes)
  const name = `lanner-${source.version}-offline`
  const entries = [...files].map(([file, bytes]) =>
    fileEntry(`${name}/${file}`, 0o644, () => bytes),
  )
  const bundle = tarOf([{ path: name, mode: 0o755 }, ...entries])
  writeFileSync(join(directory, `${name}.tar`), bundle)
  writeFileSync(join(directory, `${name}.tar.sha256`), `${sha256(bundle)}  ${name}.tar\n`)
}

/** The OCI layout in one file, as skopeo, podman and containerd import it. */
function imageArchive(parts: readonly Parts[], source: Source) {
  const scratch = mkdtempSync(join(tmpdir(), 'lanner-release-'))
  try {
    const layers = parts.map((part) => [part.architecture, imageLayers(part)] as const)
    const { digest } = writeLayout(join(scratch, 'layout'), new Map(layers), source)
    return { archive: tarOf(entriesBelow(join(scratch, 'layout'), '')), digest }
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

/** The chart with the version, and the image by digest. */
function chartEntries(version: string, digest: string): ImageEntry[] {
  return entriesBelow(join(here, 'chart'), 'lanner').map((entry) => {
    const text = () => Buffer.from(entry.content?.() ?? []).toString()
    if (entry.path === 'lanner/Chart.yaml') {
      return fileEntry(entry.path, 0o644, () =>
        Buffer.from(text().replaceAll(/^(version|appVersion): .*$/gm, `$1: ${version}`)),
      )
    }
    if (entry.path !== 'lanner/values.yaml') return entry
    return fileEntry(entry.path, 0o644, () =>
      Buffer.from(text().replace(/^ {2}digest: ""$/m, `  digest: ${digest}`)),
    )
  })
}

/** For a machine with systemd: the same files as in the image, without the libraries that it has itself. */
function machineEntries(parts: Parts): ImageEntry[] {
  const own = imageLayers(parts)
    .flatMap(({ entries }) => entries)
    .filter(({ path }) => path.startsWith('lanner'))
  const entrypoint = imageConfig.entrypoint.map((word) =>
    word.replace(/^\/lanner\//, '/opt/lanner/'),
  )
  const start = `#!/bin/sh\nexec ${entrypoint.join(' ')} /etc/lanner/agent.yaml\n`
  const beside = ['install.sh', 'lanner.service', 'agent.yaml'].map((name) =>
    fileEntry(name, name.endsWith('.sh') ? 0o755 : 0o644, () =>
      readFileSync(join(here, 'systemd', name)),
    ),
  )
  return [...own, fileEntry('lanner/start', 0o755, () => Buffer.from(start)), ...beside]
}

/** An in-toto statement (SLSA provenance v1) of what was built from what; whoever publishes it signs it. */
function provenanceOf(
  { version, revision, created }: Source,
  digest: string,
  parts: readonly Parts[],
  files: ReadonlyMap<string, Uint8Array>,
): string {
  const packages = parts.flatMap(({ packages, linked }) => [...packages, ...linked])
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [
      { name: 'lanner', digest: { sha256: digest.replace('sha256:', '') } },
      ...[...files].map(([name, bytes]) => ({ name, digest: { sha256: sha256(bytes) } })),
    ],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'https://lanner/collector/image/release.ts',
        externalParameters: { version },
        resolvedDependencies: [
          { uri: 'git+lanner', digest: { gitCommit: revision } },
          ...packages.map(({ name, version: of, architecture, path }) => ({
            uri: `pkg:deb/debian/${name}@${of}?arch=${architecture}`,
            digest: { sha256: sha256(readFileSync(path)) },
          })),
        ],
      },
      runDetails: {
        builder: { id: 'https://lanner/collector/image' },
        metadata: { invocationId: revision, startedOn: created },
      },
    },
  }
  return `${JSON.stringify(statement, undefined, 1)}\n`
}

/** As `sha256sum --check` reads them. */
function checksums(files: ReadonlyMap<string, Uint8Array>): string {
  return [...files].map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`).join('')
}

/** Files below a directory in the order of their names, below `prefix` in an archive. */
function entriesBelow(directory: string, prefix: string): ImageEntry[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .map((entry) => ({ entry, path: join(entry.parentPath, entry.name) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ entry, path }): ImageEntry => {
      const name = join(prefix, relative(directory, path))
      if (entry.isDirectory()) return { path: name, mode: 0o755 }
      return fileEntry(name, 0o644, () => readFileSync(path))
    })
}

function fileEntry(path: string, mode: number, content: () => Uint8Array): ImageEntry {
  return { path, mode, content }
}

function packed(entries: readonly ImageEntry[]): Buffer {
  return gzipSync(tarOf(entries), { level: 6 })
}

if (import.meta.main) {
  const [version, directory] = process.argv.slice(2)
  const reason = whyNoImage()
  if (
    version === undefined ||
    directory === undefined ||
    !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)
  ) {
    process.stderr.write('usage: release.ts VERSION DIR\n')
    process.exitCode = 2
  } else if (reason !== '') {
    process.stderr.write(`release.ts: ${reason}\n`)
    process.exitCode = 2
  } else {
    writeRelease(directory, sourceOf(version))
  }
}
