import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import type { NoticeKind, SyscallEvent } from '#events'
import { readRuleFiles, type SourceFile } from '#load'
import { Agent } from './agent/agent.ts'
import { countConnections } from './agent/count-connections.ts'
import { MemoryKeeper } from './agent/memory.ts'
import { compileNodeRules, type NodeRules } from './agent/node-rules.ts'
import { withQuarantine } from './agent/quarantine-rules.ts'
import { createRedactor } from './agent/redact.ts'
import { keepEvent } from './agent/ring-event.ts'
import { RulesWatch } from './agent/rules-watch.ts'
import { SensorLink } from './agent/sensor-link.ts'
import { createTables } from './agent/tables.ts'
import { WatchedPods } from './agent/watched-pods.ts'
import { readConfig } from './config/read-config.ts'
import { rulesOptions } from './config/rules-options.ts'
import { serveHealth } from './health.ts'
import {
  type ApiAddress,
  clusterAddress,
  nodeInstance,
  startPodIdentity,
} from './kubernetes/index.ts'
import { metricsOf, type NodeFigures } from './metrics.ts'
import { NodeAlerts } from './node-alerts.ts'
import { Outlet } from './outlet.ts'
import { openAlertOutputs } from './sinks/alerts/index.ts'
import { Watchdog } from './watchdog.ts'

// The agent of a node in a fleet, started by the sensor: `main.mjs CONFIG`. It reads the ring, and ships
// what the rules could match or makes alerts of it here.

const TICK_MS = 100
const LOOK_TICKS = 20
const GOODBYE_MS = 15_000
const INSTANCE_MS = 60_000

process.title = 'lanner-agent'
const say = (text: string) => process.stderr.write(`lanner: ${text.toWellFormed()}\n`)

function fail(code: number, lines: readonly string[]): never {
  for (const line of lines) say(line)
  process.exit(code)
}

/** Ends with the reason when something cannot even begin. */
async function orFail<T>(what: string, begin: () => T | Promise<T>): Promise<T> {
  try {
    return await begin()
  } catch (error) {
    fail(2, [`${what}: ${error instanceof Error ? error.message : error}`])
  }
}

const configPath = process.argv[2]!
const read = readConfig({ name: configPath, text: readFileSync(configPath, 'utf8') }, process.env)
if (!read.ok) fail(2, read.mistakes)
const { config } = read
const node = config.node === '' ? hostname() : config.node

function firstRules(): NodeRules {
  const { files, problems } = readRuleFiles(config.rules.paths)
  const unreadable = problems.map(({ path, message }) => `${path}: ${message}`)
  if (unreadable.length > 0) fail(2, unreadable)
  const compiled = compileNodeRules(files, rulesOptions(config))
  if ('mistakes' in compiled) fail(1, compiled.mistakes)
  return compiled.rules
}

let rules = firstRules()
let rulesRefused = 0
const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
const link = new SensorLink(join(dirname(process.argv[1]!), 'ring.node'))
const memory = new MemoryKeeper(() => link.trim())
const tables = createTables(link, rules.needs.hostNames)

function keeper(): (event: SyscallEvent) => SyscallEvent {
  if (!config.redact.enabled) return keepEvent
  const redactor = createRedactor(config.redact)
  return (event) => redactor.event(keepEvent(event))
}
const keep = await orFail(configPath, keeper)

async function openOutlet(): Promise<Outlet | undefined> {
  const { stream, region, endpoint } = config.kinesis
  if (stream === '') return undefined
  // the AWS client costs ten megabytes: loaded where it is used
  const { KinesisSink } = await import('./sinks/kinesis/kinesis-sink.ts')
  return Outlet.open({
    config,
    node,
    boot,
    link,
    sink: new KinesisSink({
      stream,
      ...(region !== '' && { region }),
      ...(endpoint !== '' && { endpoint }),
    }),
    keep,
    rulesetHash: () => rules.hash,
    announce: say,
    instance: () => instance,
  })
}
/** Id of this machine, once it is known. */
let instance = config.identity.instance === 'node' ? '' : config.identity.instance
const outlet = await orFail('the way to the stream', openOutlet)

