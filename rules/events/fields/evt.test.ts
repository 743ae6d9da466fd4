import { describe, expect, it } from 'vitest'
import { makeEvent, makeFile, makeProcess, makeSocket } from '#testing/events.ts'
import { readField } from '#testing/read-field.ts'

describe('the event', () => {
  it('has a type, a number from 1 on, and constants', () => {
    const event = makeEvent('openat', { seq: 5, cpu: 3 })
    expect(readField(event, 'evt.type')).toBe('openat')
    expect(readField(event, 'evt.num')).toBe(5)
    expect(readField(makeEvent('openat', { seq: 0 }), 'evt.num')).toBe(1)
    expect(readField(event, 'evt.cpu')).toBe(3)
    expect(readField(event, 'evt.dir')).toBe('<')
    expect(readField(event, 'evt.source')).toBe('syscall')
    expect(readField(event, 'evt.type.is.openat')).toBe(1)
    expect(readField(event, 'evt.type.is.open')).toBe(0)
  })

  it('is a system call unless it is a tracepoint', () => {
    expect(readField(makeEvent('openat'), 'syscall.type')).toBe('openat')
    expect(readField(makeEvent('procexit'), 'syscall.type')).toBeUndefined()
  })

  it('tells its time in every form', () => {
    const event = makeEvent('openat', { time: 1_700_000_000_123_456_789n })
    expect(readField(event, 'evt.rawtime')).toBe(1_700_000_000_123_456_789n)
    expect(readField(event, 'evt.rawtime.s')).toBe(1_700_000_000)
    expect(readField(event, 'evt.rawtime.ns')).toBe(123_456_789)
    expect(readField(event, 'evt.time.iso8601')).toBe('2023-11-14T22:13:20.123456789+0000')
  })
})

describe('the result', () => {
  it('is SUCCESS or the name of the error', () => {
    expect(readField(makeEvent('connect', { result: 0 }), 'evt.res')).toBe('SUCCESS')
    expect(readField(makeEvent('connect', { result: -115 }), 'evt.res')).toBe('EINPROGRESS')
    expect(readField(makeEvent('openat', { result: 3 }), 'evt.res')).toBe('SUCCESS')
    expect(readField(makeEvent('openat', { result: -4000 }), 'evt.res')).toBe('-4000')
  })

  it('is a number, too, and absent where an event has none', () => {
    expect(readField(makeEvent('openat', { result: -2 }), 'evt.rawres')).toBe(-2)
    expect(readField(makeEvent('openat', { result: -2 }), 'evt.failed')).toBe(true)
    const exit = makeEvent('procexit', { result: undefined })
    for (const field of ['evt.res', 'evt.rawres', 'evt.failed']) {
      expect(readField(exit, field)).toBeUndefined()
    }
  })
})

