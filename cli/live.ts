import { spawn } from 'node:child_process'
import { chmodSync, copyFileSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AgentSettings } from './agent-settings.ts'
import { addonPath, agentPath, sensorPath } from './machine.ts'

/** Keeps the agent small: it holds tables and rules, not documents. */
const nodeFlags = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=1',
  '--max-old-space-size=96',
  '--v8-pool-size=1',
  '--expose-gc', // see settle in agent-main.ts
]

/**
 * Puts what the agent reads where its user can: program, addon and settings (with the rules' texts)
 * in a directory of their own. The checkout may lie below a directory that only root may enter.
 * The sensor removes the directory at the end.
 */
function stage(settings: AgentSettings): { directory: string; args: string[] } {
  const directory = mkdtempSync(join(tmpdir(), 'lanner-'))
  chmodSync(directory, 0o755)
  const program = join(directory, 'agent.mjs')
  const addon = join(directory, 'ring.node')
  const config = join(directory, 'settings.json')
  copyFileSync(agentPath, program)
  copyFileSync(addonPath, addon)
  writeFileSync(config, JSON.stringify(settings))
  for (const path of [program, addon, config]) chmodSync(path, 0o644)
  return {
    directory,
    args: ['--remove', directory, '--', process.execPath, ...nodeFlags, program, config],
  }
}

const agentEnvironment = { UV_THREADPOOL_SIZE: '1', MALLOC_ARENA_MAX: '1' }

/** Becomes the sensor, which starts the agent; this process and its memory are gone then. */
export function becomeSensor(settings: AgentSettings): never {
  const { args } = stage(settings)
  process.execve?.(sensorPath, ['lanner-sensor', ...args], environment())
  throw new Error(`cannot start ${sensorPath}`)
}

/** Runs the sensor as a child whose agent writes to the file `out`; resolves to its exit code. */
export function runSensor(settings: AgentSettings, out: number): Promise<number> {
  const { args } = stage(settings)
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
