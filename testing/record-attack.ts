/**
 * Makes `cli/recorded/attack.trace`, what `lanner watch` shows where it cannot watch: a web server in
 * a container is taken over, step by step, recorded by the sensor on this machine. Everything above
 * the container's runtime is cut off, so that nothing of the machine is in it.
 *
 *     node testing/record-attack.ts       (as root)
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Batch, encodeBatch, encodeFrame, type Process, type SyscallEvent } from '#events'
import { readTrace } from '../cli/trace-file.ts'
import { keepEvent } from '../collector/agent/ring-event.ts'
import { compress } from '../collector/agent/zstd.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const RUNTIME = 'containerd-shim'
const out = join(root, 'cli/recorded/attack.trace')

const script = [
  'id >/dev/null',
  'cat /etc/shadow >/dev/null',
  'lanner-actor network 203.0.113.7 -- named curl -- connect 203.0.113.7 443',
  'lanner-actor drop /opt/.cache',
  'lanner-actor memfd /bin/true',
  'lanner-actor redirect 0 </dev/null',
  'lanner-actor chmod /tmp/.sh 4755',
  'lanner-actor child -- capability 21 -- exec true',
  'lanner-actor named xmrig -- wait 0',
  'lanner-actor ptrace attach',
  'lanner-actor open /tmp/release_agent w',
  'lanner-actor module',
  'lanner-actor open /var/log/auth.log t',
].join('; ')

async function recordInto(file: string): Promise<void> {
  const recorder = spawn(
    join(root, 'cli/lanner'),
    ['record', '--out', file, '--rules', join(root, 'rules/library')],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  for await (const text of recorder.stderr) if (String(text).includes('recording')) break
  const steps = [
    'named',
    RUNTIME,
    '--',
    'container',
    '--',
    'named',
    'nginx',
    '--',
    'child',
    '--',
    'exec',
    'sh',
    '-c',
    script,
  ]
  execFileSync(join(root, 'build/lanner-actor'), steps, {
    stdio: 'ignore',
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    cwd: '/',
  })
  recorder.kill('SIGINT')
  await once(recorder, 'exit')
}

/** The process without what is above the runtime; `undefined` when it is not below it. */
function cut(
  process: Process | undefined,
  known: Map<Process, Process | undefined>,
): Process | undefined {
  if (process === undefined) return undefined
  if (known.has(process)) return known.get(process)
  const parent = cut(process.parent, known)
  const isRuntime = process.comm === RUNTIME && parent === undefined
  const kept: Process | undefined =
    parent === undefined && !isRuntime
      ? undefined
      : {
          ...copyOf(process),
          parent,
          ppid: parent?.pid ?? 1,
          cgroups: process.cgroups.filter((path) => path.startsWith('/docker/')),
          // the runtime is only played: outside the container it has this machine's paths
          ...(process.container === undefined && {
            ...{ cwd: '/', exe: RUNTIME, exePath: `/usr/bin/${RUNTIME}`, args: [] },
          }),
        }
  known.set(process, kept)
  return kept
}

/** Fields by name: a decoded process reads some of them from its table. */
function copyOf(process: Process): Process {
  const names = [
    'pid',
    'start',
    'comm',
    'exe',
    'exePath',
    'args',
    'env',
    'cwd',
    'vpid',
    'sid',
    'pgid',
    'vpgid',
    'tty',
    'uid',
    'gid',
    'loginUid',
    'capInheritable',
    'capEffective',
    'capPermitted',
    'exeInode',
    'exeCtime',
    'exeMtime',
    'exeFlags',
    'script',
    'cgroups',
    'pidNamespaceStart',
    'namespaces',
    'container',
  ] as const
  return Object.fromEntries(names.map((name) => [name, process[name]])) as unknown as Process
}

function below(events: readonly SyscallEvent[]): SyscallEvent[] {
  const known = new Map<Process, Process | undefined>()
  return events.flatMap((event) => {
    const process = cut(event.process, known)
    if (process?.container === undefined) return []
    return [{ ...keepEvent(event), process }]
  })
}

const directory = mkdtempSync(join(tmpdir(), 'lanner-attack-'))
try {
  const file = join(directory, 'trace')
  await recordInto(file)
  const batches: Batch[] = [
    ...readTrace(file, (error) => {
      throw error
    }),
  ]
  const frames = batches.map(({ header, events }, sequence) =>
    encodeFrame(
      encodeBatch(
        {
          ...header,
          node: 'recorded-node',
          boot: '00000000-0000-0000-0000-000000000000',
          run: 1n,
          sequence,
        },
        below(events),
        compress,
      ),
    ),
  )
  mkdirSync(join(root, 'cli/recorded'), { recursive: true })
  writeFileSync(out, Buffer.concat(frames))
} finally {
  rmSync(directory, { recursive: true })
}
