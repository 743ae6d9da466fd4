import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type ConfigResult, readConfig } from '../collector/config/read-config.ts'
import type { Config } from '../collector/config/settings.ts'
import { asAdvice, checkCollector, checkConfig } from './doctor/collector-checks.ts'
import { askAgent, type RunningAgent } from './doctor/running-agent.ts'
import { type Io, paint, UsageError } from './io.ts'
import { libraryPath } from './library-path.ts'
import { type Check, examineMachine } from './machine.ts'

const marks = {
  ok: { text: 'ok', style: 'green' },
  limited: { text: 'limited', style: 'yellow' },
  missing: { text: 'MISSING', style: 'red' },
} as const
const markWidth = 8

export const usage = `usage: lanner doctor [--config FILE] [--json]

Says what can be detected on this machine, what a collector needs here, how the agent that runs is,
and what to do about the rest. Exit code 1 when something is missing.

  --config FILE   configuration of the agent, whose every need must then be met
  --json          for machines`

/** What nobody has configured is checked as the defaults have it. */
const assumed = `rules: {paths: ${JSON.stringify(libraryPath)}}\nkinesis: {stream: assumed}\n`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values } = parse(args)
  const machine = examineMachine()
  const { checks: collector, config } = examineCollector(values.config)
  const port = config?.health.port ?? 9464
  const agent = port === 0 ? undefined : await askAgent(port)
  const live = isComplete(machine)
  const all = [...machine, ...collector, ...(agent?.checks ?? [])]
  if (values.json === true) {
    io.out(`${JSON.stringify({ live, checks: machine, collector, agent: agent ?? null })}\n`)
    return isComplete(all) ? 0 : 1
  }
  const width = Math.max(...all.map(({ name }) => name.length))
  show('This machine', machine, width, io)
  show('A collector here', collector, width, io)
  if (agent === undefined) io.out(`No agent answers at port ${port} of this machine.\n`)
  else showAgent(agent, port, width, io)
  io.out(
    live
      ? '\nLive detection works here: npm start\n'
      : '\nNo live detection here; `npm start` shows a recorded attack instead.\n',
  )
  return isComplete(all) ? 0 : 1
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { json: { type: 'boolean' }, config: { type: 'string' } },
      strict: true,
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

interface Examined {
  readonly checks: readonly Check[]
  readonly config: Config | undefined
}

/** Without a configuration what is not there is advice: nobody may want a collector here. */
function examineCollector(path: string | undefined): Examined {
  if (path === undefined) {
    const result = readConfig({ name: 'defaults', text: assumed }, process.env)
    if (!result.ok) throw new Error(result.mistakes.join('; '))
    return { checks: asAdvice(checkCollector(result.config, process.env)), config: undefined }
  }
  const result = readFile(path)
  const check = checkConfig(path, result)
  if (!result.ok) return { checks: [check], config: undefined }
  return { checks: [check, ...checkCollector(result.config, process.env)], config: result.config }
}

function readFile(path: string): ConfigResult {
  try {
    return readConfig({ name: path, text: readFileSync(path, 'utf8') }, process.env)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return { ok: false, mistakes: [(error as Error).message] }
  }
}

function isComplete(checks: readonly Check[]): boolean {
  return checks.every(({ state }) => state !== 'missing')
}

function show(title: string, checks: readonly Check[], width: number, io: Io): void {
  io.out(`${paint(title, 'bold', io)}\n`)
  for (const { name, state, found, advice } of checks) {
    const { text, style } = marks[state]
    const mark = paint(text.padEnd(markWidth), style, io)
    io.out(`  ${mark}${name.padEnd(width)}  ${found}\n`)
    if (advice !== '') io.out(`  ${' '.repeat(markWidth + width)}  -> ${advice}\n`)
  }
  io.out('\n')
}

function showAgent({ checks, stages }: RunningAgent, port: number, width: number, io: Io): void {
  show(`The agent that answers at port ${port}`, checks, width, io)
  if (stages.length === 0) return
  io.out(`${paint('Where its events went', 'bold', io)}\n`)
  for (const { name, events, share } of stages) {
    const percent = Number.isNaN(share) ? '' : `${(share * 100).toFixed(2)} %`
    io.out(
      `  ${name.padEnd(30)} ${events.toLocaleString('en').padStart(16)} ${percent.padStart(9)}\n`,
    )
  }
}
