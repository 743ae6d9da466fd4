import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readConfig } from '../../collector/config/read-config.ts'
import { type Io, paint, UsageError } from '../io.ts'
import { type Check, examineSystem, sensorPath } from '../machine.ts'
import { checkCollector, checkConfig } from './collector-checks.ts'
import { probedFeatures } from './probed-features.ts'

export const usage = `usage: lanner doctor node [--config FILE] [--json]

Preflight of a node: loads and attaches the programs once, with the rights this process has, and says pass
or fail for each feature. Run it as a Job (collector/image/preflight.yaml) before the DaemonSet is applied.
Exit code 1 when something fails; what is limited passes.

  --config FILE   configuration of the agent, whose every need must then be met
  --json          for machines`

// loading takes a fifth of a second; in a virtual machine without help of the processor, half a minute
const PROBE_LIMIT_MS = 120_000
const marks = {
  ok: { text: 'PASS', style: 'green' },
  limited: { text: 'LIMITED', style: 'yellow' },
  missing: { text: 'FAIL', style: 'red' },
} as const

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values } = parse(args)
  const checks = [
    ...examineSystem(),
    ...probe(),
    ...(values.config === undefined ? [] : examineConfig(values.config)),
  ]
  const passed = checks.every(({ state }) => state !== 'missing')
  if (values.json === true) io.out(`${JSON.stringify({ passed, checks })}\n`)
  else show(checks, passed, io)
  return passed ? 0 : 1
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { json: { type: 'boolean' }, config: { type: 'string' } },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function probe(): readonly Check[] {
  const { stdout, stderr, error } = spawnSync(sensorPath, ['--probe'], {
    encoding: 'utf8',
    timeout: PROBE_LIMIT_MS,
  })
  return probedFeatures(stdout ?? '', error === undefined ? (stderr ?? '') : error.message)
}

function examineConfig(path: string): readonly Check[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return [checkConfig(path, { ok: false, mistakes: [message] })]
  }
  const result = readConfig({ name: path, text }, process.env)
  const check = checkConfig(path, result)
  return result.ok ? [check, ...checkCollector(result.config, process.env)] : [check]
}

function show(checks: readonly Check[], passed: boolean, io: Io): void {
  const width = Math.max(...checks.map(({ name }) => name.length))
  for (const { name, state, found, advice } of checks) {
    const { text, style } = marks[state]
    io.out(`${paint(text.padEnd(8), style, io)}${name.padEnd(width)}  ${found}\n`)
    if (advice !== '') io.out(`${' '.repeat(8 + width)}  -> ${advice}\n`)
  }
  io.out(
    `\n${passed ? 'This node can run the collector.' : 'This node cannot run the collector as it is.'}\n`,
  )
}
