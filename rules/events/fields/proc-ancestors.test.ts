import { describe, expect, it } from 'vitest'
import { makeEvent, makeProcess } from '#testing/events.ts'
import { readField } from '#testing/read-field.ts'
import type { Process } from '../event.ts'

const systemd = makeProcess({ pid: 1, comm: 'systemd', sid: 1, env: ['A=1'] })
const sshd = makeProcess({
  pid: 10,
  comm: 'sshd',
  parent: systemd,
  sid: 10,
  pgid: 10,
  args: ['-D'],
})
const bash = makeProcess({ pid: 20, comm: 'bash', parent: sshd, sid: 20, pgid: 20, env: ['A='] })
const make = makeProcess({ pid: 30, comm: 'make', parent: bash, sid: 20, pgid: 30, args: ['all'] })

const read = (process: Process, field: string) => readField(makeEvent('execve', { process }), field)

describe('an ancestor', () => {
  it('is counted from the process itself', () => {
    expect(read(make, 'proc.aname[0]')).toBe('make')
    expect(read(make, 'proc.aname[1]')).toBe('bash')
    expect(read(make, 'proc.aname[3]')).toBe('systemd')
    expect(read(make, 'proc.aname[4]')).toBeUndefined()
    expect(read(make, 'proc.apid[2]')).toBe(10)
    expect(read(make, 'proc.acmdline[2]')).toBe('sshd -D')
    expect(read(make, 'proc.aargs[2]')).toBe('-D')
  })

  it('stands in a list without an index, the parent first', () => {
    expect(read(make, 'proc.aname')).toEqual(['bash', 'sshd', 'systemd'])
    expect(read(make, 'proc.apid')).toEqual([20, 10, 1])
    expect(read(make, 'proc.acmdline')).toEqual(['bash', 'sshd -D', 'systemd'])
    expect(read(systemd, 'proc.aname')).toBeUndefined()
  })

  it('has its arguments joined with those of all others without an index', () => {
    expect(read(make, 'proc.aargs')).toBe(' -D ')
  })

  it('gives the first value of a variable that is not empty', () => {
    expect(read(make, 'proc.aenv[A]')).toBe('1')
    expect(read(make, 'proc.aenv[B]')).toBe('')
    expect(read(make, 'proc.aenv[3]')).toBe('A=1')
    expect(read(make, 'proc.aenv')).toEqual(['A=', '', 'A=1'])
  })

  it('is not looked for without end in a chain that closes', () => {
    const loop = { ...makeProcess({ comm: 'a' }) } as { -readonly [K in keyof Process]: Process[K] }
    loop.parent = loop
    expect((read(loop, 'proc.aname') as string[]).length).toBe(256)
  })
})

describe('the leader of a session or group', () => {
  it('is the process that has the id', () => {
    expect(read(make, 'proc.sname')).toBe('bash')
    expect(read(make, 'proc.pgid.name')).toBe('make')
    expect(read(make, 'proc.sid.exepath')).toBe('/usr/bin/bash')
  })

  it('is the oldest member when the leader is gone', () => {
    const first = makeProcess({ pid: 41, comm: 'first', parent: sshd, sid: 40 })
    const second = makeProcess({ pid: 42, comm: 'second', parent: first, sid: 40 })
    expect(read(second, 'proc.sname')).toBe('first')
  })

  it('is "" when the id is not known', () => {
    expect(read(makeProcess({ sid: 0 }), 'proc.sname')).toBe('')
    expect(read(makeProcess({ vpgid: -1 }), 'proc.vpgid.name')).toBe('')
  })

  it('is found by virtual ids for the virtual group', () => {
    const leader = makeProcess({ pid: 500, comm: 'entry', vpid: 1, vpgid: 1 })
    const child = makeProcess({ pid: 501, vpid: 7, vpgid: 1, parent: leader })
    expect(read(child, 'proc.vpgid.name')).toBe('entry')
  })
})

it('the login shell is the oldest process that ends in sh', () => {
  const zsh = makeProcess({ pid: 5, comm: 'zsh', parent: bash })
  expect(read(makeProcess({ comm: 'ls', parent: zsh }), 'proc.loginshellid')).toBe(20)
  expect(read(sshd, 'proc.loginshellid')).toBeUndefined()
})
