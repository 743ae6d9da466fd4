import { expect, it } from 'vitest'
import type { Process } from '#events'
import { keepProcess } from './kept-process.ts'

function process(fields: Partial<Process>): { -readonly [K in keyof Process]: Process[K] } {
  return { pid: 1, comm: '', cwd: '/', parent: undefined, ...fields } as Process
}

it('keeps the ancestors of the moment', () => {
  const shell = process({ pid: 2, comm: 'sh' })
  const cat = process({ pid: 3, comm: 'cat', parent: shell })
  const before = keepProcess(cat)
  cat.parent = process({ pid: 1, comm: 'init' })
  expect(before.parent?.comm).toBe('sh')
  expect(keepProcess(cat).parent?.comm).toBe('init')
})

it('gives one object while nothing changes, and another after a chdir', () => {
  const shell = process({ comm: 'sh' })
  const cat = process({ comm: 'cat', parent: shell })
  expect(keepProcess(cat)).toBe(keepProcess(cat))
  const before = keepProcess(cat)
  shell.cwd = '/tmp'
  expect(keepProcess(cat)).not.toBe(before)
  expect(keepProcess(cat).parent?.cwd).toBe('/tmp')
  expect(before.parent?.cwd).toBe('/')
})

it('leaves what is kept already', () => {
  const one = keepProcess(process({}))
  expect(keepProcess(one)).toBe(one)
})
