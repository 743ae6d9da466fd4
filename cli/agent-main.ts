/** The unprivileged half of `watch` and `record`: what the sensor starts. See `live.ts`. */
import { readFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { compileRules, type Program } from '#engine'
import { type SyscallEvent, syscallSource } from '#events'
import { formatDiagnostic, loadRules, type RuleSet, readCorrelations } from '#load'
import { Agent } from '../collector/agent/agent.ts'
import { thisRun } from '../collector/agent/alert-context.ts'
import { MemoryKeeper, privateMemory } from '../collector/agent/memory.ts'
import { everything, needsOf } from '../collector/agent/rule-needs.ts'
import { SensorLink } from '../collector/agent/sensor-link.ts'
import { createTables } from '../collector/agent/tables.ts'
import type { AgentSettings } from './agent-settings.ts'
import { LiveCorrelations, selectCorrelations } from './live-correlations.ts'
import { RecordSink } from './record-sink.ts'
import { ruleWarningLines } from './rule-warnings.ts'
import { runbooksOf } from './runbooks.ts'
import { WatchSession } from './watch-session.ts'

process.title = 'lanner-agent'
const settings = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as AgentSettings
const restarts = Number(process.env['LANNER_AGENT_RESTARTS'] ?? 0)

const pause = new Int32Array(new SharedArrayBuffer(4))
const LOSS_CHECK_MS = 5000

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
      Atomics.wait(pause, 0, 0, 1)
    }
  }
}

const say = (text: string) => write(2, `lanner: ${text}\n`)

/** A rule that loads and never fires is the worst outcome: say so by name; count what is only limited. */
function warn(ruleSet: RuleSet, matching: AgentSettings['matching']): void {
  const lines = ruleWarningLines(ruleSet, matching)
  const limited = lines.filter((line) => line.includes(': limited: '))
  for (const line of lines) if (!limited.includes(line)) say(line)
  if (limited.length > 0) {
    say(`${limited.length} rules lack something here: \`lanner rules check\` says what`)
  }
}

function programOf(settings: AgentSettings) {
  const { files, selections, additions, matching, leastPriority, strictCompat } = settings
  const loaded = loadRules(files, { selections, strictCompat, ...(additions && { additions }) })
  if (!loaded.ok) {
    for (const { diagnostics } of loaded.files) {
      for (const diagnostic of diagnostics) write(2, `${formatDiagnostic(diagnostic)}\n\n`)
    }
    process.exit(1)
  }
  warn(loaded.ruleSet, matching)
  const over = readCorrelations(settings.correlations ?? [], loaded.ruleSet)
  for (const { diagnostics } of over.files) {
    for (const diagnostic of diagnostics) write(2, `${formatDiagnostic(diagnostic)}\n\n`)
  }
  if (!over.ok) process.exit(1)
  const { rules } = loaded.ruleSet
  return {
    rules,
    program: compileRules(rules, syscallSource, { matching, leastPriority }),
    correlations: selectCorrelations(over.correlations, selections, leastPriority),
  }
}

/** What becomes of events: shown as detections, or written down. */
interface Sink {
  readonly onMatch: ConstructorParameters<typeof Agent>[0]['onMatch']
  readonly onEvent?: (event: SyscallEvent) => void
  ready(): void
  /** Resolves to the closing words. */
  stop(): Promise<string>
}

function watchSink(link: SensorLink, program: Program<SyscallEvent>): Sink {
  const origin = thisRun(settings.hostname)
  const session = new WatchSession({
    ...settings,
    origin: () => origin,
    runbooks,
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
  const live = new LiveCorrelations({
    correlations,
    rules: program.rules,
    origin: () => origin,
    onFiring: (firing) => session.showFiring(firing),
    onError: (error) => say(`correlations: ${error instanceof Error ? error.message : error}`),
  })
  let known = 0
  const announceLoss = () => {
    const lost = Object.values(link.counters().lost).reduce((sum, count) => sum + count, 0)
    if (lost > known) say(`${lost - known} events lost: they came faster than they could be read`)
    known = lost
  }
  setInterval(announceLoss, LOSS_CHECK_MS).unref()
  return {
    onMatch: (event, matched) => {
      session.show(
        event,
        matched.filter((rule) => live.shows(rule)),
      )
      for (const rule of matched) live.note(rule, event)
    },
    ready: () => session.start(),
    stop: async () => {
      await live.settle()
      return session.stop()
    },
  }
}

function recordSink(link: SensorLink): Sink {
  const sink = new RecordSink({
    node: settings.hostname,
    rulesetHash: '',
    counters: () => link.counters(),
    write: (bytes) => write(1, bytes),
  })
  return {
    onMatch: () => {},
    onEvent: (event) => sink.add(event),
    ready: () => {},
    stop: () => sink.stop(),
  }
}

const { rules, program, correlations } = programOf(settings)
const runbooks = runbooksOf([...rules, ...correlations], settings.runbooks)
const needs =
  settings.mode === 'record' && settings.files.length === 0 ? everything() : needsOf(program)
const link = new SensorLink(join(dirname(process.argv[1]!), 'ring.node'))
const memory = new MemoryKeeper(() => link.trim())
const tables = createTables(link, needs.hostNames)
const sink = settings.mode === 'watch' ? watchSink(link, program) : recordSink(link)

const agent = new Agent({
  ring: link.ring,
  control: link.control,
  table: tables.processes,
  context: tables.context,
  program,
  environment: needs.environment,
  onMatch: sink.onMatch,
  ...(sink.onEvent && { onEvent: sink.onEvent }),
  onReady: () => {
    link.awaitSnapshot()
    const over = correlations.length === 0 ? '' : ` and ${correlations.length} correlations`
    say(
      settings.mode === 'watch'
        ? `watching with ${program.rules.length} rules${over}`
        : 'recording',
    )
    sink.ready()
    memory.settle()
  },
})

setInterval(() => memory.look(), 1000).unref()

let ending = false
async function end(): Promise<void> {
  if (ending) return
  ending = true
  agent.finish()
  link.stop()
  say(await sink.stop())
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
