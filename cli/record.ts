import { closeSync, openSync } from 'node:fs'
import { hostname } from 'node:os'
import { readRuleFiles } from '#load'
import { type Io, UsageError } from './io.ts'
import { runSensor } from './live.ts'
import { obstacles } from './machine.ts'
import { parseRuleOptions, sharedUsage } from './rule-options.ts'
import { secondsOf } from './watch.ts'

export const usage = `usage: lanner record --out FILE [--rules PATH]... [OPTION]...

Writes what happens on this machine to a trace, which "lanner replay" evaluates. With --rules it keeps
the events that these rules look at; without, every call that the sensor can describe.

  --out FILE                where to
  --duration SECONDS        end after so long; otherwise Ctrl-C does
${sharedUsage}`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { rules, values, positionals } = parseRuleOptions(args, {
    out: { type: 'string' },
    duration: { type: 'string' },
  })
  if (positionals.length > 0) throw new UsageError(`unexpected argument "${positionals[0]}"`)
  if (values.out === undefined) throw new UsageError('where to? --out FILE is needed')
  const duration = secondsOf(values.duration)
  const [missing] = obstacles()
  if (missing !== undefined) {
    io.err(
      `lanner: cannot record here: ${missing.name}: ${missing.found}\n  -> ${missing.advice}\n`,
    )
    return 2
  }
  const { files, problems } = readRuleFiles(rules.paths)
  if (problems.length > 0) {
    for (const { path, message } of problems) io.err(`error: ${path}: ${message}\n`)
    return 2
  }
  let out: number
  try {
    out = openSync(values.out, 'w', 0o600)
  } catch (error) {
    io.err(`error: ${error instanceof Error ? error.message : error}\n`)
    return 2
  }
  try {
    const { matching, leastPriority, selections, additions, strictCompat } = rules
    return await runSensor(
      {
        ...{
          mode: 'record',
          files,
          matching,
          leastPriority,
          selections,
          additions,
          strictCompat,
          duration,
        },
        ...{ json: false, color: false, terminal: false, hostname: hostname() },
        runbooks: {},
      },
      out,
    )
  } finally {
    closeSync(out)
  }
}
