import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { whyNotLive } from './machine.ts'
import { act, Watcher } from './watcher.ts'

const reason = whyNotLive()
const root = fileURLToPath(new URL('../..', import.meta.url))
const rules = ['--rules', join(root, 'rules/library'), '--rule-matching', 'all']

/** Pids below `pid`, itself included. */
function family(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return [
    pid,
    ...children
      .split(' ')
      .filter(Boolean)
      .flatMap((child) => family(Number(child))),
  ]
}

function status(pid: number): Readonly<Record<string, string>> {
  const lines = readFileSync(`/proc/${pid}/status`, 'utf8').trim().split('\n')
  return Object.fromEntries(lines.map((line) => line.split(/:\s*/, 2) as [string, string]))
}

describe.skipIf(reason !== '')(`live: the watch ${reason}`, () => {
  let watcher: Watcher | undefined

  afterEach(async () => {
    await watcher?.stop()
    watcher = undefined
  })

  it('reads rules and events without privilege, next to a sensor with little', async () => {
    watcher = await Watcher.start(rules)
    const [sensor, agent] = family(watcher.child.pid!)
    const small = status(sensor!)
    const none = status(agent!)
    expect(small['Name']).toBe('lanner-sensor')
    // BPF, PERFMON, SETUID, SETGID, KILL, SYS_PTRACE, DAC_READ_SEARCH
    expect(BigInt(`0x${small['CapEff']}`)).toBe(
      [39n, 38n, 7n, 6n, 5n, 19n, 2n].reduce((mask, cap) => mask | (1n << cap), 0n),
    )
    expect(small['CapBnd']).toBe(small['CapPrm'])
    expect(none['Uid']).toMatch(/^65534\t65534\t65534\t65534/)
    expect([none['CapEff'], none['CapPrm'], none['CapInh'], none['CapAmb']]).toEqual(
      new Array(4).fill('0000000000000000'),
    )
    expect(none['NoNewPrivs']).toBe('1')
    expect(none['Groups']).toBe('')
  })

  it('survives kill -9 of the agent and loses nothing that lay in the ring', async () => {
    watcher = await Watcher.start(rules)
    const [, agent] = family(watcher.child.pid!)
    const since = watcher.alerts.length
    process.kill(agent!, 'SIGSTOP')
    await act('open', '/etc/shadow', 'r')
    await act('memfd', '/bin/true')
    process.kill(agent!, 'SIGKILL')
    await act('redirect', '0')
    const seen = await Promise.all([
      watcher.alert('Sensitive file read', since),
      watcher.alert('Fileless execution', since),
      watcher.alert('Standard streams redirected to a network connection', since),
    ])
    expect(seen.map((alert) => alert?.output_fields['proc.name'])).toEqual([
      'lanner-actor',
      expect.stringContaining('memfd'),
      'lanner-actor',
    ])
    expect(watcher.errors).toMatch(/restart 1/)
    expect(await watcher.stop()).toBe(0)
    expect(watcher.errors).toMatch(/ 0 lost .*1 restarts/)
  })

  it('counts what a full ring loses, and gives up opens before processes', async () => {
    watcher = await Watcher.start(rules)
    const [, agent] = family(watcher.child.pid!)
    const since = watcher.alerts.length
    process.kill(agent!, 'SIGSTOP')
    await act('loop', 'open', '150000')
    await act('memfd', '/bin/true')
    process.kill(agent!, 'SIGCONT')
    expect(await watcher.alert('Fileless execution', since)).toBeDefined()
    await watcher.stop()
    const lost = Number(/ (\d+) lost /.exec(watcher.errors)?.[1])
    expect(lost).toBeGreaterThan(50_000)
    expect(lost).toBeLessThan(150_000)
  })

  it('works with the programs for kernels that cannot be told a type, too', async () => {
    watcher = await Watcher.start(rules, [
      'env',
      'LANNER_WITHOUT=bpf_rdonly_cast',
      join(root, 'cli/lanner'),
    ])
    const since = watcher.alerts.length
    await act('open', '/etc/shadow', 'r')
    await act('container', '--', 'redirect', '0')
    await act('memfd', '/bin/true')
    expect(await watcher.alert('Sensitive file read', since)).toBeDefined()
    expect(await watcher.alert('Fileless execution', since)).toBeDefined()
    const redirected = await watcher.alert(
      'Standard streams redirected to a network connection',
      since,
    )
    expect(redirected?.output_fields['fd.name']).toMatch(/^127\.0\.0\.1:\d+->127\.0\.0\.1:\d+$/)
  })

  it('starts from a checkout that only root may enter', async () => {
    const closed = mkdtempSync(join(tmpdir(), 'lanner-closed-')) // mode 0700
    try {
      for (const name of readdirSync(root)) {
        if (['.git', 'node_modules'].includes(name)) continue
        cpSync(join(root, name), join(closed, name), { recursive: true })
      }
      // Node itself must be started from there too
      cpSync(join(root, 'node_modules/node'), join(closed, 'node_modules/node'), {
        recursive: true,
      })
      for (const name of readdirSync(join(root, 'node_modules'))) {
        if (name === 'node') continue
        symlinkSync(join(root, 'node_modules', name), join(closed, 'node_modules', name))
      }
      watcher = await Watcher.start(
        ['--rules', join(closed, 'rules/library'), '--rule-matching', 'all'],
        [join(closed, 'cli/lanner')],
      )
      const since = watcher.alerts.length
      await act('open', '/etc/shadow', 'r')
      expect(await watcher.alert('Sensitive file read', since)).toBeDefined()
      await watcher.stop()
    } finally {
      rmSync(closed, { recursive: true, force: true })
    }
  })

  it('sees every one of 10,000 short processes, and stays as small as it was', async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'lanner-every-'))
    const every = join(scratch, 'every.yaml')
    execFileSync('sh', ['-c', `cat > ${every}`], {
      input: `- rule: Every true\n  desc: each\n  condition: evt.type = execve and proc.name = true\n  output: "%proc.pid"\n  priority: DEBUG\n`,
    })
    watcher = await Watcher.start(['--rules', every])
    const [, agent] = family(watcher.child.pid!)
    const memory = () => {
      const text = readFileSync(`/proc/${agent}/smaps_rollup`, 'utf8')
      return Number(/^Private_Dirty:\s+(\d+)/m.exec(text)![1]) / 1024
    }
    // the first thousands warm the heap up: growth is what comes after
    await act('loop', 'spawn', '5000')
    await watcher.until(() => watcher!.alerts.length >= 5000)
    const before = memory()
    await act('loop', 'spawn', '10000')
    await watcher.until(() => watcher!.alerts.length >= 15_000)
    expect(watcher.alerts).toHaveLength(15_000)
    expect(
      new Set(watcher.alerts.map((alert) => alert.output_fields['proc.pid'])).size,
    ).toBeGreaterThan(9000)
    expect(memory() - before).toBeLessThan(8)
    rmSync(scratch, { recursive: true })
    expect(await watcher.stop()).toBe(0)
    expect(watcher.errors).toMatch(/ 0 lost /)
  })

  it('leaves nothing behind when it ends', async () => {
    watcher = await Watcher.start([...rules, '--duration', '1'])
    const words = readFileSync(`/proc/${watcher.child.pid}/cmdline`, 'utf8').split('\0')
    const staged = words[words.indexOf('--remove') + 1]!
    expect(readdirSync(staged)).toContain('agent.mjs')
    await watcher.until(() => false)
    expect(watcher.child.exitCode).toBe(0)
    expect(existsSync(staged)).toBe(false)
  })
})
