import { BatchError, type BatchErrorCode } from './error.ts'
import { readHeader } from './header.ts'
import { batchLimit } from './limits.ts'

const prefixLength = 4

/** A batch as it stands in a file: its length (32 bits, little-endian), then its bytes. */
export function encodeFrame(batch: Uint8Array): Uint8Array {
  const frame = new Uint8Array(prefixLength + batch.length)
  new DataView(frame.buffer).setUint32(0, batch.length, true)
  frame.set(batch, prefixLength)
  return frame
}

/** A file that does not end with a whole batch, or whose frames make no sense. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
  readonly code: BatchErrorCode
  /** Counted from 0. */
  readonly frame: number
  /** Where the frame begins in the file. */
  readonly offset: number

  constructor(code: BatchErrorCode, frame: number, offset: number, message: string) {
    super(message)
    this.code = code
    this.frame = frame
    this.offset = offset
  }
}

/**
 * Takes the bytes of a trace file as they come and gives its batches, whole but not decoded. Never
 * holds more than one batch and the last piece.
 */
export class FrameReader {
  #pieces: Uint8Array[] = []
  #held = 0
  #frame = 0
  #offset = 0

  /** The batches that end in this piece. Throws a {@link FrameError} at a length that cannot be. */
  push(piece: Uint8Array): Uint8Array[] {
    if (piece.length === 0) return []
    this.#pieces.push(piece)
    this.#held += piece.length
    if (this.#held < this.#wanted()) return []
    let bytes = this.#join()
    const batches: Uint8Array[] = []
    while (bytes.length >= prefixLength) {
      const end = prefixLength + this.#lengthOf(bytes)
      if (bytes.length < end) break
      batches.push(bytes.subarray(prefixLength, end))
      bytes = bytes.subarray(end)
      this.#frame += 1
      this.#offset += end
    }
    this.#pieces = bytes.length === 0 ? [] : [bytes]
    this.#held = bytes.length
    return batches
  }

  /** Says that the file ends here. Throws a {@link FrameError} that names a cut batch. */
  end(): void {
    if (this.#held === 0) return
    const bytes = this.#join()
    const name = nameOf(bytes.subarray(prefixLength))
    const wanted = bytes.length < prefixLength ? 'its length' : `${this.#lengthOf(bytes)} bytes`
    throw new FrameError(
      'short',
      this.#frame,
      this.#offset,
      `the file ends inside batch ${this.#frame}${name} at byte ${this.#offset}: ` +
        `${Math.max(bytes.length - prefixLength, 0)} of ${wanted} are there`,
    )
  }

  /** Bytes that must be there before it is worth while to look again. */
  #wanted(): number {
    const first = this.#pieces[0]!
    if (first.length < prefixLength) return prefixLength
    return prefixLength + this.#lengthOf(first)
  }

  #lengthOf(bytes: Uint8Array): number {
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
    if (length > batchLimit) {
      throw new FrameError(
        'size',
        this.#frame,
        this.#offset,
        `batch ${this.#frame} at byte ${this.#offset} would have ${length} bytes, more than ${batchLimit}`,
      )
    }
    return length
  }

  #join(): Uint8Array {
    if (this.#pieces.length === 1) return this.#pieces[0]!
    const bytes = new Uint8Array(this.#held)
    let at = 0
    for (const piece of this.#pieces) {
      bytes.set(piece, at)
      at += piece.length
    }
    this.#pieces = [bytes]
    return bytes
  }
}

/** Node and sequence of a batch whose end is missing, when its header is there. */
function nameOf(bytes: Uint8Array): string {
  try {
    const header = readHeaderOfPart(bytes)
    return ` (node ${header.node}, sequence ${header.sequence})`
  } catch (error) {
    if (error instanceof BatchError) return ''
    throw error
  }
}

/** The header of a batch whose body may be cut. */
function readHeaderOfPart(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 12) throw new BatchError('short', 'header', bytes.length, 'the bytes end here')
  const whole = new Uint8Array(
    Math.min(view.getUint16(6, true) + view.getUint32(8, true), batchLimit),
  )
  whole.set(bytes.subarray(0, whole.length))
  if (bytes.length < view.getUint16(6, true)) {
    throw new BatchError('short', 'header', bytes.length, 'the header ends here')
  }
  return readHeader(whole)
}
