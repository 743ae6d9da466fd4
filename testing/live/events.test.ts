import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { whyNotLive } from './machine.ts'
import { act, actor, attempt, type SeenAlert, Watcher } from './watcher.ts'

const reason = whyNotLive()
const scratch = mkdtempSync(join(tmpdir(), 'lanner-events-'))
const mark = scratch.slice(-6)

/** A rule a kind of event, with the fields its test looks at. Only events of this test count. */
const rules: Readonly<Record<string, readonly [condition: string, fields: string]>> = {
  exec: [
    `evt.type = execve and evt.res = SUCCESS and proc.args contains ${mark}`,
    'proc.exepath proc.exe proc.args proc.cwd proc.env[LANNER_TEST] proc.env[OTHER] proc.vpid proc.sid proc.tty evt.arg.filename evt.arg.args evt.arg.res user.uid proc.is_exe_upper_layer proc.is_exe_writable evt.arg.flags proc.cmdnargs thread.cap_effective',
  ],
  'failed exec': [
    `evt.type = execve and evt.failed = true and evt.arg.filename contains ${mark}`,
    'evt.res evt.arg.filename proc.name',
  ],
  open: [
    `evt.type in (open, openat, openat2) and fd.name contains ${mark}`,
    'fd.num fd.nameraw evt.res evt.is_open_read proc.cwd',
  ],
  creat: [`evt.type = creat and fd.name contains ${mark}`, 'evt.arg.mode fd.num'],
  rename: [
    `evt.type in (rename, renameat, renameat2) and fs.path.source contains ${mark}`,
    'fs.path.source fs.path.target evt.res',
  ],
  unlink: [`evt.type in (unlink, unlinkat) and fs.path.name contains ${mark}`, 'fs.path.name'],
  mkdir: [
    `evt.type in (mkdir, mkdirat) and fs.path.name contains ${mark}`,
    'fs.path.name evt.arg.mode',
  ],
  rmdir: [`evt.type in (rmdir, unlinkat) and fs.path.name endswith ${mark}-dir`, 'fs.path.name'],
  symlink: [
    `evt.type in (symlink, symlinkat) and evt.arg.linkpath contains ${mark}`,
    'evt.arg.target fs.path.source',
  ],
  link: [
    `evt.type in (link, linkat) and fs.path.source contains ${mark}`,
    'fs.path.source fs.path.target',
  ],
  mount: [
    'evt.type = mount and evt.arg.dev = lanner-test',
    'evt.arg.dir evt.arg.type evt.arg.flags',
  ],
  umount: [`evt.type = umount2 and evt.arg.name contains ${mark}`, 'evt.arg.name evt.arg.flags'],
  connect: [
    'evt.type = connect and fd.sport = 4711',
    'fd.name fd.type fd.sip fd.l4proto evt.res fd.typechar',
  ],
  'connect to a path': [`evt.type = connect and fd.name contains ${mark}`, 'fd.name fd.type'],
  accept: [
    'evt.type in (accept, accept4) and fd.sport = 4712',
    'fd.name fd.sip fd.cip fd.typechar',
  ],
  listen: ['evt.type = listen and fd.sport = 4712', 'fd.name fd.sport evt.arg.backlog'],
  datagram: [
    'evt.type in (sendto, sendmsg) and fd.sport = 4713',
    'fd.name fd.l4proto fd.connected fd.name_changed',
  ],
  setuid: ['evt.type = setuid and evt.rawarg.uid = 4714', 'evt.arg.uid user.uid evt.res'],
  memfd: ['evt.type = memfd_create and evt.arg.name = lanner-actor', 'evt.arg.flags fd.num'],
  ptrace: ['evt.type = ptrace and evt.arg.request = PTRACE_TRACEME', 'evt.arg.request evt.res'],
  unshare: ['evt.type = unshare and proc.name = lanner-actor', 'evt.arg.flags'],
  'user of a container': [
    'evt.type = execve and proc.name = sleep and container.id != host',
    'user.name user.uid container.id',
  ],
  exit: [`evt.type = procexit and proc.args contains ${mark}`, 'evt.arg.status proc.name'],
}

