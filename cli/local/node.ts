import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface LocalNodeOptions {
  /** Files and directories that the node watches. */
  readonly rules: readonly string[]
  readonly stream: string
  readonly endpoint: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** Settings of the collector that differ from those of this command. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** What the collector says. */
  readonly say: (line: string) => void
}

const lanner = fileURLToPath(new URL('../lanner', import.meta.url))

/** The collector of this machine, as the DaemonSet runs it, with the stream of this machine. */
export class LocalNode {
  readonly #child: ChildProcess
  readonly #directory: string

  constructor({ rules, stream, endpoint, credentials, settings, say }: LocalNodeOptions) {
    this.#directory = mkdtempSync(join(tmpdir(), 'lanner-local-'))
    // The agent is nobody, and reads rules and configuration itself.
    chmodSync(this.#directory, 0o755)
    const paths = rules.map((path, at) => {
      const copy = join(this.#directory, `rules-${at}`)
      cpSync(path, copy, { recursive: true })
      return copy
    })
    const config = {
      cluster: 'local',
      rules: { paths, matching: 'all' },
      kinesis: { stream, region: 'us-east-1', endpoint },
      spool: { directory: join(this.#directory, 'spool') },
      batch: { wait: '200ms' },
      kubernetes: { mode: 'off' },
      health: { port: 0 },
      ...settings,
    }
    const file = join(this.#directory, 'agent.yaml')
    // YAML takes JSON.
    writeFileSync(file, JSON.stringify(config))
    this.#child = spawn(lanner, ['agent', '--config', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // A Ctrl-C is for the whole terminal; the node ends when it is told to.
      detached: true,
      env: {
        ...process.env,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
    })
    for (const output of [this.#child.stdout!, this.#child.stderr!]) {
      createInterface({ input: output }).on('line', say)
    }
    this.#child.once('exit', (code, signal) => {
      if (code !== 0) say(`the collector ended with ${signal ?? code}`)
    })
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Lets it ship what it has, and ends it. */
  async stop(): Promise<void> {
    if (this.isRunning) {
      const ended = once(this.#child, 'exit')
      this.#child.kill('SIGTERM')
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), 15_000)
      await ended
      clearTimeout(timer)
    }
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
