import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import { readRuleFiles } from '#load'
import { type Io, UsageError } from './io.ts'
import { becomeSensor } from './live.ts'
import { obstacles } from './machine.ts'
import { run as replay } from './replay.ts'
import { parseRuleOptions, sharedUsage } from './rule-options.ts'
import { runbooksBeside } from './runbooks.ts'

export const usage = `usage: lanner watch [--rules PATH]... [OPTION]...

Detects what happens on this machine, as it happens. Needs root and a kernel with BTF; where that is
missing it says so and shows a recorded attack instead. Without --rules it uses Lanner's own rules,
all that match. NAME.correlation.yaml among them holds rules over the detections of the others.

  --duration SECONDS        end after so long; otherwise Ctrl-C does
${sharedUsage}`

const library = fileURLToPath(new URL('../rules/library', import.meta.url))
export const recordedAttack = fileURLToPath(new URL('./recorded/attack.trace', import.meta.url))

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { rules, values, positionals } = parseRuleOptions(args, { duration: { type: 'string' } })
  if (positionals.length > 0) throw new UsageError(`unexpected argument "${positionals[0]}"`)
  const duration = secondsOf(values.duration)
  const own = rules.paths.length === 0
  const paths = own ? [library] : rules.paths
  const missing = obstacles()
  if (missing.length > 0) {
    io.err('lanner: no live detection here:\n')
    for (const { name, found, advice } of missing) {
      io.err(`  ${name}: ${found}${advice === '' ? '' : `\n    -> ${advice}`}\n`)
    }
    io.err('lanner: replaying an attack that was recorded on another machine\n\n')
    const all = own ? ['--rule-matching', 'all', '--rules', library] : []
    const own_ = args.filter(
      (arg, i) => !arg.startsWith('--duration') && args[i - 1] !== '--duration',
    )
    return replay([recordedAttack, ...all, ...own_], io)
  }
  const { files, correlations, problems } = readRuleFiles(paths)
  if (problems.length > 0) {
    for (const { path, message } of problems) io.err(`error: ${path}: ${message}\n`)
    return 2
  }
  const terminal = process.stdout.isTTY === true && !rules.json
  return becomeSensor({
    mode: 'watch',
    files,
    correlations,
    matching:
      own && !args.some((arg) => arg.startsWith('--rule-matching')) ? 'all' : rules.matching,
    leastPriority: rules.leastPriority,
    selections: rules.selections,
    additions: rules.additions,
    strictCompat: rules.strictCompat,
    json: rules.json,
    color: io.color,
    terminal,
    duration,
    hostname: process.env['FALCO_HOSTNAME'] ?? hostname(),
    runbooks: runbooksBeside([...files, ...correlations]),
  })
}

/** A number of seconds, fractions too. */
export function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const seconds = Number(text)
  if (text.trim() !== '' && seconds > 0 && seconds < 1e7) return seconds
  throw new UsageError(`--duration is a number of seconds, not "${text}"`)
}