describe('the display form of an argument', () => {
  const shown = (type: string, name: string, value: string | number | bigint) =>
    readField(makeEvent(type, { args: { [name]: value } }), `evt.arg.${name}`)

  it('names each bit of flags once, in table order', () => {
    expect(shown('openat', 'flags', 3)).toBe('O_RDWR')
    expect(shown('openat', 'flags', 4096 + 4 + 2)).toBe('O_CREAT|O_WRONLY|O_CLOEXEC')
    expect(shown('openat', 'flags', 0)).toBe('O_NONE')
    expect(shown('renameat2', 'flags', 0)).toBe('0')
  })

  it('names every alias of an enumerated value', () => {
    expect(shown('socket', 'domain', 1)).toBe('AF_LOCAL|AF_UNIX')
    expect(shown('socket', 'domain', 2)).toBe('AF_INET')
    expect(shown('socket', 'domain', 200)).toBe('200')
    expect(shown('ptrace', 'request', 16)).toBe('PTRACE_GETSIGINFO')
  })

  it('names the bits of a mode', () => {
    expect(shown('chmod', 'mode', 0o4755)).toBe(
      'S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID',
    )
  })

  it('names errors, signals and durations', () => {
    expect(readField(makeEvent('unlink', { result: -13 }), 'evt.arg.res')).toBe('EACCES')
    expect(readField(makeEvent('unlink', { result: 0 }), 'evt.arg.res')).toBe('0')
    expect(shown('kill', 'sig', 9)).toBe('SIGKILL')
    expect(shown('kill', 'sig', 40)).toBe('40')
    expect(shown('ppoll', 'timeout', 1_500_000_000)).toBe('1.5s')
    expect(shown('ppoll', 'timeout', 2n ** 64n - 1n)).toBe('none')
  })

  it('makes a path absolute, keeping the links of one that is', () => {
    const relative = makeEvent('unlinkat', {
      args: { name: '../x', dirfd: -100 },
      paths: { name: '/srv/x' },
    })
    expect(readField(relative, 'evt.arg.name')).toBe('/srv/x')
    expect(readField(relative, 'evt.arg.dirfd')).toBe('AT_FDCWD')
    expect(readField(relative, 'evt.rawarg.name')).toBe('../x')
    expect(shown('unlinkat', 'name', '/tmp//a/../b')).toBe('/tmp/b')
    expect(shown('unlinkat', 'name', 'notes')).toBe('/root/notes')
  })

  it('describes the descriptor of the event', () => {
    const event = makeEvent('close', { fd: makeSocket({}, { num: 5 }), args: { fd: 5 } })
    expect(readField(event, 'evt.arg.fd')).toBe('<4t>10.0.0.1:40000->10.0.0.2:443')
    expect(readField(makeEvent('close', { args: { fd: 9 } }), 'evt.arg.fd')).toBe('9')
    expect(readField(makeEvent('openat', { result: -2 }), 'evt.arg.fd')).toBe('ENOENT')
  })

  it('names a process of the line of the caller', () => {
    const parent = makeProcess({ pid: 10, comm: 'sshd' })
    const process = makeProcess({ pid: 100, parent })
    const kill = (pid: number) =>
      readField(makeEvent('kill', { process, args: { pid } }), 'evt.arg.pid')
    expect(kill(10)).toBe('sshd')
    expect(kill(100)).toBe('bash')
    expect(kill(77)).toBe('77')
  })

  it('names users and groups, or says <NA>', () => {
    const user = { uid: 1000, gid: 1000, name: 'ann', home: '/home/ann', shell: '/bin/sh' }
    const event = (uid: number) => makeEvent('setuid', { args: { uid }, users: [user] })
    expect(readField(event(1000), 'evt.arg.uid')).toBe('ann')
    expect(readField(event(0), 'evt.arg.uid')).toBe('root')
    expect(readField(event(7), 'evt.arg.uid')).toBe('<NA>')
  })

  it('is <NA> or NULL when the event lacks the argument, nothing when its type does', () => {
    const event = makeEvent('sendto', { result: undefined })
    expect(readField(event, 'evt.arg.size')).toBe('<NA>')
    expect(readField(event, 'evt.arg.data')).toBe('NULL')
    expect(readField(event, 'evt.arg.tuple')).toBe('NULL')
    expect(readField(event, 'evt.arg.flags')).toBeUndefined()
    expect(readField(event, 'evt.rawarg.size')).toBeUndefined()
  })

  it('shows bytes that do not print as dots', () => {
    const event = makeEvent('write', { args: { data: Uint8Array.of(0x41, 0, 0xff, 0x42) } })
    expect(readField(event, 'evt.arg.data')).toBe('A..B')
    expect(readField(event, 'evt.buffer')).toEqual(Uint8Array.of(0x41, 0, 0xff, 0x42))
  })

  it('can be asked for by position', () => {
    const event = makeEvent('rename', { args: { oldpath: '/a', newpath: '/b' } })
    expect(readField(event, 'evt.arg[1]')).toBe('/a')
    expect(readField(event, 'evt.arg[3]')).toBeUndefined()
  })
})

