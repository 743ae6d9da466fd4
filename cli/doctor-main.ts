/** `lanner doctor node` alone: what the image has of the command line. */

import { run, usage } from './doctor/node.ts'
import { UsageError } from './io.ts'

const io = {
  out: (text: string) => void process.stdout.write(text),
  err: (text: string) => void process.stderr.write(text),
  color: false,
}

try {
  process.exitCode = await run(process.argv.slice(2), io)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  io.err(`${error.message}\n\n${usage}\n`)
  process.exitCode = 2
}
