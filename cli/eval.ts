import { createReadStream } from 'node:fs'
import { hostname } from 'node:os'
import { createInterface } from 'node:readline'
import { alertJson, alertOf, compileRules } from '#engine'
import { fieldMapSource, parseFieldMap } from '#events'
import { Explainer } from './eval-why.ts'
import { type Io, UsageError } from './io.ts'
import { loadRuleFiles, parseRuleOptions, sharedUsage } from './rule-options.ts'
import { showErrors } from './rules-check.ts'

export const usage = `usage: lanner eval --rules PATH... --events FILE [OPTION]...

Evaluates rules over events and prints Falco's JSON alerts, one a line. FILE holds one event a line, a
JSON object of field names and values; "-" is standard input. A line that is wrong is reported, the
others are evaluated, and the exit code is 1.

  --events FILE             the events
  --why                     print why rules fire or stay silent, instead of alerts: conditions as trees
                            with the value of each part and the part that decides
  --rule PATTERN            with --why: these rules only, all in full
  --hostname NAME           what alerts say of the host (default FALCO_HOSTNAME or this host's name)
${sharedUsage}`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { rules, values, positionals } = parseRuleOptions(args, {
    events: { type: 'string' },
    hostname: { type: 'string' },
    why: { type: 'boolean' },
    rule: { type: 'string' },
  })
  if (positionals.length > 0) throw new UsageError(`unexpected argument "${positionals[0]}"`)
  const path = values.events
  if (values.rule !== undefined && !values.why) throw new UsageError('--rule goes with --why')
  if (path === undefined) throw new UsageError('no events: --events FILE is needed')
  const loaded = loadRuleFiles(rules)
  if (!loaded.ok || loaded.files.length === 0) {
    showErrors(loaded, io)
    return 2
  }
  const { matching, leastPriority } = rules
  const program = compileRules(loaded.ruleSet.rules, fieldMapSource, { matching, leastPriority })
  const context = { hostname: values.hostname ?? process.env['FALCO_HOSTNAME'] ?? hostname() }
  const explainer = values.why
    ? new Explainer(loaded.ruleSet, { matching, leastPriority, rule: values.rule })
    : undefined
  let mistakes = 0
  let number = 0
  try {
    const input = path === '-' ? process.stdin : createReadStream(path)
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1
      if (line.trim() === '') continue
      const event = readEvent(line)
      if (Array.isArray(event)) {
        mistakes += 1
        for (const message of event) io.err(`${path}:${number}: error: ${message}\n`)
        continue
      }
      if (explainer !== undefined) {
        if (rules.json) {
          io.out(`${JSON.stringify({ line: number, rules: explainer.json(event) })}\n`)
        } else explainer.show(`${path}:${number}`, event, io)
        continue
      }
      for (const rule of program.evaluate(event)) {
        io.out(`${alertJson(alertOf(rule, event, fieldMapSource, context))}\n`)
      }
    }
  } catch (error) {
    if (!isFileError(error)) throw error
    io.err(`error: ${error.message}\n`)
    return 2
  }
  return mistakes === 0 ? 0 : 1
}

/** The event of a line, or all that is wrong with it. */
function readEvent(line: string) {
  let json: unknown
  try {
    json = JSON.parse(line, exactIntegers)
  } catch (error) {
    return [`no JSON: ${error instanceof Error ? error.message : error}`]
  }
  const result = parseFieldMap(json)
  return 'map' in result ? result.map : result.errors.map(({ message }) => message)
}

/** Integers beyond the safe range keep all their digits. */
function exactIntegers(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  return /^-?\d+$/.test(context?.source ?? '') ? BigInt(context!.source!) : value
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'syscall' in error
}
