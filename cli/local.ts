import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeArtefact } from '#artefact'
import { formatDiagnostic } from '#load'
import { readRoutes } from '#routes'
import { localCredentials } from '../infra/local/clients.ts'
import { putSecrets } from '../infra/local/services.ts'
import { type LocalStack, startLocal } from '../infra/local/start-local.ts'
import { topology } from '../infra/topology/index.ts'
import { artefactOf } from './artefact.ts'
import { painter } from './detection-text.ts'
import { type Io, UsageError } from './io.ts'
import { libraryPath } from './library-path.ts'
import { busText } from './local/bus-text.ts'
import { LocalFigures } from './local/figures.ts'
import { LocalNode } from './local/node.ts'
import { replayTrace } from './local/replay-trace.ts'
import { obstacles } from './machine.ts'
import { printable } from './printable.ts'
import { RuleBucket } from './rule-bucket.ts'
import { type LoadedFiles, loadRuleFiles, parseRuleOptions, sharedUsage } from './rule-options.ts'
import { showErrors } from './rules-check.ts'
import { StatusLine } from './status-line.ts'
import { recordedAttack, secondsOf } from './watch.ts'

export const usage = `usage: lanner local [--rules PATH]... [OPTION]...

Runs all of Lanner on this machine: the collector, a stream, the functions as they run in AWS with
their state and queues, and the bus. Shows what reaches the bus. As root on a kernel with BTF it
watches this machine until Ctrl-C; otherwise it says what is missing and replays a recorded attack.
Without --rules it uses Lanner's own.

  --duration SECONDS        end after so long
  --trace PATH              replay a trace, a file or a directory of them, instead of watching
  --routes FILE             whom incidents reach, instead of the routes.yaml beside the rules
  --secrets FILE            secrets of destinations, JSON: {"lanner/notify/slack": {"token": "…"}}
  --stage NAME              run these functions alone; may be repeated
${sharedUsage}`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { rules, values, positionals } = parseRuleOptions(args, {
    duration: { type: 'string' },
    trace: { type: 'string' },
    routes: { type: 'string' },
    secrets: { type: 'string' },
    stage: { type: 'string', multiple: true },
  })
  if (positionals.length > 0) throw new UsageError(`unexpected argument "${positionals[0]}"`)
  const stages = stagesOf(values.stage)
  const duration = secondsOf(values.duration)
  const paths = rules.paths.length === 0 ? [libraryPath] : rules.paths
  const loaded = loadRuleFiles({ ...rules, paths })
  if (!loaded.ok) {
    showErrors(loaded, io)
    return 2
  }
  const routes = routesOf(values.routes, loaded)
  const secrets = secretsIn(values.secrets)
  const trace = values.trace ?? traceInstead(io)
  const figures = new LocalFigures()
  const isTerminal = process.stdout.isTTY === true && !rules.json
  const status = new StatusLine(isTerminal, io.out)
  const say = (text: string) => {
    if (isTerminal) status.print(`lanner: ${printable(text)}\n`)
    else io.err(`lanner: ${printable(text)}\n`)
  }
  const stack = await startLocal(topology, {
    ...(stages !== undefined && { stages }),
    announce: say,
    log: (stage, line) => {
      if (!figures.take(line) && isProblem(line)) say(`${stage}: ${line}`)
    },
  })
  let node: LocalNode | undefined
  const timer = setInterval(async () => {
    status.show(figures.text(stack, await deadLetters(stack)), process.stdout.columns ?? 80)
  }, 500)
  try {
    const bucket = new RuleBucket(stack.clients.s3, stack.names.name('rules'))
    const artefact = encodeArtefact(artefactOf(loaded, rules.selections))
    await bucket.putRoutes(routes)
    await putSecrets(stack.endpoints.secrets_manager, secrets)
    await bucket.assign({ default: await bucket.putSet(artefact), clusters: {}, labels: {} })
    const paint = painter(io.color)
    await stack.listen('bus', { source: ['lanner'] }, (event) => {
      figures.count(event['detail-type'])
      status.print(rules.json ? `${JSON.stringify(event)}\n` : busText(event, paint))
    })
    const stream = stack.names.name('stream')
    if (trace === undefined) {
      const { kinesis: endpoint } = stack.endpoints
      node = new LocalNode({ rules: paths, stream, endpoint, credentials: localCredentials, say })
      await ended(duration)
      await node.stop()
    } else {
      await replayTrace(stack.clients.kinesis, stream, trace)
      if (duration !== undefined) await ended(duration)
    }
    await stack.settle(60_000)
  } finally {
    clearInterval(timer)
    await node?.stop()
    status.clear()
    io.err(`lanner: ${figures.text(stack, await deadLetters(stack))}\n`)
    await stack.stop()
  }
  return 0
}

/** The text of the routes to publish: those that are named, those beside the rules, or Lanner's own. */
function routesOf(path: string | undefined, { routes }: LoadedFiles): string {
  const [beside] = routes
  if (path === undefined && beside !== undefined) return beside.file.text
  const name = path ?? join(libraryPath, 'routes.yaml')
  let text: string
  try {
    text = readFileSync(name, 'utf8')
  } catch (error) {
    throw new UsageError(`--routes: ${(error as Error).message}`)
  }
  const { ok, diagnostics } = readRoutes({ name, text })
  if (ok) return text
  throw new UsageError(`--routes: ${diagnostics.map(formatDiagnostic).join('\n')}`)
}

/** Texts of secrets by name. */
function secretsIn(path: string | undefined): Record<string, string> {
  if (path === undefined) return {}
  try {
    const json = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
    return Object.fromEntries(
      Object.entries(json).map(([name, value]) => [
        name,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
    )
  } catch (error) {
    throw new UsageError(`--secrets: ${(error as Error).message}`)
  }
}

function stagesOf(asked: readonly string[] | undefined): readonly string[] | undefined {
  const known = topology.functions.map(({ stage }) => stage)
  const unknown = asked?.find((stage) => !known.includes(stage))
  if (unknown === undefined) return asked
  throw new UsageError(`there is no function "${unknown}": one of ${known.join(', ')}`)
}

/** What to replay when this machine cannot be watched; says why. */
function traceInstead(io: Io): string | undefined {
  const missing = obstacles()
  if (missing.length === 0) return undefined
  io.err('lanner: this machine cannot be watched:\n')
  for (const { name, found, advice } of missing) {
    io.err(`  ${name}: ${found}${advice === '' ? '' : `\n    -> ${advice}`}\n`)
  }
  io.err('lanner: replaying an attack that was recorded on another machine\n')
  return recordedAttack
}

/** Messages in all queues where things end. */
async function deadLetters(stack: LocalStack): Promise<number> {
  const queues = Object.entries(topology.resources).flatMap(([name, resource]) => {
    if (resource.kind !== 'queue') return []
    return resource.receives === undefined ? [name] : [`${name}-dead`]
  })
  const depths = await Promise.all(queues.map((queue) => stack.depth(queue)))
  return depths.reduce((sum, depth) => sum + depth, 0)
}

/** Whether a function's own line says that something is wrong. */
function isProblem(line: string): boolean {
  return !line.startsWith('{') || /"level":"(WARN|ERROR|CRITICAL)"/.test(line)
}

/** Until a signal or so many seconds. */
function ended(seconds: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      process.off('SIGINT', end)
      process.off('SIGTERM', end)
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(end, Math.min(2 ** 31 - 1, (seconds ?? 2e6) * 1000))
    process.on('SIGINT', end)
    process.on('SIGTERM', end)
  })
}
