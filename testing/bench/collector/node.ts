import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { constants, setPriority, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type Batch, decodeBatch, splitRecord } from '#events'
import { testCredentials } from '#testing/kinesis/start-kinesis.ts'
import { Metrics } from '../../../cli/metrics-text.ts'
import { decompress } from '../../../collector/agent/zstd.ts'
import { lanner } from '../../live/watcher.ts'
import { library, officialSets, type RuleSet } from '../rule-sets.ts'
import { cpuOf, sleep } from '../watch.ts'
import type { ArrivedRecord } from './kinesis-process.ts'

/** Rules to measure the collector with: the official ones where this machine has them. */
export function ruleSets(): readonly RuleSet[] {
  const official = officialSets()
  return official.length > 0 ? official : [library]
}

export interface NodeOptions {
  /** Top-level groups of settings beside the usual, as YAML lines. */
  readonly settings?: string
  /** Words of a command that runs the rest as its arguments. */
  readonly before?: readonly string[]
}

/** A batch in the stream. */
export interface ArrivedBatch extends Batch {
  /** Bytes of the record. */
  readonly bytes: number
  readonly arrivedAt: number
}

const stream = 'lanner'
const startLimitMs = 30_000
/** CPU in a tenth of a second below which an agent has nothing to do. */
const quietNs = 2_000_000
/** A machine that is never quiet must not keep a measurement for ever. */
const settleLimitMs = 10_000

/** `lanner agent` as a node runs it, shipping to a Kinesis emulator in another process. */
export class BenchNode {
  readonly #directory: string
  readonly #kinesis: ChildProcess
  readonly #agent: ChildProcess
  readonly #healthPort: number
  #agentPid = 0

  private constructor(
    directory: string,
    kinesis: ChildProcess,
    agent: ChildProcess,
    healthPort: number,
  ) {
    this.#directory = directory
    this.#kinesis = kinesis
    this.#agent = agent
    this.#healthPort = healthPort
  }

  /** Starts it and waits until system calls are reported. */
  static async start(rules: RuleSet, options: NodeOptions = {}): Promise<BenchNode> {
    const node = await BenchNode.spawn(rules, options)
    await node.#ready()
    return node
  }

  /** Starts it and does not wait for it; `onSpawn` is called when the command is about to run. */
  static async spawn(
    { paths }: RuleSet,
    { settings = '', before = [] }: NodeOptions,
    onSpawn: () => void = () => {},
  ): Promise<BenchNode> {
    const directory = mkdtempSync(join(tmpdir(), 'lanner-bench-node-'))
    chmodSync(directory, 0o755)
    const kinesis = fork(join(import.meta.dirname, 'kinesis-process.ts'), [stream], {
      serialization: 'advanced',
    })
    // it gets what the workload and the agent leave: in a fleet it runs elsewhere
    setPriority(kinesis.pid!, constants.priority.PRIORITY_LOW)
    const [endpoint] = await once(kinesis, 'message')
    const healthPort = await freePort()
    mkdirSync(join(directory, 'rules'))
    const copies = paths.map((path) => {
      const copy = join(directory, 'rules', basename(path))
      cpSync(path, copy, { recursive: true })
      return copy
    })
    const config = join(directory, 'config.yaml')
    writeFileSync(
      config,
      [
        'cluster: bench',
        'node: bench',
        `rules: {paths: ${JSON.stringify(copies)}, matching: all}`,
        `kinesis: {stream: ${stream}, region: us-east-1, endpoint: "${endpoint}"}`,
        `spool: {directory: ${directory}/spool}`,
        'kubernetes: {mode: off}',
        `health: {port: ${healthPort}}`,
        settings,
      ].join('\n'),
    )
    const words = [...before, lanner, 'agent', '--config', config]
    onSpawn()
    const agent = spawn(words[0]!, words.slice(1), {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        AWS_ACCESS_KEY_ID: testCredentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
      },
    })
    return new BenchNode(directory, kinesis, agent, healthPort)
  }

  async #ready(): Promise<void> {
    let said = ''
    this.#agent.stderr!.on('data', (text: Buffer) => {
      said += text
    })
    for (const limit = performance.now() + startLimitMs; !said.includes('watching'); ) {
      if (this.#agent.exitCode !== null || performance.now() > limit) {
        await this.stop()
        throw new Error(`the agent did not start:\n${said}`)
      }
      await sleep(10)
    }
    this.#agent.stderr!.removeAllListeners('data').resume()
    const { pid } = this.#agent
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    this.#agentPid = Number.parseInt(children, 10)
  }

  get pids(): readonly number[] {
    return [this.#agent.pid!, this.#agentPid]
  }

  /** Nanoseconds of CPU that sensor and agent have used so far. */
  get cpu(): number {
    return this.pids.reduce((sum, pid) => sum + cpuOf(pid), 0)
  }

  /** Bytes that sensor and agent have written and share with nobody. */
  get privateMemory(): number {
    return this.pids.reduce((sum, pid) => {
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
      return sum + Number(/^Private_Dirty:\s+(\d+)/m.exec(text)?.[1] ?? 0) * 1024
    }, 0)
  }

  /** Waits until the agent has worked off what lies in the ring, 10 s at most. */
  async settle(): Promise<void> {
    const limit = performance.now() + settleLimitMs
    for (let before = Number.NEGATIVE_INFINITY; this.cpu - before > quietNs; ) {
      if (performance.now() > limit) return
      before = this.cpu
      await sleep(100)
    }
  }

  async metrics(): Promise<Metrics> {
    const answer = await fetch(`http://127.0.0.1:${this.#healthPort}/metrics`)
    return Metrics.parse(await answer.text())
  }

  /** Everything in the stream. */
  async batches(): Promise<ArrivedBatch[]> {
    const answer = once(this.#kinesis, 'message')
    this.#kinesis.send('read')
    const [records] = (await answer) as [ArrivedRecord[]]
    return records.map(({ data, arrivedAt }) => ({
      ...decodeBatch(splitRecord(data).batch, decompress),
      bytes: data.length,
      arrivedAt,
    }))
  }

  /** Ends the agent in order: everything is in the stream then. */
  async end(): Promise<void> {
    if (this.#agent.exitCode !== null || this.#agent.signalCode !== null) return
    this.#agent.kill('SIGTERM')
    await once(this.#agent, 'exit')
  }

  async stop(): Promise<void> {
    await this.end()
    this.#kinesis.disconnect()
    await once(this.#kinesis, 'exit')
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
