import { describe, expect, it } from 'vitest'
import { ContainerTable } from './containers.ts'

const cgroup = (letter: string) => [`/docker/${letter.repeat(64)}`]

describe('a container', () => {
  it('is one object for all its processes', () => {
    const table = new ContainerTable()
    const first = table.of(cgroup('a'))
    expect(table.of(['cpu=/', `memory=/docker/${'a'.repeat(64)}`])).toBe(first)
    expect(table.of(cgroup('b'))).not.toBe(first)
    expect(table.of(['/init.scope'])).toBeUndefined()
  })

  it('shows what is learnt later to those who hold it', () => {
    const table = new ContainerTable()
    const container = table.of(cgroup('a'))!
    expect(table.describe('a'.repeat(64), { name: 'web', podUid: 'u1' })).toBe(true)
    expect(container).toMatchObject({ name: 'web', id: 'a'.repeat(12) })
    expect(table.ofPod('u1')).toEqual([container])
    expect(table.describe('c'.repeat(64), { name: 'x' })).toBe(false)
  })

  it('is announced once', () => {
    const seen: string[] = []
    const table = new ContainerTable({ onNew: ({ id }) => seen.push(id) })
    for (const letter of ['a', 'a', 'b']) table.of(cgroup(letter))
    expect(seen).toEqual(['a'.repeat(12), 'b'.repeat(12)])
  })

  it('goes when there are too many and it was unused for longest', () => {
    const table = new ContainerTable({ limit: 2 })
    const first = table.of(cgroup('a'))
    table.of(cgroup('b'))
    table.of(cgroup('a'))
    table.of(cgroup('c'))
    expect(table.size).toBe(2)
    expect(table.of(cgroup('a'))).toBe(first)
  })
})
