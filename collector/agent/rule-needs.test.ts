import { describe, expect, it } from 'vitest'
import { compileRules } from '#engine'
import { syscallSource } from '#events'
import { loadRules } from '#load'
import { everything, needsOf } from './rule-needs.ts'
import { syscallNumber } from './syscalls-x64.ts'

function needs(condition: string, output = 'o') {
  const text = `- rule: r\n  desc: d\n  condition: ${condition}\n  output: "${output}"\n  priority: NOTICE\n`
  const { ruleSet, ok } = loadRules([{ name: 'r.yaml', text }])
  expect(ok).toBe(true)
  return needsOf(compileRules(ruleSet.rules, syscallSource, { matching: 'all' }))
}

function callsOf(condition: string): readonly number[] {
  return [...needs(condition).kernel.any.syscalls]
}

describe('what rules need from the kernel', () => {
  it('is the calls they name, and those that change the working directory', () => {
    const calls = callsOf('evt.type in (ptrace, setns)')
    expect([...calls].sort()).toEqual(
      ['ptrace', 'setns', 'chdir', 'fchdir'].map((n) => syscallNumber(n)!).sort(),
    )
  })

  it('is a call without described arguments, too, when a rule names it', () => {
    expect(callsOf('evt.type = vmsplice')).toContain(syscallNumber('vmsplice'))
  })

  it('is not every read and wait of the machine for a rule that names no call', () => {
    const calls = callsOf('proc.name = evil')
    expect(calls).toContain(syscallNumber('openat'))
    expect(calls).toContain(syscallNumber('execve'))
    expect(calls).not.toContain(syscallNumber('read'))
    expect(calls).not.toContain(syscallNumber('futex'))
  })

  it('is only the classes of opens that a rule can match', () => {
    const opens = (condition: string) =>
      needs(condition).kernel.any.opens.map((paths) => (paths === 'any' ? 1 : 0))
    expect(opens('evt.type = openat and evt.is_open_write = true and fd.num >= 0')).toEqual([
      0, 1, 1, 1, 0, 0, 0, 0,
    ])
    expect(opens('evt.type = ptrace')).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
  })

  it('is nothing of the host for a rule about containers', () => {
    const { any, host } = needs('evt.type = setns and container.id != host').kernel
    expect([...any.syscalls]).toContain(syscallNumber('setns'))
    expect([...host.syscalls]).not.toContain(syscallNumber('setns'))
  })

  it('is the environment only when a rule or its output reads it, and then only what it reads', () => {
    expect(needs('evt.type = execve').kernel.environment).toBe(false)
    const named = needs('evt.type = execve and proc.env[LD_PRELOAD] exists', '%proc.env[HOME]')
    expect(named.kernel.environment).toBe(true)
    expect(named.environment).toEqual(new Set(['LD_PRELOAD', 'HOME']))
    expect(needs('evt.type = execve and proc.env contains LD_').environment).toBe('all')
  })

  it('is the host names that conditions compare addresses with', () => {
    const { hostNames } = needs(
      'evt.type = connect and (fd.sip.name = a.example or fd.rip.name in (b.example, c.example))',
    )
    expect(hostNames).toEqual(['a.example', 'b.example', 'c.example'])
  })
})

it('a recording of everything has no environment in it', () => {
  expect(everything().kernel.environment).toBe(false)
  expect([...everything().kernel.any.syscalls]).toContain(syscallNumber('connect'))
})
