import type { Writable } from 'node:stream'
import type { AlertOutput } from '../alert-output.ts'
import { LineWriter } from './line-writer.ts'
import { Tally } from './tally.ts'

export interface StreamOutputOptions {
  readonly stream: Writable
  /** What to call it in front of the operator. */
  readonly name: string
  readonly announce: (text: string) => void
  readonly limitBytes?: number
  readonly closeMs?: number
}

/**
 * Writes to standard output, when that is a pipe or a socket without ever waiting for the reader:
 * Node writes to those in the background, and one write at a time is under way. (A terminal or a
 * file it writes at once.) A reader that is gone ends the output.
 */
export function streamOutput(options: StreamOutputOptions): AlertOutput {
  const { stream, name, announce, ...limits } = options
  // each write tells its own failure; without a listener the same error would end the agent
  stream.on('error', () => {})
  return new LineWriter({
    ...limits,
    tally: new Tally(name, announce),
    put: (lines) =>
      new Promise((resolve) => {
        stream.write(Buffer.concat(lines), (error) => {
          if (error) resolve({ problem: reasonOf(error), isFinal: isEnd(error) })
          else resolve({ written: lines.length })
        })
      }),
  })
}

const ends = new Set(['EPIPE', 'ECONNRESET', 'EBADF', 'ERR_STREAM_DESTROYED'])

function isEnd({ code }: NodeJS.ErrnoException): boolean {
  return ends.has(code ?? '')
}

function reasonOf(error: NodeJS.ErrnoException): string {
  return isEnd(error) ? `nobody reads it any more (${error.code})` : error.message
}
