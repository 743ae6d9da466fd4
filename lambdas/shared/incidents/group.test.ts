import { describe, expect, it } from 'vitest'
import { makeContainer, makeEvent, makeProcess } from '#testing/events.ts'
import { familyOf, groupOfEvent, groupText, originOf } from './group.ts'

const sender = { cluster: 'prod', node: 'n1', boot: 'b1' }
const rule = { name: 'Shell', tags: ['T1059', 'mitre_execution'] }
const group = (process: ReturnType<typeof makeProcess>, more = {}) =>
  groupText(groupOfEvent(makeEvent('execve', { process }), { ...sender, ...more }, rule))

describe('detections belong together', () => {
  const container = makeContainer()
  const shim = makeProcess({ pid: 5, comm: 'containerd-shim' })
  const init = makeProcess({ pid: 10, parent: shim, container, start: 1n })
  const shell = makeProcess({ pid: 11, parent: init, container, start: 2n, sid: 11 })
  const tool = makeProcess({ pid: 12, parent: shell, container, start: 3n, sid: 12 })

  it('when they come from one start of a container, however often it forks or begins a session', () => {
    expect(group(tool)).toBe(group(init))
    expect(group(shell)).toBe(group(init))
  })

  it('not when somebody enters the container from outside', () => {
    const entered = makeProcess({ pid: 40, parent: shim, container, start: 9n })
    expect(group(entered)).not.toBe(group(init))
  })

  it('not when node, boot or container differ, though pids be the same', () => {
    expect(group(init, { node: 'n2' })).not.toBe(group(init))
    expect(group(init, { boot: 'b2' })).not.toBe(group(init))
    const other = makeContainer({ fullId: 'f'.repeat(64) })
    expect(group(makeProcess({ ...init, container: other }))).not.toBe(group(init))
  })

  it('on a host, when they are of one session', () => {
    const systemd = makeProcess({ pid: 1, sid: 1 })
    const sshd = makeProcess({ pid: 50, sid: 50, parent: systemd })
    const bash = makeProcess({ pid: 60, sid: 60, parent: sshd, start: 5n })
    const cat = makeProcess({ pid: 61, sid: 60, parent: bash, start: 6n })
    const other = makeProcess({ pid: 70, sid: 70, parent: sshd, start: 7n })
    expect(originOf(cat).pid).toBe(60)
    expect(group(cat)).toBe(group(bash))
    expect(group(other)).not.toBe(group(bash))
    // whose leader is gone, or not known
    const orphan = makeProcess({ pid: 80, sid: 60, parent: systemd, start: 8n })
    expect(originOf(orphan).pid).toBe(80)
  })

  it('by the tactic of their rules, or else by the rule', () => {
    expect(familyOf('Shell', ['T1', 'mitre_execution', 'mitre_impact'])).toBe('mitre_execution')
    expect(familyOf('Shell', ['T1'])).toBe('Shell')
  })
})
