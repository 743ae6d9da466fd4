import { describe, expect, it } from 'vitest'
import { type FieldMap, fieldMapSource, parseFieldMap } from './field-map.ts'
import { parseFieldName } from './field-name.ts'
import type { Value } from './value.ts'

function parsed(json: unknown): FieldMap {
  const result = parseFieldMap(json)
  if ('errors' in result) throw new Error(result.errors.map((error) => error.message).join('\n'))
  return result.map
}

function messages(json: unknown): string[] {
  const result = parseFieldMap(json)
  return 'errors' in result ? result.errors.map((error) => error.message) : []
}

function read(json: unknown, field: string): Value {
  const name = parseFieldName(field)
  if ('problem' in name) throw new Error(`${field}: ${name.problem}`)
  return fieldMapSource.bind(name.ref)?.(parsed(json))
}

describe('the values of a field map', () => {
  it('are what rules read under the same names', () => {
    const event = { 'evt.type': 'openat', 'fd.name': '/etc/shadow', 'evt.is_open_read': true }
    expect(read(event, 'evt.type')).toBe('openat')
    expect(read(event, 'fd.name')).toBe('/etc/shadow')
    expect(read(event, 'evt.is_open_read')).toBe(true)
  })

  it('have no value when absent or null', () => {
    expect(read({}, 'proc.name')).toBeUndefined()
    expect(read({ 'proc.name': null }, 'proc.name')).toBeUndefined()
  })

  it('keep 64-bit integers exact, from a number or a decimal text', () => {
    expect(read({ 'evt.rawres': -2 }, 'evt.rawres')).toBe(-2)
    expect(read({ 'evt.rawres': '17' }, 'evt.rawres')).toBe(17)
    expect(read({ 'evt.rawres': '9223372036854775807' }, 'evt.rawres')).toBe(2n ** 63n - 1n)
    expect(messages({ 'evt.rawres': 2 ** 60 })[0]).toMatch(/too large to be exact/)
  })

  it('are refused with a reason when they do not fit the type of the field', () => {
    expect(messages({ 'fd.sport': 65536 })).toEqual(['fd.sport: outside of 0 to 65535'])
    expect(messages({ 'proc.name': 7 })).toEqual(['proc.name: a text is needed here'])
    expect(messages({ 'proc.pid': 1.5 })).toEqual(['proc.pid: an integer is needed here'])
    expect(messages({ 'evt.failed': 'yes' })).toEqual(['evt.failed: true or false is needed here'])
    expect(messages({ 'fd.sip': '1.2.3' })).toEqual(['fd.sip: an IP address is needed here'])
    expect(messages({ 'proc.aname': 'bash' })).toEqual(['proc.aname: an array is needed here'])
    expect(messages({ 'proc.apid': [1, 'x'] })[0]).toMatch(/item 1: an integer/)
  })

  it('take IP addresses in their canonical form', () => {
    expect(read({ 'fd.sip': '2001:DB8:0::1' }, 'fd.sip')).toBe('2001:db8::1')
    expect(read({ 'fd.sip': '::ffff:10.0.0.1' }, 'fd.sip')).toBe('10.0.0.1')
  })

  it('take the display and the native form of an argument apart', () => {
    const event = { 'evt.arg.flags': 'O_RDONLY', 'evt.rawarg.flags': 1, 'evt.arg.fd': 3 }
    expect(read(event, 'evt.arg.flags')).toBe('O_RDONLY')
    expect(read(event, 'evt.rawarg.flags')).toBe(1)
    expect(read(event, 'evt.arg.fd')).toBe('3')
    expect(
      read({ 'evt.rawarg.cap_effective': '18446744073709551615' }, 'evt.rawarg.cap_effective'),
    ).toBe(2n ** 64n - 1n)
  })
})

it('a field map may say what only Kubernetes knows', () => {
  const event = {
    'container.mount.dest[/proc*]': '/host/proc',
    'container.host_network': true,
    'k8s.pod.label[app]': 'web',
  }
  for (const [field, value] of Object.entries(event)) expect(read(event, field)).toBe(value)
})

describe('the names of a field map', () => {
  it('are checked, with the nearest right name', () => {
    expect(messages({ 'proc.nmae': 'x', 'fd.nam': 'y' })).toEqual([
      'proc.nmae: no such field; did you mean proc.name?',
      'fd.nam: no such field; did you mean fd.name?',
    ])
    expect(messages({ 'evt.arg.flgas': 'x' })).toEqual([
      'evt.arg.flgas: no event has such an argument; did you mean evt.arg.flags?',
    ])
    expect(messages({ 'evt.type': 'openatt' })).toEqual([
      'evt.type: no event is called "openatt"; did you mean openat?',
    ])
    expect(messages({ 'evt.arg': 'x' })).toEqual(['evt.arg: the field needs an argument'])
    expect(messages({ 'proc.name[1]': 'x' })[0]).toMatch(/takes no argument/)
  })

  it('cannot reach the prototype', () => {
    expect(messages(JSON.parse('{"__proto__": {"x": 1}}'))[0]).toMatch(/no such field/)
    expect(messages({ constructor: 'x' })[0]).toMatch(/no such field/)
  })

  it('must stand in an object', () => {
    for (const json of [null, 3, 'x', []]) expect(messages(json)).toHaveLength(1)
  })
})

