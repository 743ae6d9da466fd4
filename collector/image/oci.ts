import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { imageConfig, type Layer } from './files.ts'
import { tarOf } from './tar.ts'

// An OCI image layout (image-spec 1.1): what `skopeo copy oci:DIR docker://…`, crane or oras push.

const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const

export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly platform?: Platform
  readonly annotations?: Readonly<Record<string, string>>
}

export interface Platform {
  readonly os: 'linux'
  readonly architecture: 'amd64' | 'arm64'
}

export interface LayoutOptions {
  /** Tag, and version in the labels. */
  readonly version: string
  /** Of the source, ISO 8601: an image has no other date. */
  readonly created: string
  readonly revision: string
}

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** Writes a layout with one image for each architecture; resolves to the descriptor of its index. */
export function writeLayout(
  directory: string,
  images: ReadonlyMap<Platform['architecture'], readonly Layer[]>,
  options: LayoutOptions,
): Descriptor {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(join(directory, 'blobs', 'sha256'), { recursive: true })
  const blobs = new Blobs(directory)
  const manifests = [...images].map(([architecture, layers]) => ({
    ...writeImage(blobs, { os: 'linux', architecture }, layers, options),
    platform: { os: 'linux', architecture } as const,
  }))
  const annotations = labels(options)
  const index = { schemaVersion: 2, mediaType: types.index, manifests, annotations }
  const descriptor = blobs.json(types.index, index)
  const name = { 'org.opencontainers.image.ref.name': options.version }
  const top = {
    schemaVersion: 2,
    mediaType: types.index,
    manifests: [{ ...descriptor, annotations: name }],
  }
  writeFileSync(join(directory, 'index.json'), `${JSON.stringify(top)}\n`)
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}\n')
  return descriptor
}

function writeImage(
  blobs: Blobs,
  platform: Platform,
  layers: readonly Layer[],
  options: LayoutOptions,
): Descriptor {
  const tars = layers.map(({ entries }) => tarOf(entries))
  const { environment, entrypoint, command, directory } = imageConfig
  const config = {
    created: options.created,
    ...platform,
    config: {
      Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      Entrypoint: entrypoint,
      Cmd: command,
      WorkingDir: directory,
      Labels: labels(options),
    },
    rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
    history: layers.map(({ name }) => ({ created: options.created, comment: name })),
  }
  return blobs.json(types.manifest, {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: blobs.json(types.config, config),
    layers: tars.map((tar) => blobs.add(types.layer, gzipSync(tar, { level: 6 }))),
    annotations: labels(options),
  })
}

function labels({ version, created, revision }: LayoutOptions): Record<string, string> {
  const prefix = 'org.opencontainers.image'
  return {
    [`${prefix}.title`]: 'lanner',
    [`${prefix}.version`]: version,
    [`${prefix}.revision`]: revision,
    [`${prefix}.created`]: created,
    [`${prefix}.licenses`]: 'Apache-2.0 AND GPL-2.0-only',
  }
}

class Blobs {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  json(mediaType: string, value: unknown): Descriptor {
    return this.add(mediaType, Buffer.from(JSON.stringify(value)))
  }

  add(mediaType: string, bytes: Uint8Array): Descriptor {
    const digest = digestOf(bytes)
    writeFileSync(blobPath(this.#directory, digest), bytes)
    return { mediaType, digest, size: bytes.length }
  }
}

function blobPath(directory: string, digest: string): string {
  return join(directory, 'blobs', ...digest.split(':'))
}

/** What a blob holds; throws when it is not what its digest says. */
export function readBlob(directory: string, { digest, size }: Descriptor): Buffer {
  const bytes = readFileSync(blobPath(directory, digest))
  if (bytes.length !== size || digestOf(bytes) !== digest) {
    throw new Error(`blob ${digest} of ${directory} is damaged`)
  }
  return bytes
}

interface Manifest {
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

/** Manifest of the image for one architecture of a layout. */
export function readManifest(directory: string, architecture: Platform['architecture']): Manifest {
  const json = (bytes: Buffer) => JSON.parse(bytes.toString('utf8'))
  const top = json(readFileSync(join(directory, 'index.json')))
  const index = json(readBlob(directory, top.manifests[0]))
  const found = (index.manifests as readonly Descriptor[]).find(
    ({ platform }) => platform?.architecture === architecture,
  )
  if (found === undefined) throw new Error(`${directory} has no image for ${architecture}`)
  return json(readBlob(directory, found))
}
