import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openFlagsOn } from './kernel-flags.ts'
import { syscallNames, syscallNumber } from './syscalls-x64.ts'

const bpf = (name: string) => readFileSync(new URL(`../bpf/${name}`, import.meta.url), 'utf8')

/** Rows of a table of the kernel side: number used by the caller → call. */
function rowsOf(name: string): Map<number, string> {
  const rows = bpf(name).matchAll(/^\t\[(\d+)\] = CALL_(\w+) \+ 1,/gm)
  return new Map([...rows].map(([, number, call]) => [Number(number), call!]))
}

/** Numbers in a header of the kernel's, which is there where C is built. */
function headerNumbers(path: string): Map<string, number> {
  const lines = readFileSync(path, 'utf8').matchAll(/^#define __NR(?:3264)?_(\w+) (\d+)/gm)
  return new Map([...lines].map(([, name, number]) => [name!, Number(number)]))
}

const generic = '/usr/include/asm-generic/unistd.h'
const x64 = '/usr/include/x86_64-linux-gnu/asm/unistd_64.h'

describe('numbers of system calls', () => {
  it('are the same in the kernel side and in the agent', () => {
    const defined = bpf('call-numbers.h').matchAll(/^#define CALL_(\w+) (\d+)$/gm)
    const ours = syscallNames.flatMap((name, number) =>
      name === undefined ? [] : [[name, number]],
    )
    expect([...defined].map(([, name, number]) => [name, Number(number)])).toEqual(ours)
  })

  it.skipIf(!existsSync(x64))('are those of x86-64', () => {
    const numbers = headerNumbers(x64)
    for (const [number, name] of syscallNames.entries()) {
      if (name !== undefined) expect([name, number]).toEqual([name, numbers.get(name)])
    }
  })

  it.each(['i386-calls.h', 'arm64-calls.h', 'arm32-calls.h'])(
    '%s names calls that exist',
    (name) => {
      for (const call of rowsOf(name).values()) expect(syscallNumber(call), call).toBeDefined()
    },
  )

  // arm64 has no numbers of its own: it is the table of every architecture since 2012
  it.skipIf(!existsSync(generic))('of arm64 are all there, each under its own', () => {
    const rows = rowsOf('arm64-calls.h')
    const names: Readonly<Record<string, string>> = { fstatat: 'newfstatat' }
    for (const [name, number] of headerNumbers(generic)) {
      const call = names[name] ?? name
      if (syscallNumber(call) !== undefined)
        expect([number, rows.get(number)]).toEqual([number, call])
    }
    expect(rows.size).toBeGreaterThan(290)
  })

  it('reach every call that both have', () => {
    const reached = new Set(rowsOf('arm64-calls.h').values())
    for (const name of [
      'openat',
      'openat2',
      'execve',
      'connect',
      'unlinkat',
      'setns',
      'ptrace',
      'bpf',
    ]) {
      expect(reached).toContain(name)
    }
    // made by old programs alone, and not there on arm64
    expect(reached).not.toContain('open')
    expect([...rowsOf('arm32-calls.h').values()]).toContain('open')
  })
})

it('open flags are read as the architecture numbers them', () => {
  const O_DIRECTORY = 1 << 10
  expect(openFlagsOn('x64', 0x10000) & O_DIRECTORY).toBe(O_DIRECTORY)
  expect(openFlagsOn('arm64', 0x4000)).toBe(openFlagsOn('x64', 0x10000))
  expect(openFlagsOn('arm64', 0x10000)).toBe(openFlagsOn('x64', 0x4000))
  expect(openFlagsOn('arm64', 0x404000 | 2)).toBe(openFlagsOn('x64', 0x410000 | 2))
})
