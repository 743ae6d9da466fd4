import { describe, expect, it } from 'vitest'
import { quarantineLabel, type SyscallEvent } from '#events'
import { makeContainer, makeEvent, makeFile, makeProcess, makeSocket } from '#testing/events.ts'
import { compileNodeRules } from './node-rules.ts'
import { withQuarantine } from './quarantine-rules.ts'
import { syscallNumber } from './syscalls-x64.ts'

const text = `
- rule: Shadow
  desc: d
  condition: evt.type = openat and fd.name = /etc/shadow
  output: o
  priority: INFO
`
const compiled = compileNodeRules([{ name: 'r', text }], { selections: [], matching: 'all' })
if (!('rules' in compiled)) throw new Error(compiled.mistakes.join())
const { rules } = compiled
const watching = withQuarantine(rules, rules.enabled)

const cutOff = makeContainer({ podLabels: { [quarantineLabel]: 'r1' } })
const other = makeContainer({ fullId: 'f'.repeat(64), podLabels: { app: 'x' } })
const event = (name: string, container: typeof cutOff | undefined, fd = makeSocket()) =>
  makeEvent(name, { process: makeProcess({ container }), fd, result: 5 })
const ships = (one: SyscallEvent) => watching.edge.evaluate(one).length > 0

describe('while a pod of the node is cut off', () => {
  it.each(['connect', 'accept4', 'sendto', 'recvfrom', 'read', 'write', 'sendfile', 'splice'])(
    'its %s on a socket is shipped, nobody else’s',
    (name) => {
      expect(ships(event(name, cutOff))).toBe(true)
      expect(ships(event(name, other))).toBe(false)
      expect(ships(event(name, undefined))).toBe(false)
      expect(rules.edge.evaluate(event(name, cutOff))).toEqual([])
    },
  )

  it('its files are not, its programs are', () => {
    expect(ships(event('read', cutOff, makeFile('/etc/passwd')))).toBe(false)
    const exec = (container: typeof cutOff) =>
      makeEvent('execve', { process: makeProcess({ container }) })
    expect([ships(exec(cutOff)), ships(exec(other))]).toEqual([true, false])
    for (const name of ['io_uring_setup', 'io_uring_enter']) {
      const ring = (container: typeof cutOff) =>
        makeEvent(name, { process: makeProcess({ container }) })
      expect([ships(ring(cutOff)), ships(ring(other))], name).toEqual([true, false])
    }
  })

  it('the kernel lets through what it else would not, of containers alone', () => {
    const wanted = (name: string, needs = watching.needs) =>
      [...needs.kernel.any.syscalls].includes(syscallNumber(name)!)
    for (const name of [
      'connect',
      'read',
      'write',
      'sendfile',
      'splice',
      'io_uring_enter',
      'execve',
    ])
      expect(wanted(name), name).toBe(true)
    expect(wanted('read', rules.needs)).toBe(false)
    expect([...watching.needs.kernel.host.syscalls]).not.toContain(syscallNumber('write'))
    for (const number of rules.needs.kernel.any.syscalls)
      expect([...watching.needs.kernel.any.syscalls]).toContain(number)
  })

  it('what the rules want is shipped as before', () => {
    const open = makeEvent('openat', { process: makeProcess(), fd: makeFile('/etc/shadow') })
    expect([ships(open), rules.edge.evaluate(open).length > 0]).toEqual([true, true])
  })
})
