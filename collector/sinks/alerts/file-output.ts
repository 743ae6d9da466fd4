import { closeSync, openSync, statSync } from 'node:fs'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import type { AlertOutput } from '../alert-output.ts'
import { LineWriter, type PutResult } from './line-writer.ts'
import { Tally } from './tally.ts'

export interface FileOutputOptions {
  readonly path: string
  /** Bytes at which the file is rotated. Only a line that is longer makes it longer. */
  readonly limit: number
  /** Rotated files that are kept, `path.1` the newest. */
  readonly keep: number
  readonly announce: (text: string) => void
}

/** Who is in the group of the file may read it, as with other logs. */
const mode = 0o640

/**
 * Appends to a file and rotates it. Others may rotate it, too, by moving or by truncating it.
 * Throws when it cannot be opened.
 */
export function openFileOutput(options: FileOutputOptions): AlertOutput {
  const { path, announce } = options
  assertUsable(path)
  const file = new RotatedFile(options)
  return new LineWriter({
    tally: new Tally(path, announce),
    put: (lines) => file.put(lines),
    onClosed: () => file.close(),
  })
}

function assertUsable(path: string): void {
  try {
    const found = statSync(path, { throwIfNoEntry: false })
    // opening a pipe would wait for its reader
    if (found !== undefined && !found.isFile()) throw new Error('it is not a regular file')
    closeSync(openSync(path, 'a', mode))
  } catch (error) {
    throw new Error(`alerts.file.path: cannot write to ${path}: ${(error as Error).message}`)
  }
}

class RotatedFile {
  readonly #options: FileOutputOptions
  #handle: FileHandle | undefined

  constructor(options: FileOutputOptions) {
    this.#options = options
  }

  /** Appends as many of the lines as fit into one file. */
  async put(lines: readonly Buffer[]): Promise<PutResult> {
    const { limit } = this.#options
    try {
      let { handle, size } = await this.#current()
      if (size > 0 && size + lines[0]!.length > limit) {
        await this.#rotate()
        ;({ handle, size } = await this.#current())
      }
      let count = 1
      let bytes = lines[0]!.length
      for (const { length } of lines.slice(1)) {
        if (size + bytes + length > limit) break
        bytes += length
        count += 1
      }
      await append(handle, Buffer.concat(lines.slice(0, count)), size)
      return { written: count }
    } catch (error) {
      return { problem: reasonOf(error as NodeJS.ErrnoException) }
    }
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  /** The file that the path names now. */
  async #current(): Promise<{ handle: FileHandle; size: number }> {
    const { path } = this.#options
    const named = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    const own = await this.#handle?.stat()
    if (own !== undefined && named?.ino === own.ino && named.dev === own.dev) {
      return { handle: this.#handle!, size: own.size }
    }
    await this.close()
    const handle = await open(path, 'a', mode)
    this.#handle = handle
    return { handle, size: (await handle.stat()).size }
  }

  async #rotate(): Promise<void> {
    const { path, keep } = this.#options
    await this.close()
    if (keep === 0) return rm(path, { force: true })
    for (let number = keep; number > 0; number--) {
      const from = number === 1 ? path : `${path}.${number - 1}`
      await rename(from, `${path}.${number}`).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
      })
    }
  }
}

/** Writes all of it or nothing: half a line would spoil the next one. */
async function append(handle: FileHandle, bytes: Buffer, size: number): Promise<void> {
  try {
    await handle.appendFile(bytes)
  } catch (error) {
    const { size: reached } = await handle.stat()
    if (reached > size) await handle.truncate(size)
    throw error
  }
}

/** Without the path, which the operator is told anyway. */
function reasonOf({ code, syscall, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOSPC') return 'the disk is full'
  return code === undefined ? message : `${code} at ${syscall}`
}
