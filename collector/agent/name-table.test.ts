import { readFileSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import { keepFresh, NameTable } from './name-table.ts'

/** A table over a changeable set of answers; a missing name fails. */
function tableOf(answers: Record<string, string[]>, names = Object.keys(answers)) {
  const resolve = async (name: string) => {
    const found = answers[name]
    if (found === undefined) throw new Error('ENOTFOUND')
    return found
  }
  return new NameTable({ names, resolve, patience: 1 })
}

describe('the name table', () => {
  it('knows an address by the names that lead to it', async () => {
    const table = tableOf({ 'a.example': ['10.0.0.1', '2001:DB8::1'], 'b.example': ['10.0.0.1'] })
    expect(table.namesOf('10.0.0.1')).toEqual([])
    await table.refresh()
    expect(table.namesOf('10.0.0.1')).toEqual(['a.example', 'b.example'])
    expect(table.namesOf('2001:db8::1')).toEqual(['a.example'])
    expect(table.namesOf('10.0.0.2')).toEqual([])
  })

  it('follows a name to its new address', async () => {
    const answers: Record<string, string[]> = { 'a.example': ['10.0.0.1'] }
    const table = tableOf(answers)
    await table.refresh()
    answers['a.example'] = ['10.0.0.2']
    await table.refresh()
    expect(table.namesOf('10.0.0.1')).toEqual([])
    expect(table.namesOf('10.0.0.2')).toEqual(['a.example'])
  })

  it('bears with a name that fails for a while', async () => {
    const answers: Record<string, string[]> = { 'a.example': ['10.0.0.1'] }
    const table = tableOf(answers)
    await table.refresh()
    delete answers['a.example']
    await table.refresh()
    expect(table.namesOf('10.0.0.1')).toEqual(['a.example'])
    await table.refresh()
    expect(table.namesOf('10.0.0.1')).toEqual([])
  })

  it('believes no answer that is no address, nor too many', async () => {
    const many = Array.from({ length: 100 }, (_, i) => `10.0.1.${i}`)
    const table = tableOf({ 'a.example': ['nonsense', '10.0.0.1'], 'b.example': many })
    await table.refresh()
    expect(table.namesOf('nonsense')).toEqual([])
    expect(table.namesOf('10.0.0.1')).toEqual(['a.example'])
    expect(table.namesOf('10.0.1.63')).toEqual(['b.example'])
    expect(table.namesOf('10.0.1.64')).toEqual([])
  })

  it('asks for a limited number of names, a few at once', async () => {
    let underWay = 0
    let most = 0
    const asked: string[] = []
    const table = new NameTable({
      names: Array.from({ length: 12 }, (_, i) => `n${i}`),
      limit: 10,
      concurrency: 3,
      resolve: async (name) => {
        asked.push(name)
        most = Math.max(most, ++underWay)
        await new Promise((done) => setTimeout(done, 1))
        underWay -= 1
        return []
      },
    })
    await Promise.all([table.refresh(), table.refresh()])
    expect(asked).toHaveLength(10)
    expect(most).toBe(3)
    expect(table.ignored).toEqual(['n10', 'n11'])
  })

  it('asks the system, hosts file included', async () => {
    expect(readFileSync('/etc/hosts', 'utf8')).toContain('localhost')
    const table = new NameTable({ names: ['localhost'] })
    await table.refresh()
    const names = [...table.namesOf('127.0.0.1'), ...table.namesOf('::1')]
    expect(names).toContain('localhost')
  })

  it('is kept fresh until it is stopped', async () => {
    vi.useFakeTimers()
    try {
      let rounds = 0
      const resolve = async () => {
        rounds += 1
        return []
      }
      const fresh = keepFresh(new NameTable({ names: ['a'], resolve }), 1000)
      await vi.advanceTimersByTimeAsync(2500)
      expect(rounds).toBe(3)
      fresh.stop()
      await vi.advanceTimersByTimeAsync(5000)
      expect(rounds).toBe(3)
    } finally {
      vi.useRealTimers()
    }
  })
})
