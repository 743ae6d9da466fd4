import { type Diagnostic, type FileResult, falcoResult, formatDiagnostic } from '#load'
import { type Io, paint } from './io.ts'
import { type LoadedFiles, loadRuleFiles, parseRuleOptions, sharedUsage } from './rule-options.ts'

export const usage = `usage: lanner rules check PATH... [OPTION]...

Checks rules files, in order, each together with those before it, and reports every mistake with its
place. Exits with 1 when there is one; warnings alone do not count.

${sharedUsage}`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { rules, positionals } = parseRuleOptions(args, {})
  const loaded = loadRuleFiles(rules, positionals)
  if (rules.json) io.out(`${JSON.stringify(jsonResult(loaded))}\n`)
  else report(loaded, io)
  if (loaded.files.length === 0) return 2
  return loaded.ok ? 0 : 1
}

/** The shape of `falco -V -o json_output=true`. */
function jsonResult({ files, unreadable }: LoadedFiles): object {
  const missing = unreadable.map(({ path, message }) => ({
    name: path,
    successful: false,
    errors: [
      {
        context: { locations: [], snippet: '' },
        code: 'LOAD_ERR_FILE_READ',
        codedesc: 'File read error',
        message,
      },
    ],
    warnings: [],
  }))
  return { falco_load_results: [...missing, ...files.map(falcoResult)] }
}

function report({ files, unreadable, ruleSet }: LoadedFiles, io: Io): void {
  for (const { path, message } of unreadable) {
    io.err(`${paint('error', 'red', io)}: ${path}: ${message}\n`)
  }
  for (const file of files) reportFile(file, io)
  const all = files.flatMap(({ diagnostics }) => diagnostics)
  const errors = all.filter(({ severity }) => severity === 'error').length + unreadable.length
  const warnings = all.length + unreadable.length - errors
  const { rules, macros, lists, inactive } = ruleSet
  const enabled = rules.filter((rule) => rule.enabled).length
  io.out(
    `${count(rules.length, 'rule')} (${enabled} enabled, ${inactive.length} inactive), ` +
      `${count(macros.length, 'macro')}, ${count(lists.length, 'list')}: ` +
      `${count(errors, 'error')}, ${count(warnings, 'warning')}\n`,
  )
}

function reportFile({ file, diagnostics }: FileResult, io: Io): void {
  for (const diagnostic of diagnostics) io.err(`${inColor(diagnostic, io)}\n\n`)
  const invalid = diagnostics.some(({ severity }) => severity === 'error')
  const verdict = invalid
    ? paint('Invalid', 'red', io)
    : paint(diagnostics.length > 0 ? 'Ok, with warnings' : 'Ok', 'green', io)
  io.out(`${file.name}: ${verdict}\n`)
}

/** A diagnostic as text, its severity painted. */
export function inColor(diagnostic: Diagnostic, io: Io): string {
  const { severity } = diagnostic
  const painted = paint(severity, severity === 'error' ? 'red' : 'yellow', io)
  return formatDiagnostic(diagnostic).replace(`: ${severity}: `, `: ${painted}: `)
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