function rulesText(): string {
  return Object.entries(rules)
    .map(([name, [condition, fields]]) => {
      const output = fields
        .split(' ')
        .map((field) => `%${field}`)
        .join(' ')
      return `- rule: ${name}\n  desc: ${name}\n  condition: ${condition}\n  output: "${output}"\n  priority: DEBUG\n`
    })
    .join('\n')
}

describe.skipIf(reason !== '')(`live: events ${reason}`, () => {
  let watcher: Watcher

  beforeAll(async () => {
    chmodSync(scratch, 0o755)
    const path = join(scratch, 'rules.yaml')
    writeFileSync(path, rulesText())
    watcher = await Watcher.start(['--rules', path, '--rule-matching', 'all'])
  })
  afterAll(async () => {
    await watcher?.stop()
    rmSync(scratch, { recursive: true, force: true })
  })

  /** Fields of the first alert of `rule` that `behave` causes. */
  async function fieldsOf(
    rule: string,
    behave: () => unknown,
    where?: (alert: SeenAlert) => boolean,
  ): Promise<Readonly<Record<string, unknown>> | undefined> {
    const since = watcher.alerts.length
    await behave()
    return (await watcher.alert(rule, since, where))?.output_fields
  }
  const sh = (script: string, options = {}) =>
    spawnSync('sh', ['-c', script], { cwd: scratch, ...options })

  it('exec has the new program, its arguments, directory and the variables that were asked for', async () => {
    const env = { PATH: process.env['PATH'], LANNER_TEST: 'yes', OTHER: 'x' }
    const fields = await fieldsOf('exec', () =>
      spawnSync('/bin/echo', ['a b', mark], { cwd: scratch, env }),
    )
    expect(fields).toMatchObject({
      'proc.exepath': '/usr/bin/echo',
      'proc.exe': '/bin/echo',
      'proc.args': `a b ${mark}`,
      'proc.cwd': `${scratch}/`,
      'proc.env[LANNER_TEST]': 'yes',
      'evt.arg.filename': '/bin/echo',
      // as Falco: what divides arguments does not print
      'evt.arg.args': `a b.${mark}.`,
      'evt.arg.res': '0',
      'user.uid': 0,
      'proc.tty': 0,
      'proc.is_exe_upper_layer': false,
      'proc.is_exe_writable': true,
      'proc.cmdnargs': 2,
    })
    expect(fields?.['thread.cap_effective']).toContain('CAP_SYS_ADMIN')
  })

  it('exec of a script has the interpreter as its program', async () => {
    const script = join(scratch, 'script.sh')
    writeFileSync(script, '#!/bin/sh\nexit 0\n', { mode: 0o755 })
    const fields = await fieldsOf('exec', () => spawnSync(script, [mark]))
    expect(fields?.['proc.exepath']).toBe('/usr/bin/dash')
    expect(fields?.['evt.arg.filename']).toBe(script)
  })

  it('exec with more arguments than fit is cut, not lost', async () => {
    const fields = await fieldsOf('exec', () => spawnSync('/bin/true', [mark, 'x'.repeat(120_000)]))
    expect(String(fields?.['proc.args']).length).toBeGreaterThan(4000)
    expect(String(fields?.['proc.args']).length).toBeLessThan(4200)
  })

  it('exec with control characters and bytes that are no text stays one line of JSON', async () => {
    const name = Buffer.from(`${mark}\x1b[2J\n\xff`, 'latin1')
    const script = Buffer.concat([Buffer.from("/bin/true '"), name, Buffer.from("'")])
    writeFileSync(join(scratch, 'odd.sh'), script)
    const fields = await fieldsOf(
      'exec',
      () => spawnSync('sh', [join(scratch, 'odd.sh')]),
      (alert) => String(alert.output_fields['proc.args']).includes('\x1b'),
    )
    expect(fields?.['proc.args']).toBe(`${mark}\x1b[2J\n\ufffd`)
  })

  it('exec that fails says why', async () => {
    const path = `/nowhere/${mark}`
    const fields = await fieldsOf('failed exec', () => attempt(path))
    expect(fields).toMatchObject({ 'evt.res': 'ENOENT', 'evt.arg.filename': path })
  })

  it('open has the path that the kernel resolved, beside the name that was given', async () => {
    const fields = await fieldsOf(
      'open',
      () => {
        writeFileSync(join(scratch, 'file'), '')
        sh('mkdir -p sub; ln -s ../file sub/alias; cd sub; cat alias')
      },
      (alert) => alert.output_fields['fd.nameraw'] === 'alias',
    )
    expect(fields).toMatchObject({
      'fd.nameraw': 'alias',
      'evt.is_open_read': true,
      'proc.cwd': `${scratch}/sub/`,
    })
  })

  it('open that fails has a path made of the directory and the name', async () => {
    const fields = await fieldsOf(
      'open',
      () => sh('cat ./nothing'),
      (alert) => alert.output_fields['evt.res'] === 'ENOENT',
    )
    expect(fields).toMatchObject({ 'fd.num': -1, 'fd.nameraw': './nothing' })
  })

  it('files are renamed, linked and removed by their whole paths', async () => {
    const renamed = await fieldsOf('rename', () => sh('touch a; mv a b'))
    expect(renamed).toMatchObject({
      'fs.path.source': `${scratch}/a`,
      'fs.path.target': `${scratch}/b`,
    })
    const soft = await fieldsOf('symlink', () => sh('ln -s /etc/shadow soft'))
    expect(soft).toMatchObject({
      'evt.arg.target': '/etc/shadow',
      'fs.path.source': `${scratch}/soft`,
    })
    const hard = await fieldsOf('link', () => sh('ln b hard'))
    expect(hard).toMatchObject({
      'fs.path.source': `${scratch}/hard`,
      'fs.path.target': `${scratch}/b`,
    })
    const removed = await fieldsOf('unlink', () => sh('rm hard'))
    expect(removed?.['fs.path.name']).toBe(`${scratch}/hard`)
    const made = await fieldsOf('mkdir', () => mkdirSync(`${scratch}-dir`))
    expect(made?.['fs.path.name']).toBe(`${scratch}-dir`)
    const gone = await fieldsOf('rmdir', () => sh(`rmdir ${scratch}-dir`))
    expect(gone?.['fs.path.name']).toBe(`${scratch}-dir`)
  })

  it('mounts and unmounts are seen with their directory', async () => {
    const script = `mkdir -p m && mount -t tmpfs -o ro lanner-test m && umount m`
    const since = watcher.alerts.length
    spawnSync('unshare', ['-m', 'sh', '-c', script], { cwd: scratch })
    const mounted = await watcher.alert('mount', since)
    expect(mounted?.output_fields).toMatchObject({
      'evt.arg.dir': `${scratch}/m`,
      'evt.arg.type': 'tmpfs',
    })
    expect((await watcher.alert('umount', since))?.output_fields['evt.arg.name']).toContain(mark)
  })

  it('connects over IPv4 and IPv6 have both ends', async () => {
    for (const [host, type] of [
      ['127.0.0.1', 'ipv4'],
      ['::1', 'ipv6'],
    ] as const) {
      const server = createServer().listen(4711, host)
      await new Promise((resolve) => server.once('listening', resolve))
      const fields = await fieldsOf(
        'connect',
        () =>
          new Promise((resolve) =>
            connect(4711, host)
              .once('connect', resolve)
              .once('connect', function (this: { destroy(): void }) {
                this.destroy()
              }),
          ),
      )
      server.close()
      expect(fields).toMatchObject({ 'fd.type': type, 'fd.sip': host, 'fd.l4proto': 'tcp' })
    }
  })

  it('connects to a unix socket have its path', async () => {
    const path = join(scratch, 's')
    const server = createServer().listen(path)
    await new Promise((resolve) => server.once('listening', resolve))
    const fields = await fieldsOf(
      'connect to a path',
      () => new Promise((resolve) => connect(path).once('connect', resolve)),
    )
    server.close()
    expect(fields?.['fd.type']).toBe('unix')
  })

  it('a server listens and accepts', async () => {
    const since = watcher.alerts.length
    const server = createServer((socket) => socket.destroy()).listen(4712, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    await new Promise((resolve) => connect(4712, '127.0.0.1').once('close', resolve))
    server.close()
    expect((await watcher.alert('listen', since))?.output_fields['fd.sport']).toBe(4712)
    const accepted = await watcher.alert('accept', since)
    expect(accepted?.output_fields['fd.name']).toMatch(/^127\.0\.0\.1:\d+->127\.0\.0\.1:4712$/)
  })

  it('a datagram to a new address changes the name of its socket', async () => {
    const fields = await fieldsOf('datagram', () => act('datagram', '127.0.0.1', '4713'))
    expect(fields).toMatchObject({
      'fd.l4proto': 'udp',
      'fd.connected': false,
      'fd.name_changed': true,
    })
  })

  it('setuid, memfd_create, ptrace, unshare and exit have their arguments', async () => {
    expect(await fieldsOf('setuid', () => act('user', '4714'))).toMatchObject({
      'user.uid': 4714,
      'evt.res': 'SUCCESS',
    })
    expect(await fieldsOf('memfd', () => act('memfd', '/bin/true'))).toMatchObject({
      'evt.arg.flags': 'MFD_CLOEXEC',
    })
    expect(await fieldsOf('ptrace', () => act('ptrace', 'traceme'))).toMatchObject({
      'evt.arg.request': 'PTRACE_TRACEME',
    })
    const unshared = await fieldsOf('unshare', () => act('container', '--', 'wait', '0'))
    expect(unshared?.['evt.arg.flags']).toContain('CLONE_NEWPID')
    const ended = await fieldsOf('exit', () => spawnSync('sh', ['-c', 'exit 3', mark]))
    expect(ended?.['proc.name']).toBe('sh')
  })

  it('opens and connects through io_uring look like any other, and say how they came', async () => {
    const path = join(scratch, 'ring')
    writeFileSync(path, '')
    const since = watcher.alerts.length
    await act('open-uring', path)
    const opened = await watcher.alert('open', since, ({ lanner }) => lanner?.via === 'io_uring')
    expect(opened?.output_fields).toMatchObject({ 'fd.nameraw': path, 'evt.is_open_read': true })
    expect(opened?.output_fields['fd.num']).toBeGreaterThan(0)
    await act('connect-uring', '127.0.0.1', '4711')
    const connected = await watcher.alert(
      'connect',
      since,
      ({ lanner }) => lanner?.via === 'io_uring',
    )
    expect(connected?.output_fields).toMatchObject({ 'fd.sip': '127.0.0.1', 'fd.typechar': '4' })
  })

  it('32-bit system calls are mapped to their native counterparts', async () => {
    const path = join(scratch, 'compat')
    writeFileSync(path, '')
    const since = watcher.alerts.length
    if (spawnSync(actor, ['open-int80', path]).status !== 0) return // a kernel without 32-bit calls
    const opened = await watcher.alert('open', since, ({ lanner }) => lanner?.via === 'compat')
    expect(opened?.output_fields['fd.nameraw']).toBe(path)
  })

  it('users of a container have the names of its own passwd file, links out of it lead nowhere', async () => {
    const inside = (passwd: string) =>
      act(
        'container',
        '--',
        'exec',
        'sh',
        '-c',
        `rm /etc/passwd; ${passwd}; lanner-actor user 4242 -- child -- exec sleep 0.3`,
      )
    const fields = await fieldsOf('user of a container', () =>
      inside('echo inside:x:4242:4242::/:/bin/sh > /etc/passwd'),
    )
    expect(fields).toMatchObject({ 'user.name': 'inside', 'user.uid': 4242 })
    const linked = await fieldsOf('user of a container', () =>
      inside('ln -s /proc/1/root/etc/passwd /etc/passwd'),
    )
    expect(linked?.['user.name']).toBe('<NA>')
  })
})
