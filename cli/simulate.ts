import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { parseArgs, promisify } from 'node:util'
import { nearestName } from '#events'
import { type Io, paint, UsageError } from './io.ts'
import { actorPath } from './machine.ts'
import { type Simulation, simulations } from './simulations/catalogue.ts'

export const usage = `usage: lanner simulate [NAME]... [--list] [--cgroup PATH]

Plays attacks on this machine, one a rule of Lanner's own, and says which rule should notice. They are
harmless: nothing leaves the machine, and what they make they remove. Run "lanner watch" in another
terminal first. Without a NAME all are played.

  --list                    say what there is and do nothing
  --cgroup PATH             play them in this cgroup, such as kubepods/besteffort/podUID/CONTAINER: as part
                            of that container of that pod, to see what answers it; made and removed again
                            where there is none`

const run_ = promisify(execFile)
const LIMIT_MS = 20_000

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args)
  const { cgroup } = values
  if (cgroup !== undefined && (cgroup === '' || cgroup.split('/').includes('..'))) {
    throw new UsageError('--cgroup is a path below the root of the cgroups')
  }
  const chosen = positionals.length === 0 ? simulations : positionals.map(findSimulation)
  if (values.list) {
    const width = Math.max(...chosen.map(({ name }) => name.length))
    for (const { name, does, rule } of chosen) {
      io.out(
        `${name.padEnd(width)}  ${does}\n${' '.repeat(width)}  -> ${paint(rule, 'bold', io)}\n`,
      )
    }
    return 0
  }
  if (process.getuid?.() !== 0) {
    io.err('lanner: simulations change users and namespaces: run as root\n')
    return 2
  }
  if (!existsSync(actorPath)) {
    io.err('lanner: the program that plays them is not built: bash cli/bootstrap.sh\n')
    return 2
  }
  let failed = 0
  for (const simulation of chosen) {
    const problem = await play(simulation, cgroup)
    io.out(`${simulation.name}: ${simulation.does} -> ${paint(simulation.rule, 'bold', io)}\n`)
    if (problem === '') continue
    failed += 1
    io.err(`  it did not work: ${problem}\n`)
  }
  return failed === 0 ? 0 : 1
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { list: { type: 'boolean' }, cgroup: { type: 'string' } },
      allowPositionals: true,
      strict: true,
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** The simulation of that name; a `UsageError` names the nearest one. */
export function findSimulation(name: string): Simulation {
  const found = simulations.find((simulation) => simulation.name === name)
  if (found !== undefined) return found
  const nearest = nearestName(
    name,
    simulations.map((simulation) => simulation.name),
  )
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
  throw new UsageError(`there is no simulation "${name}"${hint}`)
}

/** Plays one, in a cgroup if one is named; gives what went wrong, "" when nothing did. */
export async function play({ steps }: Simulation, cgroup?: string): Promise<string> {
  const place = cgroup === undefined ? [] : ['cgroup', cgroup.replace(/^\/+/, ''), '--']
  try {
    await run_(actorPath, [...place, ...steps], { timeout: LIMIT_MS })
    return ''
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string }
    return (stderr ?? '').trim() || message
  }
}
