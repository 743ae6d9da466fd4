import type { FileHandle } from 'node:fs/promises'
import { BatchError, type BatchHeader, batchLimit, readHeader } from '#events'

/** The length before each batch, as in a trace file. */
export const lengthSize = 4

/** A stretch of a segment: a whole batch with its length before it, or bytes that are none. */
export interface Stretch {
  readonly start: number
  readonly end: number
  /** `undefined` where the bytes are damaged. */
  readonly entry: { readonly batch: Uint8Array; readonly header: BatchHeader } | undefined
}

/** No header is shorter; a file that grew without its bytes reads as zeros. */
const leastBatch = 72
const smallBuffer = 64 << 10

/** Bytes to read at a time where a whole segment is gone through. */
export const scanBytes = 256 << 10

/** Batches of one file, in the bytes of a trace file; it is named by the index of the first. */
export interface Segment {
  readonly first: number
  readonly path: string
  bytes: number
}

export function segmentName(first: number): string {
  return `${String(first).padStart(16, '0')}.frames`
}

/** The index in a name of {@link segmentName}; `undefined` for another file. */
export function firstIndexOf(name: string): number | undefined {
  return /^\d{16}\.frames$/.test(name) ? Number.parseInt(name, 10) : undefined
}

/** Reads segments piece by piece through one buffer. */
export class SegmentReader {
  #buffer = Buffer.allocUnsafeSlow(smallBuffer)

  /**
   * What lies between two places of a segment, as far as one read goes: at least one stretch when
   * there is a byte, and no more batches or bytes than asked for unless the first alone is larger.
   * The batches are views that are good until the next call.
   */
  async read(
    handle: FileHandle,
    from: number,
    to: number,
    maxBatches: number,
    maxBytes: number,
  ): Promise<Stretch[]> {
    let window = await this.#fill(handle, from, Math.min(to - from, maxBytes))
    const found: Stretch[] = []
    for (let start = from; start < to && found.length < maxBatches; ) {
      const length = lengthAt(window, start - from)
      if (length === undefined && start + lengthSize <= to && found.length > 0) break
      const end = start + lengthSize + (length ?? 0)
      if (length === undefined || length < leastBatch || length > batchLimit || end > to) {
        // Where the next batch would begin is not known either.
        found.push({ start, end: to, entry: undefined })
        break
      }
      if (end - from > window.length) {
        if (found.length > 0) break
        window = await this.#fill(handle, from, end - from)
        if (end - from > window.length) {
          found.push({ start, end: to, entry: undefined })
          break
        }
      }
      const batch = window.subarray(start - from + lengthSize, end - from)
      const header = headerOf(batch)
      found.push({ start, end, entry: header && { batch, header } })
      start = end
    }
    return found
  }

  /** Gives the memory of a large read back. */
  shrink(): void {
    if (this.#buffer.length > smallBuffer) this.#buffer = Buffer.allocUnsafeSlow(smallBuffer)
  }

  async #fill(handle: FileHandle, from: number, wanted: number): Promise<Uint8Array> {
    const size = Math.max(wanted, lengthSize)
    if (size > this.#buffer.length) {
      this.#buffer = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(size)))
    }
    let held = 0
    while (held < size) {
      const { bytesRead } = await handle.read(this.#buffer, held, size - held, from + held)
      if (bytesRead === 0) break
      held += bytesRead
    }
    return this.#buffer.subarray(0, held)
  }
}

function lengthAt(bytes: Uint8Array, at: number): number | undefined {
  if (at + lengthSize > bytes.length) return undefined
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true)
}

function headerOf(batch: Uint8Array): BatchHeader | undefined {
  try {
    return readHeader(batch)
  } catch (error) {
    if (error instanceof BatchError) return undefined
    throw error
  }
}

/** Writes a batch with its length before it. Rejects when not all of it could be written. */
export async function writeFrame(handle: FileHandle, batch: Uint8Array, at: number): Promise<void> {
  const length = Buffer.allocUnsafe(lengthSize)
  length.writeUInt32LE(batch.length)
  let rest: Uint8Array[] = [length, batch]
  while (rest.length > 0) {
    // Short on a disk that is nearly full; the next call then says why.
    let { bytesWritten } = await handle.writev(rest, at)
    at += bytesWritten
    while (rest.length > 0 && bytesWritten >= rest[0]!.length) {
      bytesWritten -= rest[0]!.length
      rest = rest.slice(1)
    }
    if (rest.length > 0) rest[0] = rest[0]!.subarray(bytesWritten)
  }
}
