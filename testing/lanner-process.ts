import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { Said } from './run-lanner.ts'

const command = join(import.meta.dirname, '../cli/lanner')
const mostMs = 60_000

/**
 * Runs the `lanner` command as a process of its own. Of the environment it gets the path and what is given:
 * no credentials, no profile and no metadata service of wherever the test runs.
 */
export function lannerProcess(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Said> {
  const env = {
    ...{ PATH: process.env['PATH'], HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true' },
    ...{ S3_PATH_STYLE: 'true', ...environment },
  }
  return new Promise((resolve) => {
    const options = { env, timeout: mostMs, maxBuffer: 16 << 20 }
    const child = execFile(command, [...args], options, (_error, out, err) => {
      resolve({ code: child.exitCode ?? -1, out, err })
    })
  })
}
