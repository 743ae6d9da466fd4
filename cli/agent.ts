import { chownSync, mkdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { formatDiagnostic, loadRules, readRuleFiles } from '#load'
import { readConfig } from '../collector/config/read-config.ts'
import { rulesOptions } from '../collector/config/rules-options.ts'
import { type Group, isSetting } from '../collector/config/setting.ts'
import { type Config, settings } from '../collector/config/settings.ts'
import { type Io, UsageError } from './io.ts'
import { becomeCollector } from './live.ts'
import { obstacles } from './machine.ts'

export const usage = `usage: lanner agent --config FILE [--check]
       lanner agent --settings

Runs the collector of a node in a fleet, as the DaemonSet does: ships what the rules could match to
Kinesis, or makes Falco's alerts on the node. Needs root and a kernel with BTF.

  --config FILE             configuration, YAML
  --check                   check configuration and rules, and end
  --settings                print every setting with its default and meaning`

/** User and group that the sensor gives the agent. */
const NOBODY = 65534

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values } = parse(args)
  if (values.settings === true) {
    io.out(describeSettings(settings, ''))
    return 0
  }
  if (values.config === undefined) throw new UsageError('--config FILE is needed')
  const path = resolve(values.config)
  const config = configIn(path, io)
  if (config === undefined) return 2
  // the agent loads the rules itself, and says the same of them
  if (values.check === true) return checkRules(config, io)
  const missing = obstacles()
  for (const { name, found, advice } of missing) {
    io.err(`${name}: ${found}${advice === '' ? '' : `\n  -> ${advice}`}\n`)
  }
  if (missing.length > 0) return 2
  if (config.kinesis.stream !== '') {
    mkdirSync(config.spool.directory, { recursive: true, mode: 0o750 })
    chownSync(config.spool.directory, NOBODY, NOBODY)
  }
  becomeCollector(path)
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        config: { type: 'string' },
        check: { type: 'boolean' },
        settings: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function configIn(path: string, io: Io): Config | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    io.err(`lanner agent: ${error instanceof Error ? error.message : error}\n`)
    return undefined
  }
  const read = readConfig({ name: path, text }, process.env)
  if (read.ok) return read.config
  for (const mistake of read.mistakes) io.err(`${mistake}\n`)
  return undefined
}

function checkRules(config: Config, io: Io): number {
  const { files, problems } = readRuleFiles(config.rules.paths)
  for (const { path, message } of problems) io.err(`error: ${path}: ${message}\n`)
  if (problems.length > 0) return 2
  const loaded = loadRules(files, { selections: rulesOptions(config).selections })
  const diagnostics = loaded.files.flatMap((file) => file.diagnostics)
  for (const diagnostic of diagnostics) {
    if (diagnostic.severity === 'error') io.err(`${formatDiagnostic(diagnostic)}\n\n`)
  }
  return loaded.ok ? 0 : 1
}

/** YAML that sets everything to its default, each with its meaning before it. */
function describeSettings(group: Group, indent: string): string {
  return Object.entries(group)
    .map(([name, entry]) => {
      if (!isSetting(entry)) return `${indent}${name}:\n${describeSettings(entry, `${indent}  `)}`
      const { meaning, form, presetText } = entry
      return `${indent}# ${meaning}; ${form}\n${indent}${name}: ${presetText}\n`
    })
    .join('')
}
