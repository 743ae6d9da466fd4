/** The unprivileged half of `watch` and `record`: what the sensor starts. See `live.ts`. */
import { readFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { compileRules } from '#engine'
import { syscallSource } from '#events'
import { formatDiagnostic, loadRules } from '#load'
import { Agent } from '../collector/agent/agent.ts'
import { needsOf } from '../collector/agent/rule-needs.ts'
import { SensorLink } from '../collector/agent/sensor-link.ts'
import { createTables } from '../collector/agent/tables.ts'
import type { AgentSettings } from './agent-settings.ts'
import { privateMemory } from './memory.ts'
import { WatchSession } from './watch-session.ts'

process.title = 'lanner-agent'
const settings = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as AgentSettings
const restarts = Number(process.env['LANNER_AGENT_RESTARTS'] ?? 0)

/** Writes all of it, however slowly the reader reads; a reader that is gone ends the program. */
function write(fd: number, text: string | Uint8Array): void {
  let rest = typeof text === 'string' ? Buffer.from(text) : text
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPIPE') process.exit(0)
      if (code !== 'EAGAIN') throw error
    }
  }
}

const say = (text: string) => write(2, text)

const loaded = loadRules(settings.files, {
  selections: settings.selections,
  ...(settings.additions && { additions: settings.additions }),
})
if (!loaded.ok) {
  for (const { file, diagnostics } of loaded.files) {
    for (const diagnostic of diagnostics) say(`${formatDiagnostic(diagnostic)}\n`)
  }
  process.exit(1)
}
const program = compileRules(loaded.ruleSet.rules, syscallSource, {
  matching: settings.matching,
  leastPriority: settings.leastPriority,
})
const needs = needsOf(program)

const link = new SensorLink(join(dirname(process.argv[1]!), 'ring.node'))
const tables = createTables(link, needs.hostNames)

const session = new WatchSession({
  json: settings.json,
  color: settings.color,
  terminal: settings.terminal,
  hostname: settings.hostname,
  write: (text) => write(1, text),
  figures: () => {
    const { seen, rejected, lost } = link.counters()
    return {
      seen,
      kept: seen - rejected,
      lost: Object.values(lost).reduce((sum, count) => sum + count, 0),
      rules: program.rules.length,
      memory: privateMemory(),
      restarts,
    }
  },
})

const agent = new Agent({
  ring: link.ring,
  control: link.control,
  table: tables.processes,
  context: tables.context,
  program,
  environment: needs.environment,
  onMatch: (event, rules) => session.show(event, rules),
  onReady: () => {
    link.awaitSnapshot()
    say(`lanner: watching with ${program.rules.length} rules\n`)
    session.start()
  },
})

function end(): never {
  agent.drain()
  link.stop()
  const figures = session.stop()
  say(`lanner: ${figures}\n`)
  process.exit(0)
}
process.on('SIGINT', end)
process.on('SIGTERM', end)
if (settings.duration !== undefined) setTimeout(end, settings.duration * 1000)

link.setFilter(needs.kernel)
link.requestSnapshot()
if (restarts > 0) {
  // the events that wait are older than the snapshot: learn the processes first
  link.awaitSnapshot()
  agent.prime()
}
link.onEvents(agent.drain)
agent.drain()