describe('arguments that an event does not carry', () => {
  it('follow from the process of an exec', () => {
    const process = makeProcess({ args: ['-c', 'ls'], exePath: '/bin/x', exeFlags: 4 })
    const event = makeEvent('execve', { process })
    expect(readField(event, 'evt.rawarg.args')).toBe('-c\0ls\0')
    expect(readField(event, 'evt.arg.args')).toBe('-c.ls.')
    expect(readField(event, 'evt.arg.trusted_exepath')).toBe('/bin/x')
    expect(readField(event, 'evt.arg.flags')).toBe('EXE_FROM_MEMFD')
  })

  it('follow from the descriptor and the result', () => {
    const fd = makeFile('/etc/passwd', { dev: 8, inode: 99, rawName: 'passwd' })
    const event = makeEvent('openat', { fd, result: 3 })
    expect(readField(event, 'evt.rawarg.ino')).toBe(99)
    expect(readField(event, 'evt.rawarg.name')).toBe('passwd')
    expect(readField(event, 'evt.arg.fd')).toBe('<f>/etc/passwd')
  })
})

describe('evt.args', () => {
  it('lists every argument with what it stands for', () => {
    const event = makeEvent('unlinkat', {
      args: { dirfd: -100, name: '/x', flags: 512 },
      result: -2,
    })
    expect(readField(event, 'evt.args')).toBe(
      'res=-2(ENOENT) dirfd=-100(AT_FDCWD) name=/x(/x) flags=512(AT_REMOVEDIR)',
    )
    // a call that nothing describes: its registers
    expect(readField(makeEvent('getpid'), 'evt.args')).toBe('res=0 a0=<NA> a1=<NA> a2=<NA> a3=<NA>')
  })
})

describe('what an open may do', () => {
  const open = (flags: number, mode = 0, result = 3) =>
    makeEvent('openat', { args: { flags, mode }, result })

  it('follows from its flags in Falco’s numbering', () => {
    expect(readField(open(1), 'evt.is_open_read')).toBe(true)
    expect(readField(open(1), 'evt.is_open_write')).toBe(false)
    expect(readField(open(3), 'evt.is_open_read')).toBe(true)
    expect(readField(open(3), 'evt.is_open_write')).toBe(true)
    expect(readField(makeEvent('close'), 'evt.is_open_read')).toBe(false)
  })

  it('is executable when it creates with such a mode', () => {
    expect(readField(open(4 | 2, 0o755), 'evt.is_open_exec')).toBe(true)
    expect(readField(open(4 | 2, 0o644), 'evt.is_open_exec')).toBe(false)
    expect(readField(open(2, 0o755), 'evt.is_open_exec')).toBe(false)
    const creat = makeEvent('creat', { args: { mode: 0o700 } })
    expect(readField(creat, 'evt.is_open_exec')).toBe(true)
  })

  it('has created a file when the kernel says so, or for a temporary one', () => {
    expect(readField(open(16384), 'evt.is_open_create')).toBe(true)
    expect(readField(open(8192), 'evt.is_open_create')).toBe(true)
    expect(readField(open(8192, 0, -13), 'evt.is_open_create')).toBe(false)
    expect(readField(open(4), 'evt.is_open_create')).toBe(false)
  })
})

describe('evt.abspath', () => {
  it('is the path of an *at() call, or one of two', () => {
    const event = makeEvent('renameat', {
      args: { oldpath: 'a', newpath: 'b' },
      paths: { oldpath: '/d/a', newpath: '/d/b' },
    })
    expect(readField(event, 'evt.abspath')).toBe('/d/a')
    expect(readField(event, 'evt.abspath.src')).toBe('/d/a')
    expect(readField(event, 'evt.abspath.dst')).toBe('/d/b')
    expect(readField(makeEvent('rename'), 'evt.abspath')).toBeUndefined()
  })
})