describe('the time of a field map', () => {
  const time = (json: unknown) => fieldMapSource.time(parsed(json))

  it('is given in nanoseconds or as ISO text, and 0 otherwise', () => {
    expect(time({})).toBe(0n)
    expect(time({ 'evt.time': '1700000000123456789' })).toBe(1_700_000_000_123_456_789n)
    expect(time({ 'evt.time': '2023-11-14T22:13:20.123456789Z' })).toBe(1_700_000_000_123_456_789n)
    expect(time({ 'evt.time': '2023-11-14T23:13:20.5+01:00' })).toBe(1_700_000_000_500_000_000n)
    expect(messages({ 'evt.time': 'yesterday' })[0]).toMatch(/ISO 8601/)
  })

  it('shows in all fields of time', () => {
    const event = { 'evt.time': '1700000000123456789' }
    expect(read(event, 'evt.time.iso8601')).toBe('2023-11-14T22:13:20.123456789+0000')
    expect(read(event, 'evt.rawtime')).toBe(1_700_000_000_123_456_789n)
    expect(read(event, 'evt.rawtime.ns')).toBe(123456789)
    expect(read(event, 'evt.time')).toMatch(/^\d\d:\d\d:\d\d\.123456789$/)
  })
})

describe('what a field map derives', () => {
  const tree = { 'proc.name': 'ls', 'proc.aname': ['bash', 'sshd'], 'proc.apid': [10, '20'] }

  it('is the ancestor at an index, the process itself at 0', () => {
    expect(read(tree, 'proc.aname[0]')).toBe('ls')
    expect(read(tree, 'proc.aname[1]')).toBe('bash')
    expect(read(tree, 'proc.aname[2]')).toBe('sshd')
    expect(read(tree, 'proc.aname[3]')).toBeUndefined()
    expect(read(tree, 'proc.aname')).toEqual(['bash', 'sshd'])
    expect(read(tree, 'proc.apid[2]')).toBe(20)
    expect(read({ 'proc.aname[3]': 'init' }, 'proc.aname[3]')).toBe('init')
    expect(read({ 'proc.aargs': ['-a', '-b c'] }, 'proc.aargs')).toBe('-a -b c')
  })

  it('is the parent from the first ancestor, but not the other way round', () => {
    expect(read(tree, 'proc.pname')).toBe('bash')
    expect(read({ ...tree, 'proc.pname': 'zsh' }, 'proc.pname')).toBe('zsh')
    expect(read({ 'proc.pname': 'zsh' }, 'proc.aname[1]')).toBeUndefined()
  })

  it('is the endpoints from the sides', () => {
    const event = { 'fd.cip': '10.0.0.1', 'fd.sip': '10.0.0.2', 'fd.cport': 4000, 'fd.sport': 443 }
    expect(read(event, 'fd.ip')).toEqual(['10.0.0.1', '10.0.0.2'])
    expect(read(event, 'fd.net')).toEqual(['10.0.0.1', '10.0.0.2'])
    expect(read(event, 'fd.port')).toEqual([4000, 443])
    expect(read(event, 'fd.snet')).toBe('10.0.0.2')
    expect(read({ 'fd.sip': '10.0.0.2' }, 'fd.ip')).toBe('10.0.0.2')
    expect(read({ 'fd.ip': ['10.0.0.9'] }, 'fd.net')).toBe('10.0.0.9')
    expect(read({}, 'fd.ip')).toBeUndefined()
  })

  it('is directory and file name of a path, not of a connection', () => {
    expect(read({ 'fd.name': '/etc/shadow' }, 'fd.directory')).toBe('/etc')
    expect(read({ 'fd.name': '/etc/shadow' }, 'fd.filename')).toBe('shadow')
    expect(read({ 'fd.name': '/x' }, 'fd.directory')).toBe('/')
    expect(read({ 'fd.name': '1.1.1.1:1->2.2.2.2:2' }, 'fd.directory')).toBeUndefined()
  })

  it('is what every event has', () => {
    expect(read({}, 'evt.num')).toBe(1)
    expect(read({}, 'evt.source')).toBe('syscall')
    expect(read({}, 'evt.dir')).toBe('<')
    expect(read({ 'evt.type': 'openat' }, 'evt.type.is.openat')).toBe(1)
    expect(read({ 'evt.type': 'openat' }, 'syscall.type')).toBe('openat')
  })
})

it('the type of a field map is the one its evt.type names', () => {
  expect(fieldMapSource.type(parsed({ 'evt.type': 'execve' }))).toBe(0)
  expect(fieldMapSource.type(parsed({}))).toBe(-1)
})
