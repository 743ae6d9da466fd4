import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Batch, decodeBatch, type Notice, type SyscallEvent, splitRecord } from '#events'
import { startKinesis, type TestKinesis, testCredentials } from '#testing/kinesis/start-kinesis.ts'
import { decompress } from '../../collector/agent/zstd.ts'
import { lanner } from './watcher.ts'

const STREAM = 'lanner'
const START_LIMIT_MS = 60_000
/** Long enough for any machine: what is waited for comes within a second or two on an idle one. */
const LIMIT_MS = 40_000

export interface NodeOptions {
  /** Text of the rules file that the node watches. */
  readonly rules: string
  /** YAML of further settings. */
  readonly settings?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Without a stream: alerts on the node alone. */
  readonly withoutStream?: boolean
  /** What runs the agent's command line; the node's directory is made by then. */
  readonly command?: readonly string[] | ((directory: string) => readonly string[])
}

/** A `lanner agent` beside a test, with a Kinesis of its own. */
export class LiveNode {
  readonly directory: string
  readonly kinesis: TestKinesis
  readonly alerts: Readonly<Record<string, unknown>>[] = []
  errors = ''
  #child: ChildProcess | undefined
  readonly #options: NodeOptions

  private constructor(directory: string, kinesis: TestKinesis, options: NodeOptions) {
    this.directory = directory
    this.kinesis = kinesis
    this.#options = options
  }

  static async start(options: NodeOptions): Promise<LiveNode> {
    const directory = mkdtempSync(join(tmpdir(), 'lanner-node-'))
    chmodSync(directory, 0o755)
    const kinesis = await startKinesis()
    await kinesis.createStream(STREAM)
    const node = new LiveNode(directory, kinesis, options)
    mkdirSync(join(directory, 'rules'))
    node.writeRules(options.rules)
    writeFileSync(join(directory, 'config.yaml'), node.#config())
    await node.run()
    return node
  }

  #config(): string {
    const { settings = '', withoutStream } = this.#options
    const stream = `kinesis: {stream: ${STREAM}, region: us-east-1, endpoint: "${this.kinesis.endpoint}"}\nspool: {directory: ${this.directory}/spool, limit: 8MiB}\n`
    const base = `cluster: test\nnode: test-node\nrules: {paths: ${this.directory}/rules, matching: all}\nhealth: {port: 0}\nidentity: {token: ${this.directory}/token}\n`
    const kubernetes = settings.includes('kubernetes:') ? '' : 'kubernetes: {mode: off}\n'
    return base + kubernetes + (withoutStream === true ? '' : stream) + settings
  }

  writeRules(text: string): void {
    writeFileSync(join(this.directory, 'rules', 'rules.yaml'), text)
  }

  /** Starts the agent (again), and waits until system calls are reported. */
  async run(command = this.#options.command ?? [lanner]): Promise<void> {
    const [file, ...before] = typeof command === 'function' ? command(this.directory) : command
    const child = spawn(
      file!,
      [...before, 'agent', '--config', join(this.directory, 'config.yaml')],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          AWS_ACCESS_KEY_ID: testCredentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
          ...this.#options.environment,
        },
      },
    )
    this.#child = child
    createInterface({ input: child.stdout! }).on('line', (line) =>
      this.alerts.push(JSON.parse(line)),
    )
    child.stderr!.on('data', (text: Buffer) => {
      this.errors += text
    })
    const said = this.errors.length
    const started = await this.until(
      () => this.errors.slice(said).includes('watching'),
      START_LIMIT_MS,
    )
    if (!started) throw new Error(`the agent did not start:\n${this.errors}`)
  }

  get sensorPid(): number {
    return this.#child!.pid!
  }

  get agentPid(): number {
    const pid = this.sensorPid
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0])
  }

  /** Everything in the stream, as it stands there. */
  async records(): Promise<Uint8Array[]> {
    return (await this.kinesis.readAll(STREAM)).map(({ data }) => data)
  }

  /** Everything in the stream. */
  async batches(): Promise<Batch[]> {
    const records = await this.records()
    return records.map((record) => decodeBatch(splitRecord(record).batch, decompress))
  }

  async events(): Promise<SyscallEvent[]> {
    return (await this.batches()).flatMap(({ events }) => events)
  }

  async notices(): Promise<Notice[]> {
    return (await this.batches()).flatMap(({ notices }) => notices)
  }

  /** Waits until `condition` holds; false when it does not in time. */
  async until(condition: () => boolean | Promise<boolean>, limitMs = LIMIT_MS): Promise<boolean> {
    for (const end = Date.now() + limitMs; Date.now() < end; ) {
      if (await condition()) return true
      if (this.#child?.exitCode !== null) return condition()
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return condition()
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name)
  }

  /** Resolves when the agent is gone. */
  async ended(): Promise<void> {
    const child = this.#child
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      await once(child, 'exit')
    }
  }

  /** Ends the agent as Kubernetes does; resolves to the exit code. */
  async end(): Promise<number | null> {
    const child = this.#child
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    return child?.exitCode ?? null
  }

  async stop(): Promise<void> {
    await this.end()
    await this.kinesis.stop()
    rmSync(this.directory, { recursive: true, force: true })
  }
}
