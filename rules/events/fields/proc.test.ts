import { describe, expect, it } from 'vitest'
import { type EventFacts, makeEvent, makeProcess } from '#testing/events.ts'
import { readField } from '#testing/read-field.ts'

function read(field: string, facts: Parameters<typeof makeProcess>[0], event: EventFacts = {}) {
  return readField(makeEvent('execve', { process: makeProcess(facts), ...event }), field)
}

describe('the process', () => {
  it('has a command line of its name and arguments', () => {
    const facts = { comm: 'ls', exe: './ls', args: ['-l', '/a b'] }
    expect(read('proc.cmdline', facts)).toBe('ls -l /a b')
    expect(read('proc.exeline', facts)).toBe('./ls -l /a b')
    expect(read('proc.args', facts)).toBe('-l /a b')
    expect(read('proc.args[1]', facts)).toBe('/a b')
    expect(read('proc.args[2]', facts)).toBe('')
    expect(read('proc.cmdnargs', facts)).toBe(2)
    expect(read('proc.cmdlenargs', facts)).toBe(6)
    expect(read('proc.cmdline', { comm: 'ls' })).toBe('ls')
  })

  it('keeps the texts of two processes apart', () => {
    const line = (name: string) => read('proc.cmdline', { comm: name, args: [name] })
    expect([line('a'), line('b'), line('a')]).toEqual(['a a', 'b b', 'a a'])
  })

  it('has an environment, "" for a variable that is not set', () => {
    const facts = { env: ['PATH=/bin', 'HOME=/root', 'HOMER=x'] }
    expect(read('proc.env[HOME]', facts)).toBe('/root')
    expect(read('proc.env[NONE]', facts)).toBe('')
    expect(read('proc.env', facts)).toBe('PATH=/bin HOME=/root HOMER=x')
    expect(read('proc.env[0]', facts)).toBe('PATH=/bin HOME=/root HOMER=x')
  })

  it('has a working directory that ends in a slash', () => {
    expect(read('proc.cwd', { cwd: '/tmp' })).toBe('/tmp/')
    expect(read('proc.cwd', { cwd: '/' })).toBe('/')
  })

  it('has an age', () => {
    expect(read('proc.duration', { start: 5n }, { time: 12n })).toBe(7)
    expect(read('proc.duration', { start: 0n }, { time: 12n })).toBeUndefined()
    expect(read('proc.pid.ts', { start: 2n ** 60n })).toBe(2n ** 60n)
  })

  it('leads a group or session, or not', () => {
    expect(read('proc.is_vpgid_leader', { vpid: 4, vpgid: 4 })).toBe(true)
    expect(read('proc.is_vpgid_leader', { vpid: 4, vpgid: 5 })).toBe(false)
    expect(read('proc.is_sid_leader', { pid: 400, sid: 400, vpid: 4 })).toBe(true)
    expect(read('proc.is_pgid_leader', { pid: 4, pgid: 5 })).toBe(false)
  })

  it('tells where its program came from', () => {
    const facts = { exeFlags: 2 | 4 }
    expect(read('proc.is_exe_upper_layer', facts)).toBe(true)
    expect(read('proc.is_exe_from_memfd', facts)).toBe(true)
    expect(read('proc.is_exe_writable', facts)).toBe(false)
    expect(read('proc.is_exe_lower_layer', facts)).toBe(false)
    expect(read('proc.exe_ino', { exeInode: 0 })).toBeUndefined()
    expect(read('proc.exe_ino.ctime', { exeCtime: 0n })).toBeUndefined()
    expect(read('proc.exe_ino.ctime_duration_proc_start', { exeCtime: 3n, start: 10n })).toBe(7)
    expect(
      read('proc.exe_ino.ctime_duration_proc_start', { exeCtime: 30n, start: 10n }),
    ).toBeUndefined()
    expect(
      read('proc.exe_ino.ctime_duration_pidns_start', { exeCtime: 30n, pidNamespaceStart: 10n }),
    ).toBe(20)
  })

  it('has no virtual pid when that is not known', () => {
    expect(read('proc.vpid', { vpid: -1 })).toBeUndefined()
    expect(read('proc.vpid', { vpid: 1 })).toBe(1)
  })
})

describe('the parent', () => {
  const parent = makeProcess({ pid: 9, comm: 'sshd', args: ['-D'], start: 100n, vpid: 2 })

  it('is read like the process', () => {
    expect(read('proc.pname', { parent })).toBe('sshd')
    expect(read('proc.pcmdline', { parent })).toBe('sshd -D')
    expect(read('proc.ppid', { parent })).toBe(9)
    expect(read('proc.pvpid', { parent })).toBe(2)
    expect(read('proc.ppid.duration', { parent }, { time: 150n })).toBe(50)
    expect(read('proc.ppid.ts', { parent })).toBe(100)
  })

  it('has no values when it is not known', () => {
    for (const name of [
      'proc.pname',
      'proc.pexe',
      'proc.pexepath',
      'proc.pcmdline',
      'proc.pvpid',
    ]) {
      expect(read(name, {})).toBeUndefined()
    }
    expect(read('proc.ppid.duration', {})).toBeUndefined()
  })
})

describe('the thread', () => {
  it('is the main one when it has the id of the process', () => {
    const process = makeProcess({ pid: 7, vpid: 1 })
    const main = makeEvent('openat', { process, tid: 7 })
    const other = makeEvent('openat', { process, tid: 8 })
    expect(readField(main, 'thread.ismain')).toBe(true)
    expect(readField(main, 'thread.vtid')).toBe(1)
    expect(readField(other, 'thread.ismain')).toBe(false)
    expect(readField(other, 'thread.vtid')).toBeUndefined()
    expect(readField(other, 'thread.nametid')).toBe('bash8')
  })

  it('has capabilities by name, lowest first', () => {
    const event = makeEvent('openat', {
      capEffective: (1n << 21n) | 1n,
      capPermitted: 1n << 40n,
      process: makeProcess({ capInheritable: 1n << 13n }),
    })
    expect(readField(event, 'thread.cap_effective')).toBe('CAP_CHOWN CAP_SYS_ADMIN')
    expect(readField(event, 'thread.cap_permitted')).toBe('CAP_CHECKPOINT_RESTORE')
    expect(readField(event, 'thread.cap_inheritable')).toBe('CAP_NET_RAW')
    expect(readField(makeEvent('openat'), 'thread.cap_effective')).toBe('')
  })

  it('has cgroups', () => {
    const facts = { cgroups: ['cpu=/a', 'memory=/b'] }
    expect(read('thread.cgroups', facts)).toBe('cpu=/a memory=/b')
    expect(read('thread.cgroup.memory', facts)).toBe('/b')
    expect(read('thread.cgroup.pids', facts)).toBeUndefined()
    expect(read('thread.cgroups', {})).toBeUndefined()
  })
})