if (outlet === undefined) link.state.begin(undefined)
const outputs = await orFail(configPath, () =>
  config.alerts.mode === 'off' ? [] : openAlertOutputs(config.alerts, say),
)
const alerts = new NodeAlerts({
  mode: config.alerts.mode,
  outputs,
  keep,
  origin: { cluster: config.cluster, node, boot, run: String(link.state.run) },
  reachability: () => outlet?.reachability ?? { state: 'unknown', forMs: 0 },
})

/** Says something of this node to everybody who should know. */
function notify(kind: NoticeKind, text: string): void {
  say(text)
  outlet?.notify(kind, text)
  alerts.notify(kind, text)
}

const agent = new Agent({
  ring: link.ring,
  control: link.control,
  table: tables.processes,
  context: tables.context,
  program: rules.edge,
  environment: rules.needs.environment,
  onMatch: (event, matched) => {
    alerts.show(event, rules.full)
    outlet?.offer(event, matched)
  },
  onDrained: () => outlet?.afterDrain(),
  onReady: () => {
    link.awaitSnapshot()
    const since = Math.round(performance.now())
    notify('started', `watching with ${rules.count} rules, after ${since} ms`)
    memory.settle()
  },
})

function refuseRules(reasons: readonly string[]): void {
  rulesRefused += 1
  const more = reasons.length > 1 ? `, and ${reasons.length - 1} more` : ''
  notify('rules-refused', `the changed rules are refused: ${reasons[0]}${more}`)
}

let isQuarantined = false
const watchedPods = new WatchedPods({
  say: (text) => outlet?.notify('pod-watched', text),
  now: Date.now,
  connectionsOf: (uid) => countConnections(tables.processes.pidsOf(uid)),
})

/** The rules, and what a pod of this node that is cut off makes wanted beside them. */
function inForce(set: NodeRules): Pick<NodeRules, 'edge' | 'needs'> {
  return isQuarantined ? withQuarantine(set, set.enabled) : set
}

/** Follows the label that a response puts on a pod of this node, and takes away again. */
function followQuarantine(): void {
  const pods = kubernetes?.quarantined ?? []
  const isWanted = pods.length > 0
  if (isWanted === isQuarantined) {
    watchedPods.take(pods)
    return
  }
  isQuarantined = isWanted
  try {
    const set = inForce(rules)
    link.setFilter(set.needs.kernel)
    agent.use(set.edge, rules.needs.environment)
    say(
      isWanted
        ? 'a pod here is cut off: its network is shipped'
        : 'no pod here is cut off any more',
    )
    watchedPods.take(pods)
  } catch (error) {
    // what was in force stays so; tried again with the next tick
    isQuarantined = !isWanted
    say(
      `the network of a pod that is cut off is not seen: ${error instanceof Error ? error.message : error}`,
    )
  }
}

/** A changed set takes the place of the one in force, in the kernel and here; a bad one does not. */
function changeRules(files: readonly SourceFile[]): void {
  const compiled = compileNodeRules(files, rulesOptions(config))
  if ('mistakes' in compiled) {
    refuseRules(compiled.mistakes)
    return
  }
  if (compiled.rules.hash === rules.hash) return
  try {
    link.setFilter(inForce(compiled.rules).needs.kernel)
  } catch (error) {
    refuseRules([error instanceof Error ? error.message : String(error)])
    return
  }
  rules = compiled.rules
  agent.use(inForce(rules).edge, rules.needs.environment)
  tables.useHostNames(rules.needs.hostNames)
  notify('rules-changed', `${rules.count} rules in force, hash ${rules.hash.slice(0, 12)}`)
  memory.settle()
}

