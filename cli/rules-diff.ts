import { type ChangeLevel, diffRuleSets, dominantLevel } from '#load'
import { type Io, paint, UsageError } from './io.ts'
import { loadRuleFiles, parseRuleOptions, sharedUsage } from './rule-options.ts'
import { showErrors } from './rules-check.ts'

export const usage = `usage: lanner rules diff OLD NEW [OPTION]...

Says what changed between two rules files, or directories of them, and how much that asks of those who
rely on the rules: patch (list items, outputs, more tags), minor (new rules, a newer engine) or major
(rules removed, renamed, disabled or narrower; macros changed).

${sharedUsage}`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { rules: options, positionals } = parseRuleOptions(args, {})
  const [before, after, more] = positionals
  if (before === undefined || after === undefined) throw new UsageError('two paths are needed')
  if (more !== undefined) throw new UsageError(`unexpected argument "${more}"`)
  const loaded = [before, after].map((path) => loadRuleFiles({ ...options, paths: [path] }))
  for (const one of loaded) showErrors(one, io)
  if (loaded.some(({ files }) => files.length === 0)) return 2
  if (loaded.some(({ ok }) => !ok)) return 1
  const changes = diffRuleSets(loaded[0]!.ruleSet, loaded[1]!.ruleSet)
  const level = dominantLevel(changes)
  if (options.json) {
    io.out(`${JSON.stringify({ change: level ?? 'none', changes })}\n`)
    return 0
  }
  for (const { level: own, kind, name, what } of changes) {
    io.out(`${paint(own.padEnd(5), colors[own], io)}  ${kind} ${name}: ${what}\n`)
  }
  io.out(level === undefined ? 'no change\n' : `together: ${level}\n`)
  return 0
}

const colors: Readonly<Record<ChangeLevel, 'red' | 'yellow' | 'green'>> = {
  major: 'red',
  minor: 'yellow',
  patch: 'green',
}
