import { spawn } from 'node:child_process'
import { chmodSync, copyFileSync, mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { agentEnvironment, nodeFlags, passOptions } from '../collector/agent-command.ts'
import type { AgentSettings } from './agent-settings.ts'
import { addonPath, agentPath, collectorPath, sensorPath } from './machine.ts'

/** A temporary directory that everybody may read, for what the agent's user could not reach otherwise. */
class Stage {
  readonly directory: string

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'lanner-'))
    chmodSync(this.directory, 0o755)
  }

  copy(path: string): string {
    const copy = join(this.directory, basename(path))
    copyFileSync(path, copy)
    chmodSync(copy, 0o644)
    return copy
  }

  write(name: string, text: string): string {
    const path = join(this.directory, name)
    writeFileSync(path, text)
    chmodSync(path, 0o644)
    return path
  }
}

/** The command line of the sensor for a program of the agent's. */
function sensorArguments(sensorOptions: readonly string[], program: readonly string[]): string[] {
  return [...sensorOptions, '--', process.execPath, ...nodeFlags, ...program]
}

/**
 * What watch and record run: program, addon and settings (with the rules' texts) in a directory of
 * their own. The checkout may lie below a directory that only root may enter. The sensor removes the
 * directory at the end.
 */
function forSettings(settings: AgentSettings): string[] {
  const stage = new Stage()
  const program = stage.copy(agentPath)
  stage.copy(addonPath)
  const config = stage.write('settings.json', JSON.stringify(settings))
  return sensorArguments(['--remove', stage.directory], [program, config])
}

/**
 * What a node of a fleet runs: in place when everybody may read it, as in an image with a read-only
 * root, else copied as for {@link forSettings}. The configuration may be readable for root alone.
 */
function forConfig(configPath: string): string[] {
  const parts = readdirSync(collectorPath).map((name) => join(collectorPath, name))
  if ([...parts, configPath].every(isReadableForAll)) {
    return sensorArguments(passOptions, [join(collectorPath, 'main.mjs'), configPath])
  }
  const stage = new Stage()
  for (const part of parts) stage.copy(part)
  const config = stage.copy(configPath)
  return sensorArguments(
    [...passOptions, '--remove', stage.directory],
    [join(stage.directory, 'main.mjs'), config],
  )
}

function isReadableForAll(path: string): boolean {
  if ((statSync(path).mode & 0o004) === 0) return false
  for (let at = dirname(path); ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false
    if (at === '/') return true
  }
}

function become(args: readonly string[]): never {
  process.execve?.(sensorPath, ['lanner-sensor', ...args], environment())
  throw new Error(`cannot start ${sensorPath}`)
}

/** Becomes the sensor, which starts the agent; this process and its memory are gone then. */
export function becomeSensor(settings: AgentSettings): never {
  become(forSettings(settings))
}

/** The same with the agent of a fleet, which reads `configPath` itself. */
export function becomeCollector(configPath: string): never {
  become(forConfig(configPath))
}

/** Runs the sensor as a child whose agent writes to the file `out`; resolves to its exit code. */
export function runSensor(settings: AgentSettings, out: number): Promise<number> {
  const args = forSettings(settings)
  const child = spawn(sensorPath, args, { stdio: ['inherit', out, 'inherit'], env: environment() })
  // the terminal signals the whole group; a signal to this process alone is passed on
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => resolve(code ?? 1))
  })
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, ...agentEnvironment }
}
