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
    const table = new ContainerTable()
    table.onNew(({ id }) => seen.push(id))
    for (const letter of ['a', 'a', 'b']) table.of(cgroup(letter))
    expect(seen).toEqual(['a'.repeat(12), 'b'.repeat(12)])
  })

  it('is known to the one it is announced to before its process is shown', () => {
    const table = new ContainerTable()
    table.onNew(({ fullId }) => table.identify(fullId, { podName: 'web-1' }))
    expect(table.of(cgroup('a'))).toMatchObject({ podName: 'web-1' })
    expect([...table.all()]).toEqual([table.of(cgroup('a'))])
  })

  it('is what one who knows says, not what is guessed', () => {
    const table = new ContainerTable()
    const container = table.of(cgroup('a'))!
    table.describe(container.fullId, { privileged: true })
    expect(container.privileged).toBe(true)
    table.identify(container.fullId, { privileged: false })
    table.describe(container.fullId, { privileged: true, name: 'guess' })
    expect(container).toMatchObject({ privileged: false, name: 'guess' })
    expect(table.identify('c'.repeat(64), {})).toBe(false)
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
