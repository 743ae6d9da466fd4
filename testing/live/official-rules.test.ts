import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { corpus, whyNotLive } from './machine.ts'
import { act, actor, attempt, Watcher } from './watcher.ts'

const reason = [whyNotLive(), corpus() === undefined ? 'no corpus of official rules here' : '']
  .filter((text) => text !== '')
  .join('; ')

const API_SERVER = 'kubernetes.default.svc.cluster.local'
const PUBLIC_IP = '203.0.113.7'
const scratch = mkdtempSync(join(tmpdir(), 'lanner-test-'))

/** In a container, below a process of this name: container engines start what runs inside. */
const inContainer = (...steps: string[]) => act('container', '--', ...steps)

/** Each stable rule and the behaviour it describes, in the context it names. */
const behaviours: Readonly<Record<string, () => Promise<unknown>>> = {
  'Directory traversal monitored file read': () => act('open', '/etc/../etc/../etc/passwd', 'r'),
  'Read sensitive file trusted after startup': () =>
    act('named', 'nginx', '--', 'wait', '5.2', '--', 'open', '/etc/shadow', 'r'),
  'Read sensitive file untrusted': () => act('open', '/etc/shadow', 'r'),
  'Run shell untrusted': () =>
    act('named', 'nginx', '--', 'child', '--', 'exec', 'sh', '-c', 'exit 0'),
  'System user interactive': () =>
    act('named', 'sshd', '--', 'child', '--', 'user', '65534', '--', 'exec', 'id'),
  'Terminal shell in container': () =>
    inContainer('named', 'containerd-shim', '--', 'terminal', '--', 'exec', 'sh', '-c', 'exit 0'),
  'Contact K8S API Server From Container': () => inContainer('connect', '127.0.0.8', '0'),
  'Netcat Remote Code Execution in Container': () =>
    inContainer('named', 'nc', '--', 'exec', '/bin/true').then(() =>
      inContainer('child', '--', 'exec', 'sh', '-c', 'ln -s /bin/true /tmp/nc; /tmp/nc -e /bin/sh'),
    ),
  'Search Private Keys or Passwords': () => attempt('find', '/nowhere', '-name', 'id_rsa'),
  'Clear Log Activities': () => act('open', '/var/log/lanner-test.log', 't'),
  'Remove Bulk Data from Disk': () => attempt('shred', '--version'),
  'Create Symlink Over Sensitive Files': () => act('link', 'soft', '/etc/shadow'),
  'Create Hardlink Over Sensitive Files': () => act('link', 'hard', '/etc/shadow'),
  'Packet socket created in container': () => inContainer('packet-socket'),
  'Redirect STDOUT/STDIN to Network Connection in Container': () => inContainer('redirect', '0'),
  'Linux Kernel Module Injection Detected': () => inContainer('module'),
  'Debugfs Launched in Privileged Container': () =>
    inContainer('named', 'debugfs', '--', 'wait', '0'),
  'Detect release_agent File Container Escapes': () =>
    inContainer('open', '/tmp/release_agent', 'w'),
  'PTRACE attached to process': () => act('ptrace', 'attach'),
  'PTRACE anti-debug attempt': () => act('ptrace', 'traceme'),
  'Find AWS Credentials': () => attempt('grep', '-r', 'aws_secret_access_key', '/nowhere'),
  'Execution from /dev/shm': () => act('drop', '/dev/shm/lanner-test'),
  'Drop and execute new binary in container': () => inContainer('drop', '/opt/lanner-test'),
  'Disallowed SSH Connection Non Standard Port': () =>
    act('network', PUBLIC_IP, '--', 'named', 'ssh', '--', 'connect', PUBLIC_IP, '443'),
  'Fileless execution via memfd_create': () => act('memfd', '/bin/true'),
}

describe.skipIf(reason !== '')(`live: the official stable rules ${reason}`, () => {
  let watcher: Watcher

  beforeAll(async () => {
    // the name table asks the resolver, which reads this file
    copyFileSync('/etc/hosts', join(scratch, 'hosts'))
    appendFileSync('/etc/hosts', `\n127.0.0.8 ${API_SERVER}\n`)
    const rules = join(corpus()!, 'falco', 'falco_rules.yaml')
    watcher = await Watcher.start(['--rules', rules, '--rule-matching', 'all'])
  })
  afterAll(async () => {
    await watcher?.stop()
    writeFileSync('/etc/hosts', readFileSync(join(scratch, 'hosts')))
    rmSync(scratch, { recursive: true })
  })

  it('are 25, and each has a behaviour here', () => {
    const text = readFileSync(join(corpus()!, 'falco', 'falco_rules.yaml'), 'utf8')
    const names = [...text.matchAll(/^- rule: (.+)$/gm)].map(([, name]) => name!.trim())
    expect(names).toHaveLength(25)
    expect(Object.keys(behaviours).sort()).toEqual(names.sort())
  })

  it.each(Object.entries(behaviours))('%s', async (rule, behave) => {
    const since = watcher.alerts.length
    await behave()
    expect((await watcher.alert(rule, since))?.rule).toBe(rule)
  })

  it('fire for an open of /etc/shadow through io_uring', async () => {
    const since = watcher.alerts.length
    await act('open-uring', '/etc/shadow')
    const alert = await watcher.alert('Read sensitive file untrusted', since)
    expect(alert?.output_fields['fd.name']).toBe('/etc/shadow')
  })

  it('fire for an open of /etc/shadow by a 32-bit system call', async () => {
    const probe = spawnSync(actor, ['open-int80', '/etc/hostname'])
    if (probe.status !== 0) return // the kernel has no 32-bit calls: nothing to miss
    const since = watcher.alerts.length
    await act('open-int80', '/etc/shadow')
    expect((await watcher.alert('Read sensitive file untrusted', since))?.rule).toBeDefined()
  })
})
