import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Layer } from './files.ts'
import { type Platform, readBlob, readManifest } from './oci.ts'

/** Lays the files of an image out below `directory`, which is made anew. */
export function writeRoot(directory: string, layers: readonly Layer[]): void {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  for (const { path, mode, content, link } of layers.flatMap(({ entries }) => entries)) {
    const at = join(directory, path)
    if (link !== undefined) symlinkSync(link, at)
    else if (content === undefined) mkdirSync(at, { recursive: true })
    else writeFileSync(at, content())
    if (link === undefined) chmodSync(at, mode)
  }
}

/** Unpacks an image of a layout as a container runtime would. */
export function unpackImage(
  layout: string,
  architecture: Platform['architecture'],
  directory: string,
): void {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  for (const layer of readManifest(layout, architecture).layers) {
    const input = gunzipSync(readBlob(layout, layer))
    execFileSync('tar', ['-x', '-p', '--numeric-owner', '-C', directory], { input })
  }
}
