import { describe, expect, it } from 'vitest'
import { makeContainer, makeEvent, makeFile, makeProcess, makeSocket } from '#testing/events.ts'
import { readField } from '#testing/read-field.ts'
import type { FileDescriptor } from '../event.ts'

const read = (field: string, fd: FileDescriptor | undefined, type = 'openat') =>
  readField(makeEvent(type, { fd }), field)

describe('a file', () => {
  it('has a name, a directory and a file name', () => {
    const fd = makeFile('/etc/shadow', { rawName: '..//etc/shadow' })
    expect(read('fd.name', fd)).toBe('/etc/shadow')
    expect(read('fd.directory', fd)).toBe('/etc')
    expect(read('fd.filename', fd)).toBe('shadow')
    expect(read('fd.nameraw', fd)).toBe('../etc/shadow')
    expect(read('fd.directory', makeFile('/x'))).toBe('/')
    expect(read('fd.type', fd)).toBe('file')
    expect(read('fd.typechar', fd)).toBe('f')
    expect(read('fd.num', fd)).toBe(3)
  })

  it('has a device, an inode and a layer', () => {
    const fd = makeFile('/x', { dev: 0x0080_0101, inode: 12, layer: 'upper' })
    expect(read('fd.dev', fd)).toBe(0x0080_0101)
    expect(read('fd.dev.major', fd)).toBe(1)
    expect(read('fd.dev.minor', fd)).toBe(0x801)
    expect(read('fd.ino', fd)).toBe(12)
    expect(read('fd.is_upper_layer', fd)).toBe(true)
    expect(read('fd.is_lower_layer', fd)).toBe(false)
  })

  it('carries its container in its name', () => {
    const process = makeProcess({ container: makeContainer() })
    const event = makeEvent('openat', { process, fd: makeFile('/a/b') })
    expect(readField(event, 'fd.containername')).toBe('0123456789ab:/a/b')
    expect(readField(event, 'fd.containerdirectory')).toBe('0123456789ab:/a')
    expect(read('fd.containername', makeFile('/a/b'))).toBe('host:/a/b')
  })
})

describe('a directory', () => {
  it('is its own directory and has no file name', () => {
    const fd = makeFile('/etc', { kind: 'directory' })
    expect(read('fd.directory', fd)).toBe('/etc')
    expect(read('fd.filename', fd)).toBeUndefined()
    expect(read('fd.typechar', fd)).toBe('d')
  })
})

describe('a call that failed to make a descriptor', () => {
  const failed = makeFile('/etc/shadow', { num: -1 })

  it('still has a number, a name, a directory and a letter', () => {
    expect(read('fd.num', failed)).toBe(-1)
    expect(read('fd.name', failed)).toBe('/etc/shadow')
    expect(read('fd.directory', failed)).toBe('/etc')
    expect(read('fd.typechar', failed, 'openat')).toBe('f')
    expect(read('fd.typechar', failed, 'open')).toBe('o')
    expect(read('fd.typechar', failed, 'accept4')).toBe('4')
  })

  it('has nothing else', () => {
    const fields = [
      'type',
      'filename',
      'ino',
      'dev',
      'l4proto',
      'connected',
      'is_upper_layer',
      'sip',
    ]
    for (const field of fields) expect(read(`fd.${field}`, failed)).toBeUndefined()
  })
})

it('an event without a descriptor has none of its fields', () => {
  for (const field of ['num', 'name', 'typechar', 'directory', 'sip', 'ip', 'uid', 'l4proto']) {
    expect(read(`fd.${field}`, undefined)).toBeUndefined()
  }
})

it('a descriptor of an unknown kind is literally <NA> and o', () => {
  const fd = makeFile('', { kind: 'unknown' })
  expect(read('fd.type', fd)).toBe('<NA>')
  expect(read('fd.typechar', fd)).toBe('o')
})

describe('a socket', () => {
  it('of a client has its peer as the server', () => {
    const fd = makeSocket()
    expect(read('fd.cip', fd)).toBe('10.0.0.1')
    expect(read('fd.sip', fd)).toBe('10.0.0.2')
    expect(read('fd.lip', fd)).toBe('10.0.0.1')
    expect(read('fd.rip', fd)).toBe('10.0.0.2')
    expect(read('fd.sport', fd)).toBe(443)
    expect(read('fd.sproto', fd)).toBe('443')
    expect(read('fd.ip', fd)).toEqual(['10.0.0.1', '10.0.0.2'])
    expect(read('fd.port', fd)).toEqual([40000, 443])
    expect(read('fd.snet', fd)).toBe('10.0.0.2')
    expect(read('fd.is_server', fd)).toBe(false)
  })

  it('of a server has its peer as the client', () => {
    const fd = makeSocket({ role: 'server' })
    expect(read('fd.cip', fd)).toBe('10.0.0.2')
    expect(read('fd.sip', fd)).toBe('10.0.0.1')
    expect(read('fd.lip', fd)).toBe('10.0.0.1')
    expect(read('fd.is_server', fd)).toBe(true)
  })

  it('that listens has a server side alone', () => {
    const fd = makeSocket({ role: 'server', localIp: '0.0.0.0', localPort: 80, remoteIp: '' })
    expect(read('fd.sip', fd)).toBe('0.0.0.0')
    expect(read('fd.sport', fd)).toBe(80)
    expect(read('fd.ip', fd)).toBe('0.0.0.0')
    expect(read('fd.port', fd)).toBe(80)
    for (const field of ['cip', 'lip', 'rip', 'cport', 'lport', 'rport']) {
      expect(read(`fd.${field}`, fd)).toBeUndefined()
    }
  })

  it('has no endpoints before it knows its side, and says <NA> for its protocol', () => {
    const fd = makeSocket({ role: undefined, connected: false })
    for (const field of ['cip', 'sip', 'lip', 'rip', 'ip', 'port', 'sport', 'sip.name']) {
      expect(read(`fd.${field}`, fd)).toBeUndefined()
    }
    expect(read('fd.l4proto', fd)).toBe('<NA>')
    expect(read('fd.connected', fd)).toBe(false)
    expect(read('fd.sockfamily', fd)).toBe('ip')
  })

  it('shows its protocol, state and family', () => {
    expect(read('fd.l4proto', makeSocket({ l4proto: 'udp' }))).toBe('udp')
    expect(read('fd.name_changed', makeSocket({ nameChanged: true }))).toBe(true)
    expect(read('fd.l4proto', makeFile('/x'))).toBe('<NA>')
    expect(read('fd.sockfamily', makeFile('x', { kind: 'unix' }))).toBe('unix')
    expect(read('fd.sockfamily', makeFile('/x'))).toBeUndefined()
    expect(read('fd.typechar', makeSocket({}, { kind: 'ipv6' }))).toBe('6')
  })

  it('has the names that are known for an address, maybe none', () => {
    const names = { '10.0.0.2': ['a.example', 'b.example'], '10.0.0.1': ['me.example'] }
    const event = makeEvent('connect', { fd: makeSocket(), names })
    expect(readField(event, 'fd.sip.name')).toEqual(['a.example', 'b.example'])
    expect(readField(event, 'fd.cip.name')).toBe('me.example')
    expect(read('fd.sip.name', makeSocket())).toEqual([])
  })
})
