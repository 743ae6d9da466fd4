import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Batch, BatchError, decodeBatch, FrameError, FrameReader } from '#events'
import { decompress } from '../collector/agent/zstd.ts'

const CHUNK = 1 << 20

/** A trace that cannot be read to its end; what came before it was read. */
export class TraceError extends Error {
  override readonly name = 'TraceError'
}

/** The files of a trace: itself, or those of a directory in the order of their names. */
export function traceFiles(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

/**
 * Reads a trace file batch by batch. A damaged batch is reported and skipped; a file that ends inside
 * a batch, or whose framing is lost, is reported and left.
 */
export function* readTrace(file: string, onError: (error: TraceError) => void): Generator<Batch> {
  const frames = new FrameReader()
  const fd = openSync(file, 'r')
  const chunk = new Uint8Array(CHUNK)
  let number = 0
  try {
    for (;;) {
      const length = readSync(fd, chunk)
      for (const bytes of frames.push(chunk.slice(0, length))) {
        const batch = decoded(file, number, bytes, onError)
        number += 1
        if (batch !== undefined) yield batch
      }
      if (length === 0) break
    }
    frames.end()
  } catch (cause) {
    if (!(cause instanceof FrameError)) throw cause
    onError(new TraceError(`${file}: ${cause.message}`, { cause }))
  } finally {
    closeSync(fd)
  }
}

function decoded(
  file: string,
  number: number,
  bytes: Uint8Array,
  onError: (error: TraceError) => void,
): Batch | undefined {
  try {
    return decodeBatch(bytes, decompress)
  } catch (cause) {
    if (!(cause instanceof BatchError)) throw cause
    onError(new TraceError(`${file}: batch ${number}: ${cause.message}`, { cause }))
    return undefined
  }
}
