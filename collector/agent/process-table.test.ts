import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeContainer } from '#testing/events.ts'
import type { ExecRecord, ForkRecord } from './process-records.ts'
import { ProcessTable } from './process-table.ts'

function execOf(facts: Partial<ExecRecord> & { pid: number }): ExecRecord {
  return {
    tid: facts.pid,
    ppid: 0,
    parentStart: 0n,
    vpid: facts.pid,
    vtid: facts.pid,
    start: BigInt(facts.pid),
    sid: 1,
    pgid: 1,
    vpgid: 1,
    tty: 0,
    uid: 0,
    gid: 0,
    euid: 0,
    egid: 0,
    loginUid: 1000,
    capInheritable: 0n,
    capPermitted: 3n,
    capEffective: 3n,
    capBounding: 3n,
    seccompMode: 0,
    comm: 'bash',
    exePath: '/usr/bin/bash',
    argv: ['-bash', '-l'],
    env: ['A=1'],
    cwd: '/root',
    cgroups: ['/init.scope'],
    exeInode: 5,
    exeDev: 1,
    exeCtime: 7n,
    exeMtime: 8n,
    exeFlags: 0,
    script: '',
    namespaces: { mnt: 1, pid: 2, net: 3, user: 4 },
    pidNamespaceStart: 1n,
    streams: [],
    ...facts,
  }
}

function forkOf(facts: Partial<ForkRecord> & { pid: number; parentPid: number }): ForkRecord {
  return {
    tid: facts.pid,
    parentTid: facts.parentPid,
    start: BigInt(facts.pid),
    vpid: facts.pid,
    sid: 1,
    pgid: 1,
    vpgid: 1,
    pidNamespace: 2,
    comm: 'bash',
    ...facts,
  }
}

/** init (1) → sshd (10) → bash (20). */
function smallTree(options: ConstructorParameters<typeof ProcessTable>[0] = {}): ProcessTable {
  const table = new ProcessTable(options)
  table.snapshot(execOf({ pid: 1, comm: 'init' }))
  table.snapshot(execOf({ pid: 10, comm: 'sshd', ppid: 1, parentStart: 1n }))
  table.snapshot(execOf({ pid: 20, ppid: 10, parentStart: 10n }))
  table.snapshotComplete()
  return table
}

const end = (pid: number, reaper = 1, start = BigInt(pid)) => ({ pid, start, status: 0, reaper })

describe('a process', () => {
  it('found running has all its facts', () => {
    const table = new ProcessTable()
    table.epoch = 1000n
    const container = makeContainer()
    const inside = new ProcessTable({ containerOf: () => container })
    expect(table.snapshot(execOf({ pid: 7 }))).toMatchObject({
      pid: 7,
      start: 1007n,
      exe: '-bash',
      args: ['-l'],
      env: ['A=1'],
      cwd: '/root',
      loginUid: 1000,
      capEffective: 3n,
      pidNamespaceStart: 1001n,
      exeCtime: 7n,
    })
    expect(inside.exec(execOf({ pid: 7 })).container).toBe(container)
  })

  it('is known by its pid and its start together', () => {
    const table = smallTree()
    expect(table.find(20, 20n)?.comm).toBe('bash')
    expect(table.find(20, 21n)).toBeUndefined()
    expect(table.find(21, 21n)).toBeUndefined()
  })

  it('without any record is kept without facts, and counted', () => {
    const table = smallTree()
    const process = table.findOrAdd(99, 5n)
    expect(process).toMatchObject({ pid: 99, comm: '', vpid: -1, parent: undefined })
    expect(table.findOrAdd(99, 5n)).toBe(process)
    expect(table.counters.unknown).toBe(1)
  })
})

describe('a fork', () => {
  it('copies the parent, with ids of its own', () => {
    const table = smallTree()
    const child = table.fork(forkOf({ pid: 30, parentPid: 20, vpid: 3, sid: 9 }))
    expect(child).toMatchObject({ pid: 30, ppid: 20, comm: 'bash', vpid: 3, sid: 9, cwd: '/root' })
    expect(child.args).toEqual(['-l'])
    expect(child.parent?.pid).toBe(20)
  })

  it('into a new pid namespace starts that namespace', () => {
    const table = smallTree()
    table.epoch = 100n
    const child = table.fork(forkOf({ pid: 30, parentPid: 20, vpid: 1, pidNamespace: 77 }))
    expect(child.namespaces.pid).toBe(77)
    expect(child.pidNamespaceStart).toBe(130n)
  })

  it('of a process not known gives one with the facts of the record', () => {
    const child = smallTree().fork(forkOf({ pid: 30, parentPid: 555, comm: 'x' }))
    expect(child).toMatchObject({ comm: 'x', ppid: 555, parent: undefined })
  })
})

