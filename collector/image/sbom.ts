import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { DebianPackage } from './debian.ts'
import type { Parts } from './parts.ts'

// What is in a release, as CycloneDX 1.5 knows it.

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Component {
  readonly type: 'library' | 'application'
  readonly name: string
  readonly version: string
  readonly purl: string
  readonly scope: 'required'
  readonly hashes?: readonly { readonly alg: 'SHA-256' | 'SHA-512'; readonly content: string }[]
  readonly licenses?: readonly { readonly expression: string }[]
}

interface Locked {
  readonly version?: string
  readonly integrity?: string
  readonly license?: string
  readonly dev?: boolean
  readonly link?: boolean
}

/** Packages that the shipped code may contain: those of package-lock.json that are not for development. */
export function npmComponents(lock: string): Component[] {
  const packages = (JSON.parse(lock) as { packages: Readonly<Record<string, Locked>> }).packages
  return Object.entries(packages)
    .filter(([path, { dev, link }]) => path !== '' && dev !== true && link !== true)
    .map(([path, { version = '', integrity, license }]): Component => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
      const [algorithm, digest] = integrity?.split('-') ?? []
      return {
        ...{ type: 'library', name, version, scope: 'required' },
        purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
        ...(algorithm === 'sha512' && {
          hashes: [{ alg: 'SHA-512', content: Buffer.from(digest!, 'base64').toString('hex') }],
        }),
        ...(license !== undefined && { licenses: [{ expression: license }] }),
      }
    })
}

/** Packages of Debian in the image, and those linked into the sensor. */
export function debianComponents(packages: readonly DebianPackage[]): Component[] {
  return packages.map(({ name, version, architecture, path }) => ({
    ...{ type: 'library', name, version, scope: 'required' },
    purl: `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}&distro=bookworm`,
    hashes: [{ alg: 'SHA-256', content: sha256(readFileSync(path)) }],
  }))
}

/** The document of a release; it names no time and no random number, so that one release has one. */
export function sbomOf(version: string, created: string, parts: readonly Parts[]): string {
  const lock = readFileSync(`${root}/package-lock.json`, 'utf8')
  const node = parts.map(
    ({ nodeVersion, architecture, node }): Component => ({
      ...{ type: 'application', name: 'node', version: nodeVersion, scope: 'required' },
      purl: `pkg:generic/node@${nodeVersion}?arch=${architecture}`,
      hashes: [{ alg: 'SHA-256', content: sha256(readFileSync(node)) }],
    }),
  )
  const debian = parts.flatMap(({ packages, linked }) => debianComponents([...packages, ...linked]))
  const all = [...node, ...debian, ...npmComponents(lock)]
  // a package may be there twice, at two depths or for two purposes
  const components = [...new Map(all.map((each) => [each.purl, each])).values()].map((each) => ({
    'bom-ref': each.purl,
    ...each,
  }))
  return `${JSON.stringify(
    {
      bomFormat: 'CycloneDX',
      specVersion: '1.5',
      version: 1,
      metadata: {
        timestamp: created,
        component: {
          ...{ type: 'application', 'bom-ref': 'lanner', name: 'lanner', version },
          licenses: [{ expression: 'Apache-2.0' }],
        },
      },
      components,
      dependencies: [{ ref: 'lanner', dependsOn: components.map(({ purl }) => purl) }],
    },
    undefined,
    1,
  )}\n`
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