const rulesWatch = new RulesWatch({
  paths: config.rules.paths,
  onChange: changeRules,
  onUnreadable: refuseRules,
})

/** Asks the API once, and again each minute until it answers. */
function learnInstance(address: ApiAddress): void {
  const ask = async () => {
    try {
      instance = await nodeInstance(address, node, AbortSignal.timeout(INSTANCE_MS))
    } catch (error) {
      say(`the machine of node ${node} is not known: ${(error as Error).message}`)
      setTimeout(ask, INSTANCE_MS).unref()
    }
  }
  void ask()
}

function startKubernetes() {
  const { mode, url: given, ca, token } = config.kubernetes
  if (mode === 'off') return undefined
  const found = clusterAddress(process.env)
  const url = given === '' ? found?.url : given
  if (url === undefined) {
    const reason = 'kubernetes.mode is on, but there is no kubernetes.url and no pod environment'
    if (mode === 'on') fail(2, [`${configPath}: ${reason}`])
    return undefined
  }
  const address = { url, caFile: ca, tokenFile: token }
  if (config.identity.instance === 'node') learnInstance(address)
  return startPodIdentity({
    address,
    node,
    containers: tables.containers,
  })
}
const kubernetes = startKubernetes()

function figures(): NodeFigures {
  const { processes, containers, context } = tables
  const { state } = link
  return {
    kernel: link.counters(),
    records: state.total('records'),
    matched: state.total('matched'),
    restarts: state.total('restarts'),
    tampered: link.tampered,
    rules: rules.count,
    rulesRefused,
    tables: {
      processes: { size: processes.size, evicted: processes.counters.evicted },
      containers: { size: containers.size, evicted: containers.evicted },
      sockets: { size: context.sockets.size, evicted: context.sockets.evicted },
    },
    lost: {
      queue: state.total('lost-queue'),
      spool: state.total('lost-spool'),
      sink: state.total('lost-sink'),
      limit: state.total('lost-limit'),
    },
    outlet: outlet?.figures,
    alerts: alerts.figures,
    kubernetes: kubernetes?.figures,
  }
}

const watchdog = new Watchdog({ notify, figures })
let counted = agent.figures
/** Adds what the agent counted to the totals of the run, which outlive it. */
function carryCounts(): void {
  const { records, matched } = agent.figures
  link.state.add('records', records - counted.records)
  link.state.add('matched', matched - counted.matched)
  counted = { records, matched }
}

let ticks = 0
const timer = setInterval(() => {
  carryCounts()
  followQuarantine()
  outlet?.tick()
  memory.look()
  ticks += 1
  if (ticks % LOOK_TICKS === 0) {
    rulesWatch.look()
    watchdog.look()
  }
}, TICK_MS)

let ending = false
async function end(): Promise<void> {
  if (ending) return
  ending = true
  clearInterval(timer)
  agent.finish()
  carryCounts()
  link.stop()
  await kubernetes?.stop()
  alerts.notify('stopped', 'the agent stops')
  const isEmpty = await outlet?.stop(GOODBYE_MS)
  if (isEmpty === false) say('not all could be shipped: the spool keeps it for the next start')
  await alerts.close()
  process.exit(0)
}
process.on('SIGINT', end)
process.on('SIGHUP', () => rulesWatch.lookAtOnce())
process.on('SIGTERM', end)

if (config.health.port !== 0) {
  serveHealth({
    port: config.health.port,
    complaints: () => watchdog.complaints(),
    metrics: () => metricsOf(figures()),
    onError: (error) => say(`no health on port ${config.health.port}: ${error.message}`),
  })
}

link.setFilter(rules.needs.kernel)
link.requestSnapshot()
if (link.state.total('restarts') > 0 || Number(process.env['LANNER_AGENT_RESTARTS'] ?? 0) > 0) {
  // the events that wait are older than the snapshot: learn the processes first
  link.awaitSnapshot()
  agent.prime()
}
outlet?.start()
link.onEvents(agent.drain)
agent.drain()
