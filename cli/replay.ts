import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { compileRules } from '#engine'
import { syscallSource } from '#events'
import type { Origin } from '../collector/agent/alert-context.ts'
import { type Io, UsageError } from './io.ts'
import { loadRuleFiles, parseRuleOptions, sharedUsage } from './rule-options.ts'
import { inColor } from './rules-check.ts'
import { runbooksBeside, runbooksOf } from './runbooks.ts'
import { readTrace, traceFiles } from './trace-file.ts'
import { WatchSession } from './watch-session.ts'

export const usage = `usage: lanner replay TRACE --rules PATH... [OPTION]...

Evaluates rules over a trace, a file or a directory of them. A damaged batch is reported by its number
and skipped; the others are evaluated, and the exit code is 1. Correlations are not evaluated.

${sharedUsage}`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { rules, positionals } = parseRuleOptions(args, {})
  const [path, more] = positionals
  if (path === undefined) throw new UsageError('which trace?')
  if (more !== undefined) throw new UsageError(`unexpected argument "${more}"`)
  if (!existsSync(path)) {
    io.err(`error: there is no ${path}\n`)
    return 2
  }
  const loaded = loadRuleFiles(rules)
  if (!loaded.ok) {
    for (const { path: file, message } of loaded.unreadable) io.err(`error: ${file}: ${message}\n`)
    for (const { diagnostics } of loaded.files) {
      for (const diagnostic of diagnostics) {
        if (diagnostic.severity === 'error') io.err(`${inColor(diagnostic, io)}\n\n`)
      }
    }
    return 2
  }
  const { matching, leastPriority, json } = rules
  const program = compileRules(loaded.ruleSet.rules, syscallSource, { matching, leastPriority })
  let events = 0
  let batches = 0
  let mistakes = 0
  let origin: Origin = { cluster: '', node: hostname(), boot: '', run: '0' }
  const session = new WatchSession({
    ...{ json, color: io.color, terminal: false },
    origin: () => origin,
    runbooks: runbooksOf(
      loaded.ruleSet.rules,
      runbooksBeside(loaded.files.map(({ file }) => file)),
    ),
    write: io.out,
    figures: () => ({ seen: events, kept: events, lost: 0, rules: 0, memory: 0, restarts: 0 }),
  })
  for (const file of traceFiles(path)) {
    const onError = (error: Error) => {
      mistakes += 1
      io.err(`error: ${error.message}\n`)
    }
    for (const batch of readTrace(file, onError)) {
      batches += 1
      const { cluster, node, boot, run } = batch.header
      origin = { cluster, node, boot, run: String(run) }
      for (const event of batch.events) {
        events += 1
        const found = program.evaluate(event)
        if (found.length > 0) session.show(event, found)
      }
      session.flush()
    }
  }
  session.stop()
  const left = loaded.correlations.correlations.length
  if (left > 0) io.err(`lanner: ${left} correlations left out: a trace is evaluated without them\n`)
  io.err(
    `lanner: ${events} events in ${batches} batches, ${session.detections} detections by ${program.rules.length} rules\n`,
  )
  return mistakes === 0 ? 0 : 1
}
