import { describe, expect, it } from 'vitest'
import { makeEvent, makeFile, makeSocket } from '#testing/events.ts'
import { readField } from '#testing/read-field.ts'

describe('the category', () => {
  it('is that of the type, for I/O that of the descriptor', () => {
    expect(readField(makeEvent('openat'), 'evt.category')).toBe('file')
    expect(readField(makeEvent('pipe'), 'evt.category')).toBe('IPC')
    expect(readField(makeEvent('write', { fd: makeFile('/x') }), 'evt.category')).toBe('file')
    expect(readField(makeEvent('write', { fd: makeSocket() }), 'evt.category')).toBe('net')
    expect(readField(makeEvent('write'), 'evt.category')).toBe('unknown')
  })
})

describe('I/O', () => {
  it('has a direction', () => {
    expect(readField(makeEvent('recvfrom'), 'evt.io_dir')).toBe('read')
    expect(readField(makeEvent('sendto'), 'evt.io_dir')).toBe('write')
    expect(readField(makeEvent('openat'), 'evt.io_dir')).toBeUndefined()
    expect(readField(makeEvent('openat'), 'evt.is_io')).toBe(false)
    expect(readField(makeEvent('read'), 'evt.is_io_read')).toBe(true)
  })

  it('has a length when it succeeded', () => {
    const read = makeEvent('read', { fd: makeFile('/x'), result: 12 })
    expect(readField(read, 'evt.buflen')).toBe(12)
    expect(readField(read, 'evt.buflen.file.in')).toBe(12)
    expect(readField(read, 'evt.buflen.out')).toBeUndefined()
    expect(readField(read, 'evt.buflen.net')).toBeUndefined()
    const failed = makeEvent('read', { fd: makeFile('/x'), result: -5 })
    expect(readField(failed, 'evt.buflen')).toBeUndefined()
  })

  it('to the system log is recognised', () => {
    const fd = makeFile('88->99 /dev/log', { kind: 'unix' })
    expect(readField(makeEvent('sendto', { fd }), 'evt.is_syslog')).toBe(true)
    expect(readField(makeEvent('sendto', { fd: makeSocket() }), 'evt.is_syslog')).toBe(false)
  })
})

describe('the counters', () => {
  it('count failures by kind', () => {
    const open = makeEvent('openat', { result: -2 })
    expect(readField(open, 'evt.count')).toBe(1)
    expect(readField(open, 'evt.count.error')).toBe(1)
    expect(readField(open, 'evt.count.error.file')).toBe(1)
    expect(readField(open, 'evt.count.error.net')).toBeUndefined()
    expect(readField(makeEvent('connect', { result: -111 }), 'evt.count.error.net')).toBe(1)
    expect(readField(makeEvent('mmap', { result: -12 }), 'evt.count.error.memory')).toBe(1)
    expect(readField(makeEvent('kill', { result: -1 }), 'evt.count.error.other')).toBe(1)
    expect(readField(makeEvent('kill', { result: 0 }), 'evt.count.error')).toBe(0)
    expect(readField(open, 'evt.count.exit')).toBe(1)
  })
})
