import { nearestName } from '#events'
import { type Command, type Io, UsageError } from './io.ts'

interface Entry {
  readonly summary: string
  load(): Promise<Command>
}

/** Every command; its file is loaded when it is called. */
const commands: Readonly<Record<string, Entry>> = {
  watch: {
    summary: 'detect what happens on this machine, as it happens',
    load: () => import('./watch.ts'),
  },
  record: {
    summary: 'write what happens on this machine to a trace',
    load: () => import('./record.ts'),
  },
  replay: {
    summary: 'evaluate rules over a trace',
    load: () => import('./replay.ts'),
  },
  agent: {
    summary: 'run the collector of a node in a fleet: to Kinesis, or alerts on the node',
    load: () => import('./agent.ts'),
  },
  local: {
    summary: 'run all of Lanner on this machine: collector, stream, functions, state and bus',
    load: () => import('./local.ts'),
  },
  'rules check': {
    summary: 'check rules files and report every mistake',
    load: () => import('./rules-check.ts'),
  },
  'rules test': {
    summary: 'run the tests beside rules files',
    load: () => import('./rules-test.ts'),
  },
  'rules compile': {
    summary: 'write a rule set as the one file that functions load',
    load: () => import('./rules-compile.ts'),
  },
  'rules publish': {
    summary: 'put a rule set into force in an account, and write it for nodes',
    load: () => import('./rules-publish.ts'),
  },
  'rules rollback': {
    summary: 'take the last publication back',
    load: () => import('./rules-rollback.ts'),
  },
  'rules list': {
    summary: 'list rules with what they look at',
    load: () => import('./rules-list.ts'),
  },
  'rules explain': {
    summary: 'show one rule in full: condition, events, fields, runbook',
    load: () => import('./rules-explain.ts'),
  },
  'rules diff': {
    summary: 'say what changed between two rule sets, and how serious it is',
    load: () => import('./rules-diff.ts'),
  },
  'responses test': {
    summary: 'show what would answer a detection or an incident, and how far it may go',
    load: () => import('./responses-test.ts'),
  },
  'responses publish': {
    summary: 'put into force what answers detections, after showing what changes',
    load: async () => (await import('./publish/publish-file.ts')).publishing('responses'),
  },
  'responses rollback': {
    summary: 'take the last publication of responses back',
    load: async () => (await import('./publish/publish-file.ts')).rollingBack('responses'),
  },
  'routes publish': {
    summary: 'put into force whom incidents reach, after showing what changes',
    load: async () => (await import('./publish/publish-file.ts')).publishing('routes'),
  },
  'routes rollback': {
    summary: 'take the last publication of routes back',
    load: async () => (await import('./publish/publish-file.ts')).rollingBack('routes'),
  },
  'clusters publish': {
    summary: 'put into force where the clusters are that responses act on',
    load: async () => (await import('./publish/publish-file.ts')).publishing('clusters'),
  },
  'clusters rollback': {
    summary: 'take the last publication of clusters back',
    load: async () => (await import('./publish/publish-file.ts')).rollingBack('clusters'),
  },
  'senders publish': {
    summary: 'put into force whose batches are believed to be of their node',
    load: async () => (await import('./publish/publish-file.ts')).publishing('senders'),
  },
  'senders rollback': {
    summary: 'take the last publication of senders back',
    load: async () => (await import('./publish/publish-file.ts')).rollingBack('senders'),
  },
  'routes test': {
    summary: 'show where sample events go, and why',
    load: () => import('./routes-test.ts'),
  },
  redrive: {
    summary: 'put dead letters on their way again',
    load: () => import('./redrive.ts'),
  },
  'migrate falcosidekick': {
    summary: "write a routes file from Falcosidekick's configuration",
    load: () => import('./migrate-falcosidekick.ts'),
  },
  compare: {
    summary: 'compare the alerts of Falco and Lanner for the same events',
    load: () => import('./compare.ts'),
  },
  eval: {
    summary: 'evaluate rules over events given as field maps',
    load: () => import('./eval.ts'),
  },
  simulate: {
    summary: 'play harmless attacks that rules should notice',
    load: () => import('./simulate.ts'),
  },
  drill: {
    summary: 'play attacks, and say which were noticed and how soon, from kernel to bus',
    load: () => import('./drill.ts'),
  },
  incident: {
    summary: 'show an incident and every detection of it',
    load: () => import('./incident.ts'),
  },
  approve: {
    summary: 'show what a response would do, and approve or undo it',
    load: () => import('./approve.ts'),
  },
  respond: {
    summary: 'stop all responses, or let them go on',
    load: () => import('./respond-switch.ts'),
  },
  'evidence verify': {
    summary: 'check that evidence is what was collected',
    load: () => import('./evidence-verify.ts'),
  },
  'doctor cluster': {
    summary: 'say whether a cluster has what responses need',
    load: () => import('./doctor-cluster.ts'),
  },
  doctor: {
    summary: 'say what this machine can do, and what to do about the rest',
    load: () => import('./doctor.ts'),
  },
  'doctor node': {
    summary: 'pass or fail, per feature, before the collector is installed on a node',
    load: () => import('./doctor/node.ts'),
  },
}

/** Runs a command line and gives the exit code: 0 done, 1 mistakes found, 2 wrong usage. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const name = [args.slice(0, 2).join(' '), args[0] ?? ''].find((known) =>
    Object.hasOwn(commands, known),
  )
  if (name === undefined) return explain(args, io)
  const command = await commands[name]!.load()
  const rest = args.slice(name.split(' ').length)
  const options = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest
  if (options.includes('--help') || options.includes('-h')) {
    io.out(`${command.usage}\n`)
    return 0
  }
  try {
    return await command.run(rest, io)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    io.err(`lanner ${name}: ${error.message}\n\n${command.usage}\n`)
    return 2
  }
}

function explain(args: readonly string[], io: Io): number {
  const [first] = args
  if (first === '--help' || first === '-h' || first === 'help') {
    io.out(help())
    return 0
  }
  if (first === undefined) {
    io.err(help())
    return 2
  }
  const words = args.filter((arg) => !arg.startsWith('-')).slice(0, 2)
  const nearest =
    nearestName(words.join(' '), Object.keys(commands)) ?? nearestName(first, Object.keys(commands))
  const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`
  io.err(`lanner: there is no command "${words.join(' ') || first}"${hint}\n\n${help()}`)
  return 2
}

function help(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length))
  const lines = Object.entries(commands).map(
    ([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`,
  )
  return `usage: lanner COMMAND [OPTION]...\n\n${lines.join('\n')}\n\nlanner COMMAND --help says more.\n`
}

if (import.meta.main) {
  const color = process.stdout.isTTY === true && !process.env['NO_COLOR']
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever reads may stop early, as `head` does.
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  process.exitCode = await main(process.argv.slice(2), {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    color,
  })
}
