import { readFileSync } from 'node:fs'
import { type AlertRecord, type Pairing, pairAlerts, readAlerts } from './compare-alerts.ts'
import { type Io, paint, UsageError } from './io.ts'
import { printable } from './printable.ts'
import { type LoadedFiles, loadRuleFiles, parseRuleOptions, sharedUsage } from './rule-options.ts'
import { ruleWarnings } from './rule-warnings.ts'

export const usage = `usage: lanner compare --falco FILE.jsonl --lanner FILE.jsonl [OPTION]...

Pairs the alerts of Falco and of Lanner (JSON, one a line) by rule, process and time, and says which
both have, which only one has, and why, where that is known. With --rules it looks for the cause in the
rules that Lanner ran with.

  --falco FILE              Falco's alerts, as its JSON output writes them
  --lanner FILE             Lanner's alerts
  --window SECONDS          how far apart the times of a pair may be (default 2)
${sharedUsage}`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { rules, values, positionals } = parseRuleOptions(args, {
    falco: { type: 'string' },
    lanner: { type: 'string' },
    window: { type: 'string' },
  })
  if (positionals.length > 0) throw new UsageError(`unexpected argument "${positionals[0]}"`)
  const { falco: falcoPath, lanner: lannerPath } = values
  if (falcoPath === undefined || lannerPath === undefined) {
    throw new UsageError('--falco FILE and --lanner FILE are needed')
  }
  const window = Number(values.window ?? '2')
  if (!(window >= 0) || values.window === '')
    throw new UsageError('--window is a number of seconds')
  const texts: string[] = []
  for (const path of [falcoPath, lannerPath]) {
    try {
      texts.push(readFileSync(path, 'utf8'))
    } catch (error) {
      io.err(`error: ${error instanceof Error ? error.message : error}\n`)
      return 2
    }
  }
  const falco = readAlerts(falcoPath, texts[0]!)
  const lanner = readAlerts(lannerPath, texts[1]!)
  const problems = [...falco.problems, ...lanner.problems]
  for (const problem of problems) io.err(`${problem}\n`)
  const loaded = rules.paths.length > 0 ? loadRuleFiles(rules) : undefined
  const pairing = pairAlerts(falco, lanner, window, causesIn(loaded, rules.matching))
  if (rules.json) io.out(`${JSON.stringify(toJson(pairing))}\n`)
  else show(pairing, io)
  return problems.length === 0 ? 0 : 1
}

/** Why Lanner cannot have an alert of a rule, from the rules it ran with. */
function causesIn(loaded: LoadedFiles | undefined, matching: 'first' | 'all') {
  if (loaded === undefined) return () => undefined
  const { rules, inactive } = loaded.ruleSet
  const warnings = ruleWarnings(loaded.ruleSet, matching)
  return (name: string): string | undefined => {
    const rule = rules.find((candidate) => candidate.name === name)
    if (rule === undefined) {
      const reason = inactive.find((candidate) => candidate.name === name)?.reason
      return reason === undefined ? 'the rule is not loaded' : `inactive rule: ${reason}`
    }
    if (!rule.enabled) return 'the rule is disabled'
    const own = warnings.filter((warning) => warning.rule === name)
    const worst = own.find(({ isDead }) => isDead) ?? own[0]
    if (worst === undefined) return undefined
    return `${worst.kind === 'field' ? 'field unavailable: ' : ''}${worst.message}`
  }
}

function toJson({ both, onlyFalco, onlyLanner }: Pairing): object {
  return {
    both: both.length,
    only_falco: onlyFalco.map(({ alert, cause }) => ({ ...brief(alert), cause: cause ?? null })),
    only_lanner: onlyLanner.map(({ alert, cause }) => ({ ...brief(alert), cause: cause ?? null })),
  }
}

function brief({ line, rule, time, process, file }: AlertRecord): object {
  return { rule, time, process, at: `${file}:${line}` }
}

function show({ both, onlyFalco, onlyLanner }: Pairing, io: Io): void {
  const sides = [
    ['only Falco', onlyFalco],
    ['only Lanner', onlyLanner],
  ] as const
  for (const [title, alerts] of sides) {
    for (const { alert, cause } of alerts) {
      const { rule, time, process, file, line } = alert
      io.out(
        `${paint(title, 'yellow', io)}: ${printable(rule)}: ${printable(process)} at ${printable(time)} ` +
          `(${file}:${line}): ${printable(cause ?? 'cause unknown')}\n`,
      )
    }
  }
  const unknown = [...onlyFalco, ...onlyLanner].filter(({ cause }) => cause === undefined).length
  io.out(
    `both: ${both.length}, only Falco: ${onlyFalco.length}, only Lanner: ${onlyLanner.length}` +
      `, of these without a known cause: ${unknown}\n`,
  )
}
