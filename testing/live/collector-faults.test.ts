import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { makePod } from '#testing/kubernetes/pods.ts'
import { startKubernetes } from '#testing/kubernetes/server.ts'
import { whyNotLive } from './machine.ts'
import { LiveNode, type NodeOptions } from './node.ts'
import { act } from './watcher.ts'

const reason = whyNotLive()

const rule = (name: string, condition: string) =>
  `- rule: ${name}\n  desc: d\n  condition: ${condition}\n  output: o\n  priority: NOTICE\n\n`
const shadow = rule(
  'shadow',
  'evt.type in (open, openat) and fd.name = /etc/shadow and evt.rawres >= 0',
)

/** Memory that the agent has written, bytes. */
function memoryOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Private_Dirty:\s+(\d+) kB$/m.exec(text)?.[1]) * 1024
}

describe.skipIf(reason !== '')(`live: a node under attack ${reason}`, () => {
  let node: LiveNode | undefined
  const start = async (options: NodeOptions) => {
    node = await LiveNode.start(options)
    return node
  }

  afterEach(async () => {
    await node?.stop()
    node = undefined
  })

  it.each(['handlers', 'filters'])(
    'notices that its %s were changed, says so, and sees again',
    async (what) => {
      const node = await start({ rules: shadow })
      const tamper = join(node.directory, 'tamper')
      execFileSync('gcc', ['-o', tamper, join(import.meta.dirname, 'tamper.c')])
      execFileSync(tamper, [what])
      expect(await node.until(() => node.errors.includes('from outside'))).toBe(true)
      await act('open', '/etc/shadow', 'r')
      await node.until(() => node.errors.includes('put right\nlanner:'))
      await node.end()
      const kinds = (await node.notices()).map(({ kind }) => kind)
      expect(kinds).toContain('sensor-changed')
      expect((await node.events()).map(({ fd }) => fd?.name)).toContain('/etc/shadow')
    },
  )

  it('sees twenty thousand processes come and go, in bounded memory', async () => {
    const node = await start({
      rules: shadow + rule('true', 'evt.type = execve and proc.name = true'),
      settings: 'limit: {events: 1000000}\n',
    })
    await act('crowd', '2000')
    const before = memoryOf(node.agentPid)
    const made = Number((await act('crowd', '20000')).trim())
    expect(made).toBe(20_000)
    await act('open', '/etc/shadow', 'r')
    const after = memoryOf(node.agentPid)
    await node.end()
    const batches = await node.batches()
    expect(batches.flatMap(({ events }) => events).map(({ fd }) => fd?.name)).toContain(
      '/etc/shadow',
    )
    expect(batches.at(-1)!.header.counters.lost).toEqual({})
    expect(after - before).toBeLessThan(24 << 20)
  })

  it('carries names and arguments of any bytes, and cuts those without measure', async () => {
    const node = await start({
      rules: rule('exec', 'evt.type = execve and proc.cmdline contains hostile'),
    })
    const control = `hostile \u0001\u0007\u001b[31m\r\n\t"quoted" \\ \u202e`
    spawnSync('/bin/true', [control])
    const bytes = Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80])
    spawnSync('bash', [
      '-c',
      `exec -a "$(printf '\\xff\\xc0\\x80name')" /bin/true hostile "$(printf '\\xed\\xa0\\x80')"`,
    ])
    spawnSync('/bin/true', ['hostile', 'x'.repeat(120 << 10)])
    await node.end()
    const events = await node.events()
    const found = events
      .filter(({ process }) => process.comm !== 'bash')
      .map(({ process }) => process)
    expect(found.length).toBe(3)
    expect(found[0]!.args).toEqual([control])
    expect(Buffer.from(found[1]!.exe, 'utf8').length).toBeGreaterThan(bytes.length)
    expect(found[2]!.args.join('').length).toBeLessThan(5000)
    expect(events.some(({ flags }) => (flags & 4) !== 0)).toBe(true)
    expect((await node.batches()).at(-1)!.header.counters.lost).toEqual({})
  })

  it('runs under a read-only root file system', async () => {
    const script =
      'mount --make-rprivate / && mount -o remount,ro,bind / && mount -t tmpfs tmpfs /var/tmp && exec env TMPDIR=/var/tmp "$@"'
    const node = await start({
      rules: shadow,
      command: [
        'unshare',
        '-m',
        'sh',
        '-c',
        script,
        'sh',
        join(import.meta.dirname, '../../cli/lanner'),
      ],
      withoutStream: true,
      settings: 'alerts: {mode: always}\n',
    })
    await act('open', '/etc/shadow', 'r')
    expect(await node.until(() => node.alerts.some((alert) => alert['rule'] === 'shadow'))).toBe(
      true,
    )
  })

  it('knows the pod of a container from its first event on, and survives the API server', async () => {
    const kubernetes = await startKubernetes()
    const uid = '0f3b6f2e-9a52-4d6b-8f1c-2b7f6f0c9d11'
    const id = 'ab'.repeat(32)
    try {
      chmodSync(dirname(kubernetes.caFile), 0o755)
      kubernetes.pods.add(makePod({ uid, name: 'web', namespace: 'prod', node: 'test-node' }))
      const node = await start({
        rules: rule('exec', 'evt.type = execve and k8s.ns.name = prod and proc.name = true'),
        settings: `kubernetes: {mode: on, url: "${kubernetes.url}", ca: ${kubernetes.caFile}, token: ${kubernetes.tokenFile}}\n`,
      })
      expect(await node.until(() => kubernetes.watches > 0)).toBe(true)
      const cgroup = `kubepods/besteffort/pod${uid}/${id}`
      await act('cgroup', cgroup, '--', 'exec', '/bin/true')
      kubernetes.faults.always({ kind: 'status', status: 410 })
      kubernetes.breakConnections()
      await act('cgroup', cgroup, '--', 'exec', '/bin/true')
      await node.end()
      const events = (await node.events()).filter(({ process }) => process.comm === 'true')
      expect(events.reduce((sum, { count }) => sum + count, 0)).toBe(2)
      for (const { process } of events) {
        expect(process.container).toMatchObject({
          fullId: id,
          podUid: uid,
          podName: 'web',
          namespace: 'prod',
        })
      }
    } finally {
      await kubernetes.stop()
    }
  })

  it('ships calls that nothing describes for a rule that names them, failed ones too', async () => {
    const calls: Readonly<Record<string, readonly [number: string, ...args: string[]]>> = {
      kill: ['62', '4194303', '10'],
      keyctl: ['250', '11', '0x1234'],
      truncate: ['76', '/nonexistent/x', '77'],
      ftruncate: ['77', '-1', '5'],
      process_vm_writev: ['311', '4194303', '0', '0', '0', '0', '0'],
      perf_event_open: ['298', '0', '7', '3', '-1', '0'],
      delete_module: ['176', 'no-such-module', '0'],
      pidfd_getfd: ['438', '-1', '7', '0'],
      prctl: ['157', '15', 'renamed'],
      chown: ['92', '/nonexistent/y', '12', '13'],
      fchownat: ['260', '-100', '/nonexistent/z', '1', '2', '0'],
      io_uring_setup: ['425', '0', '0'],
      vmsplice: ['278', '-1', '0', '0', '0'],
      sched_yield: ['24'],
    }
    const node = await start({
      rules: Object.keys(calls)
        .map((name) => rule(name, `evt.type = ${name} and proc.name in (lanner-actor, renamed)`))
        .join(''),
    })
    for (const call of Object.values(calls)) await act('call', ...call)
    await node.end()
    const events = await node.events()
    const { eventTypes } = await import('#events')
    const seen = new Map(events.map((event) => [eventTypes[event.type]!.name, event]))
    expect([...seen.keys()].sort()).toEqual(Object.keys(calls).sort())
    const argsOf = (name: string) => {
      const event = seen.get(name)!
      return Object.fromEntries(
        eventTypes[event.type]!.params.map((param, i) => [param.name, event.arg(i)]),
      )
    }
    expect(argsOf('kill')).toMatchObject({ pid: 4194303, sig: 10 })
    expect(seen.get('kill')!.result).toBe(-3)
    expect(argsOf('keyctl')).toMatchObject({ cmd: 11, arg2: 0x1234 })
    expect(argsOf('truncate')).toMatchObject({ path: '/nonexistent/x', length: 77 })
    expect(argsOf('delete_module')).toMatchObject({ name: 'no-such-module' })
    expect(argsOf('prctl')).toMatchObject({ arg2_str: 'renamed' })
    expect(argsOf('chown')).toMatchObject({ path: '/nonexistent/y', uid: 12, gid: 13 })
    expect(argsOf('vmsplice')).toMatchObject({ a1: 0 })
    expect(seen.get('pidfd_getfd')!.result).toBe(-9)
  })

  it('names what a program was started with on its standard streams', async () => {
    const node = await start({
      rules: rule('exec', 'evt.type = execve and proc.name = true and proc.stdin.type = pipe'),
    })
    const child = spawn('sh', ['-c', 'echo x | /bin/true > /dev/null'])
    await once(child, 'exit')
    await node.end()
    const [event] = await node.events()
    expect(event!.process.streams[0]).toMatchObject({ kind: 'pipe' })
    expect(event!.process.streams[1]).toEqual({ kind: 'file', name: '/dev/null' })
  })
})
