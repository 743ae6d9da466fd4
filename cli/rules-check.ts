import type { RuleMatching } from '#engine'
import {
  type Diagnostic,
  type FileResult,
  falcoResult,
  formatDiagnostic,
  type RuleSet,
  redactionEffects,
} from '#load'
import { type Io, paint } from './io.ts'
import { printable } from './printable.ts'
import { type LoadedFiles, loadRuleFiles, parseRuleOptions, sharedUsage } from './rule-options.ts'
import { ruleWarningLines, ruleWarnings } from './rule-warnings.ts'

export const usage = `usage: lanner rules check PATH... [OPTION]...

Checks rules files, in order, each together with those before it, and reports every mistake with its
place. Exits with 1 when there is one; warnings alone do not count. Rules that load and yet can never
fire, or look at what this build does not deliver, are named. NAME.correlation.yaml holds rules over
the detections of all others, NAME.suppression.yaml approved exceptions, responses.yaml what answers
detections, routes.yaml whom incidents reach, whatever the order.

  --responses PATH          response files that are called otherwise, such as Falco Talon's
  --redact                  name the rules that may decide otherwise where secrets are redacted
${sharedUsage}`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { rules, values, positionals } = parseRuleOptions(args, {
    redact: { type: 'boolean' },
    responses: { type: 'string', multiple: true },
  })
  const loaded = loadRuleFiles(rules, positionals, values.responses)
  const isRedacted = values.redact === true
  if (rules.json) {
    const redaction = isRedacted ? { redaction: redactionEffects(loaded.ruleSet) } : {}
    io.out(`${JSON.stringify({ ...jsonResult(loaded, rules.matching), ...redaction })}\n`)
  } else {
    const notes = ruleWarningLines(loaded.ruleSet, rules.matching)
    if (isRedacted) notes.push(...redactionLines(loaded.ruleSet))
    report(loaded, notes, io)
  }
  if (filesOf(loaded).length === 0) return 2
  return loaded.ok ? 0 : 1
}

/** The shape of `falco -V -o json_output=true`. */
function jsonResult(
  { files, unreadable, ruleSet, correlations, suppressions, responses, routes }: LoadedFiles,
  matching: RuleMatching,
): object {
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
  return {
    falco_load_results: [...missing, ...files.map(falcoResult)],
    inactive_rules: ruleSet.inactive,
    missing_plugins: ruleSet.missingPlugins,
    rule_warnings: ruleWarnings(ruleSet, matching),
    correlation_load_results: correlations.files.map(ownResult),
    suppression_load_results: suppressions.files.map(ownResult),
    response_load_results: responses.files.map(ownResult),
    responses_unsupported: responses.unsupported,
    routes_load_results: routes.map(ownResult),
  }
}

/** Falco has no correlations, suppressions, responses and routes, and so no schema of them. */
function ownResult(file: FileResult): object {
  const { schema_valid: _, schema_warnings: __, ...result } = falcoResult(file)
  return result
}

function redactionLines(ruleSet: RuleSet): string[] {
  return redactionEffects(ruleSet).map(
    ({ rule, fields, at }) =>
      `${at.file}:${at.line}: redaction: ${printable(rule)}: compares ${fields.map(printable).join(', ')}: ` +
      'a secret in it is replaced before the rule is evaluated in the cloud',
  )
}

function report(loaded: LoadedFiles, notes: readonly string[], io: Io): void {
  const { unreadable, ruleSet, correlations, suppressions, responses } = loaded
  const files = filesOf(loaded)
  for (const { path, message } of unreadable) {
    io.err(`${paint('error', 'red', io)}: ${path}: ${message}\n`)
  }
  for (const file of files) reportFile(file, io)
  for (const line of notes) io.err(`${line}\n`)
  const all = files.flatMap(({ diagnostics }) => diagnostics)
  const errors = all.filter(({ severity }) => severity === 'error').length + unreadable.length
  const warnings = all.length + unreadable.length - errors
  const { rules, macros, lists, inactive } = ruleSet
  const over = [
    ...(correlations.files.length === 0
      ? []
      : [count(correlations.correlations.length, 'correlation')]),
    ...(suppressions.files.length === 0
      ? []
      : [count(suppressions.suppressions.length, 'suppression')]),
    ...(responses.files.length === 0
      ? []
      : [
          `${count(responses.policy.rules.length, 'response')} (${responses.unsupported.length} of what they ask for not honoured)`,
        ]),
    ...loaded.routes.map(({ routes }) => count(routes.routes.length, 'route')),
  ]
    .map((text) => `, ${text}`)
    .join('')
  const enabled = rules.filter((rule) => rule.enabled).length
  io.out(
    `${count(rules.length, 'rule')} (${enabled} enabled, ${inactive.length} inactive), ` +
      `${count(macros.length, 'macro')}, ${count(lists.length, 'list')}${over}: ` +
      `${count(errors, 'error')}, ${count(warnings, 'warning')}\n`,
  )
}

/** Shows what keeps rules from loading, for commands that want to use them. */
export function showErrors(loaded: LoadedFiles, io: Io): void {
  for (const { path, message } of loaded.unreadable) io.err(`error: ${path}: ${message}\n`)
  for (const { diagnostics } of filesOf(loaded)) {
    for (const diagnostic of diagnostics) {
      if (diagnostic.severity === 'error') io.err(`${inColor(diagnostic, io)}\n\n`)
    }
  }
}

function filesOf(loaded: LoadedFiles): readonly FileResult[] {
  const { files, correlations, suppressions, responses, routes } = loaded
  const own = [correlations, suppressions, responses].flatMap((one) => one.files)
  return [...files, ...own, ...routes]
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