describe('a backlog', () => {
  it('may tell of the fork of a process that is known already', () => {
    const table = smallTree()
    const child = table.fork(forkOf({ pid: 40, parentPid: 20 }))
    table.fork(forkOf({ pid: 20, parentPid: 10, comm: 'sshd' }))
    expect(table.find(20, 20n)).toMatchObject({ comm: 'sshd', ppid: 10 })
    table.exec(execOf({ pid: 20, ppid: 10, parentStart: 10n }))
    expect(child.parent).toBe(table.find(20, 20n))
    expect(child.parent?.comm).toBe('bash')
    expect(table.size).toBe(4)
  })
})

describe('an exec', () => {
  it('makes a new image, so that older events keep the old one', () => {
    const table = smallTree()
    const before = table.fork(forkOf({ pid: 30, parentPid: 20 }))
    const after = table.exec(execOf({ pid: 30, comm: 'ls', ppid: 20, parentStart: 20n }))
    expect(before.comm).toBe('bash')
    expect(after.comm).toBe('ls')
    expect(table.find(30, 30n)).toBe(after)
    expect(after.parent).toBe(table.find(20, 20n))
  })

  it('of the parent shows in the children', () => {
    const table = smallTree()
    const child = table.fork(forkOf({ pid: 30, parentPid: 20 }))
    table.exec(execOf({ pid: 20, comm: 'python', ppid: 10, parentStart: 10n }))
    expect(child.parent?.comm).toBe('python')
  })

  it('finds its parent when its fork was lost', () => {
    const process = smallTree().exec(execOf({ pid: 40, ppid: 20, parentStart: 20n }))
    expect(process.parent?.pid).toBe(20)
  })

  it('does not take a process of the same pid for its parent', () => {
    const process = smallTree().exec(execOf({ pid: 40, ppid: 20, parentStart: 999n }))
    expect(process.parent).toBeUndefined()
    expect(process.ppid).toBe(20)
  })
})

describe('a change', () => {
  it('shows without a new image', () => {
    const table = smallTree()
    const process = table.find(20, 20n)!
    table.change(20, 20n, { cwd: '/tmp', uid: 33, capEffective: 0n })
    expect(process).toMatchObject({ cwd: '/tmp', uid: 33, capEffective: 0n })
    expect(table.find(20, 20n)).toBe(process)
    table.change(999, 1n, { cwd: '/' })
  })
})

describe('an exit', () => {
  it('gives the children to the reaper', () => {
    const table = smallTree()
    const child = table.fork(forkOf({ pid: 30, parentPid: 20 }))
    table.exit(end(20, 10), 100n)
    expect(child.parent?.comm).toBe('sshd')
    expect(child.ppid).toBe(10)
  })

  it('leaves the children their parent when the reaper is not known', () => {
    const table = smallTree({ grace: 0n })
    const child = table.fork(forkOf({ pid: 30, parentPid: 20 }))
    table.exit(end(20, 4321), 100n)
    table.expire(1000n)
    expect(table.find(20, 20n)).toBeUndefined()
    expect(child.parent?.comm).toBe('bash')
    expect(child.ppid).toBe(4321)
  })

  it('is forgotten after a while, not before', () => {
    const table = smallTree({ grace: 50n })
    table.exit(end(20), 100n)
    table.expire(149n)
    expect(table.find(20, 20n)?.comm).toBe('bash')
    table.expire(150n)
    expect(table.find(20, 20n)).toBeUndefined()
    expect(table.size).toBe(2)
  })

  it('is forgotten early when thousands exit within the while', () => {
    const table = smallTree({ grace: 1_000_000n })
    for (let pid = 100; pid < 5100; pid++) {
      table.fork(forkOf({ pid, parentPid: 20 }))
      table.exit(end(pid), BigInt(pid))
    }
    expect(table.size).toBe(3 + 1024)
    expect(table.find(5099, 5099n)).toBeDefined()
    expect(table.find(4000, 4000n)).toBeUndefined()
  })

  it('does not confuse two processes that had the same pid', () => {
    const table = smallTree({ grace: 50n })
    table.exit(end(20), 100n)
    table.fork(forkOf({ pid: 20, parentPid: 10, start: 110n, comm: 'new' }))
    expect(table.find(20, 20n)?.comm).toBe('bash')
    expect(table.find(20, 110n)?.comm).toBe('new')
    table.expire(150n)
    expect(table.find(20, 20n)).toBeUndefined()
    expect(table.find(20, 110n)?.comm).toBe('new')
    table.exit(end(20, 1, 110n), 200n)
    table.expire(250n)
    expect(table.size).toBe(2)
  })

  it('that nobody reported shows when the pid is used again', () => {
    const table = smallTree()
    const child = table.fork(forkOf({ pid: 30, parentPid: 20 }))
    table.fork(forkOf({ pid: 20, parentPid: 10, start: 500n, comm: 'new' }))
    expect(table.find(20, 500n)?.comm).toBe('new')
    expect(child.parent?.comm).toBe('bash')
  })
})

