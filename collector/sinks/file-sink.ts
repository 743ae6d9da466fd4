import { open } from 'node:fs/promises'
import { encodeFrame } from '#events'
import type { BatchSink, Outcome } from './batch-sink.ts'

/** Appends batches to a file, or to stdout as `-`: a trace that `lanner replay` reads. */
export async function openFileSink(path: string): Promise<BatchSink> {
  const handle = path === '-' ? undefined : await open(path, 'a', 0o600)
  const isFile = (await handle?.stat())?.isFile() ?? false
  const write = handle
    ? (bytes: Uint8Array) => handle.appendFile(bytes)
    : (bytes: Uint8Array) =>
        new Promise<void>((resolve, reject) => {
          process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()))
        })
  /** Writes whole frames: half of one would spoil all that follow. */
  const append = async (bytes: Uint8Array) => {
    const size = isFile ? (await handle!.stat()).size : undefined
    try {
      await write(bytes)
    } catch (error) {
      if (size !== undefined) await handle!.truncate(size)
      throw error
    }
  }
  return {
    limits: { batches: 64, bytes: 1 << 20 },
    async send(batches) {
      const outcomes: Outcome[] = []
      for (const { bytes } of batches) {
        try {
          await append(encodeFrame(bytes))
          outcomes.push({ kind: 'sent' })
        } catch (error) {
          const message = `${path}: ${(error as Error).message}`
          while (outcomes.length < batches.length) outcomes.push({ kind: 'failed', message })
          break
        }
      }
      return outcomes
    },
    async close() {
      await handle?.close()
    },
  }
}
