import { readFileSync } from 'node:fs'
import {
  type Expr,
  eachCheck,
  eachOperandOf,
  eventTypesOf,
  printAsFalco,
  priorityNames,
} from '#engine'
import { eventTypes, fieldCatalogue, nearestName, parseFieldName, unfilledFields } from '#events'
import type { LoadedRule, RuleSet } from '#load'
import { type Io, paint, UsageError } from './io.ts'
import { libraryPath } from './library-path.ts'
import { loadRuleFiles, parseRuleOptions, sharedUsage } from './rule-options.ts'
import { ruleWarnings } from './rule-warnings.ts'
import { showErrors } from './rules-check.ts'
import { runbooksBeside, runbooksOf } from './runbooks.ts'
import { sensorDelivery } from './sensor-delivery.ts'

export const usage = `usage: lanner rules explain RULE [PATH]... [OPTION]...

Shows one rule in full: its condition with all macros, lists and exceptions filled in, the types of
events it looks at, its fields with what fills them, and its runbook. Without a path it is looked for
in Lanner's own rules.

${sharedUsage}`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { rules: options, positionals } = parseRuleOptions(args, {})
  const [name, ...paths] = positionals
  if (name === undefined) throw new UsageError('which rule?')
  const given = options.paths.length + paths.length > 0 ? paths : [libraryPath]
  const loaded = loadRuleFiles(options, given)
  showErrors(loaded, io)
  if (loaded.files.length === 0) return 2
  const { ruleSet } = loaded
  const rule = ruleSet.rules.find((candidate) => candidate.name === name)
  if (rule === undefined) {
    const inactive = ruleSet.inactive.find((candidate) => candidate.name === name)
    const names = ruleSet.rules.map((candidate) => candidate.name)
    const nearest = nearestName(name, names) ?? names.find((other) => startsAlike(other, name))
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`
    io.err(
      inactive === undefined
        ? `error: there is no rule "${name}"${hint}\n`
        : `error: the rule "${name}" is inactive: ${inactive.reason}\n`,
    )
    return 1
  }
  const runbook = runbooksOf([rule], runbooksBeside(loaded.files.map(({ file }) => file))).get(name)
  const explanation = explain(rule, ruleSet, options.matching, runbook)
  if (options.json) io.out(`${JSON.stringify(explanation)}\n`)
  else show(explanation, rule, io)
  return loaded.ok ? 0 : 1
}

function startsAlike(name: string, wanted: string): boolean {
  return name.toLowerCase().startsWith(wanted.toLowerCase())
}

interface ExplainedField {
  readonly field: string
  readonly type: string
  readonly meaning: string
  readonly filledBy: string
}

function explain(
  rule: LoadedRule,
  ruleSet: RuleSet,
  matching: 'first' | 'all',
  runbook: string | undefined,
) {
  const wanted = eventTypesOf(rule.condition)
  const events = eventTypes.filter((_, type) => wanted[type] === 1).map(({ name }) => name)
  return {
    rule: rule.name,
    description: rule.description,
    priority: priorityNames[rule.priority]!,
    tags: rule.tags,
    source: rule.source,
    enabled: rule.enabled,
    file: rule.at.file,
    line: rule.at.line,
    condition: printAsFalco(rule.condition),
    output: rule.outputText,
    macros: rule.macros,
    lists: rule.lists,
    exceptions: rule.exceptionNames,
    every_event: events.length === eventTypes.length,
    events: events.map((name) => ({ name, delivered: sensorDelivery.delivers(name) })),
    condition_fields: fieldsIn(rule.condition).map(explainField),
    output_fields: outputFieldsOf(rule).map(explainField),
    warnings: ruleWarnings(ruleSet, matching)
      .filter((warning) => warning.rule === rule.name)
      .map(({ message }) => message),
    runbook: runbook ?? null,
  }
}

function fieldsIn(condition: Expr): string[] {
  const fields = new Set<string>()
  eachCheck(condition, (check) => {
    eachOperandOf(check, (node) => {
      if (node.kind === 'field') fields.add(node.text)
    })
  })
  return [...fields].sort()
}

function outputFieldsOf({ output }: LoadedRule): string[] {
  const fields = output.parts.flatMap((part) =>
    typeof part !== 'string' && part.operand.kind === 'field' ? [part.operand.text] : [],
  )
  return [...new Set(fields)].sort()
}

/** What fills the fields of each class, by the beginning of the name; the longest counts. */
const fillers: Readonly<Record<string, string>> = {
  'evt.': 'the event itself, as the kernel reports it',
  'evt.arg': 'the registers and memory of the call, read in the kernel',
  'evt.rawarg': 'the registers and memory of the call, read in the kernel',
  'evt.time': 'the clock of the kernel at the event',
  'syscall.': 'the event itself',
  'proc.': 'the process table, kept from exec, fork and exit',
  'proc.env': 'the environment of the process, as far as rules ask for it',
  'thread.': 'the process table and the credentials at the event',
  'user.': 'credentials at the event and the passwd file',
  'group.': 'credentials at the event and the group file',
  'fd.': 'the file or socket, as the kernel resolves it',
  'fd.sip.name': 'the names that rules compare with, resolved from time to time',
  'fs.path.': 'the arguments of the call, made absolute',
  'container.': 'the cgroup of the process',
  'k8s.': 'the cgroup of the process and the Kubernetes API',
}

function explainField(field: string): ExplainedField {
  const parsed = parseFieldName(field)
  const name = 'ref' in parsed ? parsed.ref.name : field
  const info = fieldCatalogue.get(name)
  const isEmpty = unfilledFields.has(name) || sensorDelivery.emptyFields.has(name)
  const prefix = Object.keys(fillers)
    .filter((start) => name.startsWith(start))
    .sort((a, b) => b.length - a.length)[0]
  return {
    field,
    type: info?.type ?? '',
    meaning: info?.meaning ?? '',
    filledBy: isEmpty ? 'nothing here: it has no value' : (fillers[prefix ?? ''] ?? ''),
  }
}

function show(explanation: ReturnType<typeof explain>, rule: LoadedRule, io: Io): void {
  const { priority, tags, source, enabled, events, warnings, runbook } = explanation
  const title = (text: string) => `\n${paint(text, 'bold', io)}\n`
  io.out(`${paint(rule.name, 'bold', io)}${enabled ? '' : ' (disabled)'}\n`)
  io.out(`  ${rule.description.trim().replaceAll('\n', '\n  ')}\n`)
  io.out(`  ${priority}, source ${source}, ${rule.at.file}:${rule.at.line}\n`)
  if (tags.length > 0) io.out(`  tags: ${tags.join(', ')}\n`)
  io.out(`${title('condition')}${conditionLines(rule.condition, '  ').join('\n')}\n`)
  if (rule.exceptionNames.length > 0) {
    io.out(`  exceptions: ${rule.exceptionNames.join(', ')}\n`)
  }
  const names = events.map(({ name, delivered }) => (delivered ? name : `${name} (not delivered)`))
  const shown = explanation.every_event ? 'every event' : names.join(', ') || 'no event'
  io.out(`${title('events')}  ${shown}\n`)
  io.out(title('fields in the condition'))
  for (const field of explanation.condition_fields) io.out(fieldLine(field))
  io.out(`${title('output')}  ${rule.outputText}\n`)
  for (const field of explanation.output_fields) io.out(fieldLine(field))
  if (warnings.length > 0) io.out(`${title('warnings')}  ${warnings.join('\n  ')}\n`)
  io.out(title('runbook'))
  if (runbook === null) io.out('  none\n')
  else {
    io.out(`  ${runbook}\n\n`)
    io.out(readFileSync(runbook, 'utf8').replace(/^(?=.)/gm, '  '))
  }
}

function fieldLine({ field, type, meaning, filledBy }: ExplainedField): string {
  return `  ${field} (${type}): ${meaning}\n      from ${filledBy}\n`
}

/** A condition over several lines, its groups indented. */
export function conditionLines(expr: Expr, indent: string): string[] {
  const text = printAsFalco(expr)
  if (text.length + indent.length <= 100 || expr.kind === 'check' || expr.kind === 'macro') {
    return [indent + text]
  }
  if (expr.kind === 'not') {
    const [first, ...rest] = conditionLines(expr.item, indent)
    return [`${indent}not ${first!.trimStart()}`, ...rest]
  }
  return expr.items.flatMap((item, i) => {
    const isGroup = item.kind === 'and' || item.kind === 'or'
    const word = i === 0 ? '' : `${expr.kind} `
    const [first, ...rest] = conditionLines(item, isGroup ? `${indent}  ` : indent)
    if (!isGroup || rest.length === 0) return [`${indent}${word}${first!.trimStart()}`, ...rest]
    return [`${indent}${word}(`, first!, ...rest, `${indent})`]
  })
}