describe('the snapshot', () => {
  it('may show children before their parents', () => {
    const table = new ProcessTable()
    const child = table.snapshot(execOf({ pid: 20, ppid: 10, parentStart: 10n }))
    expect(child.parent).toBeUndefined()
    table.snapshot(execOf({ pid: 10, comm: 'sshd' }))
    expect(child.parent?.comm).toBe('sshd')
  })

  it('once complete waits for no parents any more', () => {
    const table = new ProcessTable()
    const child = table.snapshot(execOf({ pid: 20, ppid: 10, parentStart: 10n }))
    table.snapshotComplete()
    table.snapshot(execOf({ pid: 10 }))
    expect(child.parent).toBeUndefined()
  })
})

describe('the limit', () => {
  it('throws out exited processes first, then old ones without children', () => {
    const table = smallTree({ limit: 4 })
    table.fork(forkOf({ pid: 30, parentPid: 20 }))
    table.exit(end(30), 100n)
    table.fork(forkOf({ pid: 31, parentPid: 20 }))
    expect(table.find(30, 30n)).toBeUndefined()
    table.fork(forkOf({ pid: 32, parentPid: 20 }))
    expect(table.find(31, 31n)).toBeUndefined()
    expect(table.find(1, 1n)?.comm).toBe('init')
    expect(table.size).toBe(4)
    expect(table.counters.evicted).toBe(2)
  })

  it('holds against a fork bomb', () => {
    const table = smallTree({ limit: 100 })
    for (let pid = 1000; pid < 6000; pid++) table.fork(forkOf({ pid, parentPid: pid - 1 }))
    expect(table.size).toBe(100)
  })
})

it('whatever the order of records, lines end and sizes stay bounded', () => {
  const pid = fc.integer({ min: 1, max: 8 })
  const start = fc.bigInt({ min: 1n, max: 3n })
  const step = fc.record({
    kind: fc.constantFrom('fork', 'exec', 'exit', 'find'),
    pid,
    start,
    other: pid,
    otherStart: start,
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const table = new ProcessTable({ limit: 6, grace: 3n })
      for (const [time, { kind, pid, start, other, otherStart }] of steps.entries()) {
        if (kind === 'fork') table.fork(forkOf({ pid, start, parentPid: other }))
        else if (kind === 'exec') {
          table.exec(execOf({ pid, start, ppid: other, parentStart: otherStart }))
        } else if (kind === 'exit') table.exit(end(pid, other, start), BigInt(time))
        else table.findOrAdd(pid, start)
        let depth = 0
        for (let at = table.find(pid, start); at !== undefined; at = at.parent) depth += 1
        expect(depth).toBeLessThan(100)
        expect(table.size).toBeLessThanOrEqual(6)
      }
    }),
    { numRuns: 500 },
  )
})

it('memory stays flat through ten thousand short processes', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const table = smallTree({ grace: 1000n })
  let pid = 100
  function churn(): number {
    for (let round = 0; round < 10_000; round++) {
      pid = pid === 60_000 ? 101 : pid + 1
      const start = BigInt(1_000_000 + round * 10 + pid)
      table.fork(forkOf({ pid, start, parentPid: 20 }))
      table.exec(execOf({ pid, start, ppid: 20, parentStart: 20n, argv: [`/bin/x${pid}`] }))
      table.exit(end(pid, 1, start), start)
    }
    table.expire(10n ** 12n)
    collect()
    return process.memoryUsage().heapUsed
  }
  churn()
  const before = churn()
  const after = churn()
  expect(table.size).toBe(3)
  expect(table.counters.evicted).toBe(0)
  expect(after / before).toBeLessThan(1.05)
})
