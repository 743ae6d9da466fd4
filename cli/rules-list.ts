import {
  type Expr,
  eachCheck,
  eachOperandOf,
  eventTypesOf,
  printAsFalco,
  priorityNames,
} from '#engine'
import { eventTypes } from '#events'
import type { LoadedCorrelation, LoadedRule, RuleSet } from '#load'
import { correlationText } from './correlation-text.ts'
import { type Io, paint } from './io.ts'
import { printable } from './printable.ts'
import { loadRuleFiles, parseRuleOptions, sharedUsage } from './rule-options.ts'
import { ruleWarningLines } from './rule-warnings.ts'
import { showErrors } from './rules-check.ts'

export const usage = `usage: lanner rules list [PATH]... [OPTION]...

Lists the rules with their priority, state, tags and the event types they look at, and correlations with
what they count in which window; with --json in the shape of falco -L, with \`correlations\` beside.

${sharedUsage}`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { rules: options, positionals } = parseRuleOptions(args, {})
  const loaded = loadRuleFiles(options, positionals)
  showErrors(loaded, io)
  if (loaded.files.length === 0) return 2
  const shown = loaded.ruleSet.rules.filter(({ priority }) => priority <= options.leastPriority)
  const correlations = loaded.correlations.correlations.filter(
    ({ priority }) => priority <= options.leastPriority,
  )
  if (options.json) {
    const described = correlations.map((one) => describeCorrelation(one))
    io.out(`${JSON.stringify({ ...describe(shown, loaded.ruleSet), correlations: described })}\n`)
  } else {
    for (const rule of shown) io.out(lineOf(rule, io))
    for (const one of correlations) io.out(correlationLines(one, io))
    for (const line of ruleWarningLines(loaded.ruleSet, options.matching)) io.err(`${line}\n`)
  }
  return loaded.ok ? 0 : 1
}

function lineOf(rule: LoadedRule, io: Io): string {
  const types = typeNames(rule.condition)
  const events = types.length === eventTypes.length ? 'every event' : types.join(' ') || 'no event'
  const state = rule.enabled ? '' : ' (disabled)'
  const priority = priorityNames[rule.priority]!.padEnd(13)
  return (
    `${paint(rule.name, 'bold', io)}${state}\n` +
    `  ${priority} ${rule.tags.join(' ')}\n` +
    `  ${paint(`${events}  ${rule.at.file}:${rule.at.line}`, 'dim', io)}\n`
  )
}

function correlationLines(correlation: LoadedCorrelation, io: Io): string {
  const { name, priority, tags, generate, at } = correlation
  const alone = generate ? '' : '; what it counts does not alert by itself'
  return (
    `${paint(printable(name), 'bold', io)} (correlation)\n` +
    `  ${priorityNames[priority]!.padEnd(13)} ${printable(tags.join(' '))}\n` +
    `  ${printable(correlationText(correlation))}${alone}\n` +
    `  ${paint(`${at.file}:${at.line}`, 'dim', io)}\n`
  )
}

/** Falco has no correlations: Lanner's own shape, durations in seconds. */
function describeCorrelation(correlation: LoadedCorrelation): object {
  const { name, description, priority, tags, type, parts, groupBy, conditions } = correlation
  const { timespan, lateness, field, history, learning, generate, output, at } = correlation
  const seconds = (nanoseconds: bigint | undefined) =>
    nanoseconds === undefined ? undefined : Number(nanoseconds) / 1e9
  return {
    info: { name, description, priority: priorityNames[priority], output: output.text, tags },
    details: {
      ...{ type, of: parts, group_by: groupBy, timespan: seconds(timespan) },
      ...{ lateness: seconds(lateness), conditions, field, history: seconds(history) },
      ...{ learning: seconds(learning), generate, file: at.file, line: at.line },
      text: correlationText(correlation),
    },
  }
}

function typeNames(condition: Expr): string[] {
  const wanted = eventTypesOf(condition)
  return eventTypes.flatMap(({ name }, type) => (wanted[type] === 1 ? [name] : []))
}

/** The shape of `falco -L -o json_output=true`. */
function describe(rules: readonly LoadedRule[], ruleSet: RuleSet): object {
  const { macros, lists, requiredEngineVersion, requiredPlugins } = ruleSet
  return {
    required_engine_version: requiredEngineVersion,
    required_plugin_versions: requiredPlugins,
    rules: rules.map((rule) => ({
      info: {
        name: rule.name,
        condition: rule.conditionText,
        priority: priorityNames[rule.priority],
        output: rule.outputText,
        description: rule.description,
        enabled: rule.enabled,
        source: rule.source,
        capture: rule.capture,
        capture_duration: rule.captureDuration,
        tags: rule.tags,
      },
      details: {
        macros: rule.macros,
        lists: rule.lists,
        ...conditionDetails(rule.condition),
        output_fields: outputFields(rule),
        exception_names: rule.exceptionNames,
        exception_fields: rule.exceptionFields,
        exception_operators: rule.exceptionOperators,
        plugins: [],
        output_compiled: rule.output.text,
      },
    })),
    macros: macros.map(({ name, conditionText, condition, used, macros: inner, lists: own }) => ({
      info: { name, condition: conditionText },
      details: { used, macros: inner, lists: own, ...conditionDetails(condition) },
    })),
    lists: lists.map(({ name, items, used }) => ({ info: { name, items }, details: { used } })),
  }
}

function conditionDetails(condition: Expr): object {
  const operators = new Set<string>()
  const fields = new Set<string>()
  eachCheck(condition, (check) => {
    operators.add(check.op)
    eachOperandOf(check, (node) => {
      if (node.kind === 'field') fields.add(node.text)
    })
  })
  return {
    condition_operators: [...operators].sort(),
    condition_fields: [...fields].sort(),
    events: typeNames(condition),
    condition_compiled: printAsFalco(condition),
  }
}

function outputFields({ output }: LoadedRule): string[] {
  const fields = output.parts.flatMap((part) =>
    typeof part !== 'string' && part.operand.kind === 'field' ? [part.operand.text] : [],
  )
  return [...new Set(fields)].sort()
}
