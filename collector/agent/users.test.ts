import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodeText } from '#events'
import { makeContainer, makeProcess } from '#testing/events.ts'
import { parseGroup, parsePasswd } from './passwd.ts'
import { type AccountFile, accountsUnder, UserTable, type UserTableOptions } from './users.ts'

describe('a passwd file', () => {
  it('gives users by uid, the first of several', () => {
    const users = parsePasswd('root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/:/bin/sh\n')
    expect([...users.values()]).toEqual([
      { uid: 0, gid: 0, name: 'root', home: '/root', shell: '/bin/bash' },
    ])
  })

  it('may hold lines that make no sense', () => {
    const text = [
      '# root:x:0:0:root:/root:/bin/sh',
      '+::::::',
      ':x:1:1::/:/bin/sh',
      'short:x:2:2',
      'a:x:-3:3::/:/bin/sh',
      'b:x:99999999999:3::/:/bin/sh',
      'c:x:4294967296:3::/:/bin/sh',
      'ok:x:5:5::/:',
    ].join('\n')
    expect([...parsePasswd(text).keys()]).toEqual([5])
  })

  it('is not believed without end', () => {
    const text = Array.from({ length: 20_000 }, (_, uid) => `u:x:${uid}:0::/:`).join('\n')
    expect(parsePasswd(text).size).toBe(16_384)
  })
})

it('a group file gives groups by gid', () => {
  expect(parseGroup('root:x:0:\nwheel:x:10:ann,bob\nbad\n').get(10)).toEqual({
    gid: 10,
    name: 'wheel',
  })
})

const line = (name: string, uid: number) => `${name}:x:${uid}:${uid}::/home/${name}:/bin/sh\n`

/** A table over files in memory; `reads` counts how often each was read. */
function memoryTable(options: Partial<UserTableOptions> = {}) {
  const state = {
    time: 0,
    version: 1,
    passwd: line('ann', 1000),
    roots: new Map<number, string>(),
    reads: [] as string[],
  }
  const host = {
    version: () => state.version,
    read: (file: AccountFile) => {
      state.reads.push(`host ${file}`)
      return file === 'passwd' ? encodeText(state.passwd) : undefined
    },
  }
  const readRootFile = (pid: number, file: AccountFile) => {
    state.reads.push(`${pid} ${file}`)
    const text = file === 'passwd' ? state.roots.get(pid) : undefined
    return text === undefined ? undefined : encodeText(text)
  }
  const table = new UserTable({ host, readRootFile, now: () => state.time, ...options })
  return { state, table }
}

describe('the users of the host', () => {
  const process = makeProcess()

  it('are read once while the file stays the same', () => {
    const { state, table } = memoryTable()
    expect(table.user(1000, process)?.name).toBe('ann')
    state.time = 100_000
    expect(table.user(1000, process)?.name).toBe('ann')
    expect(table.group(1000, process)).toBeUndefined()
    expect(state.reads).toEqual(['host passwd', 'host group'])
  })

  it('are read again when it changed, but not looked at all the time', () => {
    const { state, table } = memoryTable()
    table.user(1000, process)
    state.passwd = line('bob', 1000)
    state.version = 2
    state.time = 500
    expect(table.user(1000, process)?.name).toBe('ann')
    state.time = 1500
    expect(table.user(1000, process)?.name).toBe('bob')
  })
})

describe('the users of a container', () => {
  const inside = (letter: string, pid: number) =>
    makeProcess({ pid, container: makeContainer({ fullId: letter.repeat(64) }) })

  it('are those of its own files', () => {
    const { state, table } = memoryTable()
    state.roots.set(7, line('app', 1000))
    expect(table.user(1000, inside('a', 7))?.name).toBe('app')
    expect(table.user(1000, inside('a', 8))?.name).toBe('app')
    expect(table.user(1000, inside('b', 9))).toBeUndefined()
    expect(table.user(1000, makeProcess())?.name).toBe('ann')
  })

  it('are read again after a while, and kept when that fails', () => {
    const { state, table } = memoryTable()
    state.roots.set(7, line('app', 1000))
    table.user(1000, inside('a', 7))
    state.roots.set(7, line('new', 1000))
    state.time = 59_000
    expect(table.user(1000, inside('a', 7))?.name).toBe('app')
    state.time = 61_000
    expect(table.user(1000, inside('a', 7))?.name).toBe('new')
    state.time = 200_000
    expect(table.user(1000, inside('a', 666))?.name).toBe('new')
  })

  it('are asked for once even when there are none', () => {
    const { state, table } = memoryTable()
    for (let i = 0; i < 5; i++) table.user(1000, inside('a', 7))
    expect(state.reads).toEqual(['7 passwd', '7 group'])
  })

  it('are there once for all containers with the same files, and no others', () => {
    const { state, table } = memoryTable()
    state.roots.set(7, line('app', 1000)).set(8, line('app', 1000)).set(9, line('other', 1000))
    const user = table.user(1000, inside('a', 7))
    expect(user?.name).toBe('app')
    expect(table.user(1000, inside('b', 8))).toBe(user)
    expect(table.user(1000, inside('c', 9))?.name).toBe('other')
    // too many kinds of files for all to be kept: each container still has its own
    for (let pid = 10; pid < 60; pid++) state.roots.set(pid, line(`app${pid}`, 1000))
    const many = Array.from({ length: 50 }, (_, i) =>
      makeProcess({ pid: 10 + i, container: makeContainer({ fullId: `${i}`.padStart(64, '0') }) }),
    )
    for (const round of [0, 1]) {
      for (const each of many) expect(table.user(1000, each)?.name).toBe(`app${each.pid}`)
      state.time = 61_000 * (round + 1)
    }
    expect(table.user(1000, inside('d', 7))).toEqual(user)
  })

  it('are kept for a limited number of containers', () => {
    const { state, table } = memoryTable({ containerLimit: 2 })
    for (const letter of ['a', 'b', 'c', 'a']) table.user(0, inside(letter, 7))
    expect(state.reads.length).toBe(8)
  })
})

it('the files under a root are read from there, and seen to change', () => {
  const root = mkdtempSync(join(tmpdir(), 'lanner-users-'))
  try {
    mkdirSync(join(root, 'etc'))
    const accounts = accountsUnder(`${root}/`)
    expect(accounts.version('passwd')).toBeUndefined()
    expect(accounts.read('passwd')).toBeUndefined()
    writeFileSync(join(root, 'etc/passwd'), line('ann', 5))
    const before = accounts.version('passwd')
    expect(parsePasswd(String(Buffer.from(accounts.read('passwd')!))).get(5)?.name).toBe('ann')
    writeFileSync(join(root, 'etc/passwd.new'), line('bob', 5))
    renameSync(join(root, 'etc/passwd.new'), join(root, 'etc/passwd'))
    expect(accounts.version('passwd')).not.toBe(before)
  } finally {
    rmSync(root, { recursive: true })
  }
})
