import { basename } from 'node:path'
import { encodeArtefact } from '#artefact'
import { localCredentials } from '../infra/local/clients.ts'
import { type LocalStack, startLocal } from '../infra/local/start-local.ts'
import { topology } from '../infra/topology/index.ts'
import type { DetectionMessage } from '../lambdas/shared/bus-messages.ts'
import type { Detection } from '../lambdas/shared/detection.ts'
import { artefactOf } from './artefact.ts'
import { type Io, paint, UsageError } from './io.ts'
import { libraryPath } from './library-path.ts'
import { LocalNode } from './local/node.ts'
import { actorPath, obstacles } from './machine.ts'
import { printable } from './printable.ts'
import { RuleBucket } from './rule-bucket.ts'
import { type LoadedFiles, loadRuleFiles, parseRuleOptions, sharedUsage } from './rule-options.ts'
import { showErrors } from './rules-check.ts'
import { findSimulation, play } from './simulate.ts'
import { type Simulation, simulations } from './simulations/catalogue.ts'

export const usage = `usage: lanner drill [NAME]... [--within SECONDS] [OPTION]...

Plays attacks and says which of them reached the bus, and how soon: through the sensor and the agent of
this machine, a stream, the functions as they run in AWS, and their state. Needs root and a kernel
with BTF. Exits with 1 when one was not noticed in time. Without a NAME all of "lanner simulate" are
played, without --rules they meet Lanner's own.

  --within SECONDS          from the first system call to the bus (default 15)
${sharedUsage}`

/** What became of a simulation. */
export interface Drilled {
  readonly name: string
  readonly rule: string
  /** Milliseconds from its start until the bus had the detection; none when it never did. */
  readonly ms?: number
  /** Of the incident that it belongs to. */
  readonly incident?: string
  /** Why it is no success; none when it is one. */
  readonly problem?: string
}

const startMs = 60_000

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { rules, values, positionals } = parseRuleOptions(args, { within: { type: 'string' } })
  const chosen = positionals.length === 0 ? simulations : positionals.map(findSimulation)
  const withinMs = 1000 * Number(values.within ?? 15)
  if (!(withinMs > 0 && withinMs <= 600_000)) {
    throw new UsageError(`--within is a number of seconds up to 600, not "${values.within}"`)
  }
  const paths = rules.paths.length === 0 ? [libraryPath] : rules.paths
  const loaded = loadRuleFiles({ ...rules, paths })
  if (!loaded.ok) {
    showErrors(loaded, io)
    return 2
  }
  const missing = obstacles()
  for (const { name, found, advice } of missing) {
    io.err(`lanner: ${name}: ${found}${advice === '' ? '' : ` -> ${advice}`}\n`)
  }
  if (missing.length > 0) return 2
  const drill = await Drill.start(
    loaded,
    encodeArtefact(artefactOf(loaded, rules.selections)),
    paths,
  )
  const done: Drilled[] = []
  try {
    for (const simulation of chosen) {
      const one = await drill.play(simulation, withinMs)
      done.push(one)
      io.out(rules.json ? `${JSON.stringify(one)}\n` : lineOf(one, io))
    }
  } finally {
    await drill.stop()
  }
  const noticed = done.filter(({ problem }) => problem === undefined)
  const slowest = Math.max(0, ...noticed.map(({ ms = 0 }) => ms))
  const verdict = `${noticed.length} of ${done.length} noticed within ${withinMs / 1000} s, the slowest after ${seconds(slowest)}`
  if (!rules.json) io.out(`${verdict}\n`)
  return noticed.length === done.length ? 0 : 1
}

/** The way from this machine's kernel to the bus, for one drill. */
class Drill {
  readonly #stack: LocalStack
  readonly #node: LocalNode
  readonly #rules: ReadonlySet<string>
  readonly #heard: { readonly detection: Detection; readonly at: number }[] = []

  private constructor(stack: LocalStack, node: LocalNode, rules: ReadonlySet<string>) {
    this.#stack = stack
    this.#node = node
    this.#rules = rules
  }

  /** Starts all of it, and waits until the first word of the sensor is on the bus. */
  static async start(
    { ruleSet }: LoadedFiles,
    artefact: string,
    paths: readonly string[],
  ): Promise<Drill> {
    const stack = await startLocal(topology, { stages: ['evaluate'], schedules: false })
    const said: string[] = []
    let node: LocalNode | undefined
    try {
      const bucket = new RuleBucket(stack.clients.s3, stack.names.name('rules'))
      await bucket.assign({ default: await bucket.putSet(artefact), clusters: {}, labels: {} })
      let isHeard = false
      await stack.listen('bus', { 'detail-type': ['Sensor Health'] }, () => {
        isHeard = true
      })
      node = new LocalNode({
        ...{ rules: paths, stream: stack.names.name('stream'), credentials: localCredentials },
        ...{ endpoint: stack.endpoints.kinesis, say: (line) => void said.push(line) },
      })
      for (const end = Date.now() + startMs; !isHeard; await pause(50)) {
        if (node.isRunning && Date.now() < end) continue
        throw new Error(`nothing is heard of the sensor: ${said.slice(-5).join('; ')}`)
      }
      const names = ruleSet.rules.filter(({ enabled }) => enabled).map(({ name }) => name)
      const drill = new Drill(stack, node, new Set(names))
      await drill.#listen()
      return drill
    } catch (error) {
      await node?.stop()
      await stack.stop()
      throw error
    }
  }

  async #listen(): Promise<void> {
    await this.#stack.listen('bus', { 'detail-type': ['Detection'] }, ({ detail }) => {
      const { detection } = detail as unknown as DetectionMessage
      this.#heard.push({ detection, at: performance.now() })
    })
  }

  async play(simulation: Simulation, withinMs: number): Promise<Drilled> {
    const { name, rule } = simulation
    if (!this.#rules.has(rule)) return { name, rule, problem: 'these rules have no such rule' }
    const before = this.#heard.length
    const started = performance.now()
    const problem = await play(simulation)
    if (problem !== '') return { name, rule, problem: `it could not be played: ${problem}` }
    const own = () =>
      this.#heard
        .slice(before)
        .filter(({ detection }) => detection.rule === rule && isOurs(detection))
    while (own().length === 0 && performance.now() - started < withinMs) await pause(20)
    const [first] = own()
    if (first === undefined) return { name, rule, problem: 'not noticed in time' }
    const ms = Math.round(first.at - started)
    const { incident } = first.detection.lanner
    const late = ms > withinMs ? { problem: 'noticed too late' } : {}
    return { name, rule, ms, ...(incident !== undefined && { incident }), ...late }
  }

  async stop(): Promise<void> {
    await this.#node.stop()
    await this.#stack.stop()
  }
}

/** Whether a detection is of something that was played, and of nothing else on this machine. */
function isOurs({ lanner: { lineage = [] } }: Detection): boolean {
  const actor = basename(actorPath)
  return lineage.some(({ exe, name }) => name === actor || basename(exe) === actor)
}

function lineOf({ name, rule, ms, problem }: Drilled, io: Io): string {
  const time = ms === undefined ? '' : seconds(ms)
  const state = problem === undefined ? paint('noticed', 'green', io) : paint('MISSED ', 'red', io)
  const why = problem === undefined ? '' : `: ${printable(problem)}`
  return `${state}  ${time.padStart(7)}  ${name.padEnd(22)}  ${rule}${why}\n`
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
