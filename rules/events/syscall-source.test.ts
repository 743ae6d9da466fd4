import { describe, expect, it } from 'vitest'
import { makeEvent, makeFile, makeProcess, makeSocket } from '#testing/events.ts'
import { fieldCatalogue } from './field-catalogue.ts'
import { createSyscallSource, syscallSource, unfilledFields } from './syscall-source.ts'

const argumentOf: Readonly<Record<string, string>> = {
  'evt.arg': 'flags',
  'evt.rawarg': 'flags',
  'evt.type.is': 'open',
}

describe('every field of the catalogue', () => {
  it('is bound, or named as one that is never filled', () => {
    for (const { name, argument } of fieldCatalogue.values()) {
      const arg = argument === 'required' ? (argumentOf[name] ?? 'x') : undefined
      const text = arg === undefined ? name : `${name}[${arg}]`
      const ref = arg === undefined ? { name, text } : { name, arg, text }
      const bound = createSyscallSource({ hostname: 'h' }).bind(ref)
      expect(bound === undefined, name).toBe(unfilledFields.has(name))
    }
  })

  it('reads every kind of event without an error', () => {
    const process = makeProcess({ parent: makeProcess({ pid: 2 }) })
    const events = [
      makeEvent('openat', { process, fd: makeFile('/x'), args: { flags: 1 } }),
      makeEvent('connect', { process, fd: makeSocket() }),
      makeEvent('getpid', { process }),
      makeEvent('procexit', { process, result: undefined }),
    ]
    for (const name of fieldCatalogue.keys()) {
      const read = syscallSource.bind({ name, text: name })
      for (const event of events) expect(() => read?.(event), name).not.toThrow()
    }
  })
})

it('type and time are those of the event', () => {
  const event = makeEvent('execve', { time: 42n })
  expect(syscallSource.type(event)).toBe(0)
  expect(syscallSource.time(event)).toBe(42n)
})

it('the host name is the one the source was made with', () => {
  const ref = { name: 'evt.hostname', text: 'evt.hostname' }
  expect(createSyscallSource({ hostname: 'n1' }).bind(ref)?.(makeEvent('execve'))).toBe('n1')
  expect(syscallSource.bind(ref)).toBeUndefined()
})
