import { describe, expect, it } from 'vitest'
import { holds, mistakes } from './testing/verdict.ts'

describe('1.4 operators and types', () => {
  it.each([
    'fd.num = 1 and fd.num != 1 and fd.num < 1 and fd.num in (1) and fd.num intersects (1)',
    'evt.failed = true and evt.failed in (true) and evt.failed exists',
    'fd.sip = 1.2.3.4 and fd.sip in (::1) and fd.sip != oneof (::1) and fd.snet = anyof (::/1)',
    'fd.port = oneof (80)',
    'proc.name > 5 and proc.name iglob * and proc.name regex anyof (x)',
    'evt.buffer endswith x and evt.buffer in (x) and evt.buffer bstartswith 00',
    'proc.aname in (x) and proc.aname[2] regex x and proc.aname exists',
    'proc.pname = val(proc.name) and proc.pid > val(proc.ppid)',
    'proc.pid in val(proc.ppid)',
    'proc.name = toupper(proc.pname) and tolower(proc.name) = tolower(proc.exe)',
    'evt.rawarg.flags = 3 and evt.rawarg.request = 2147767344 and evt.rawarg.name contains x',
  ])('%s is right', (condition) => {
    expect(mistakes(condition)).toEqual([])
  })

  it.each([
    ['fd.num contains 1', 'bad-operator'],
    ['fd.num = oneof (1)', 'bad-operator'],
    ['evt.failed < 1', 'bad-operator'],
    ['evt.failed = anyof (true)', 'bad-operator'],
    ['fd.sip > 1', 'bad-operator'],
    ['fd.snet startswith x', 'bad-operator'],
    ['proc.name bcontains 00', 'bad-operator'],
    ['evt.buffer glob *', 'bad-operator'],
    ['evt.buffer < 1', 'bad-operator'],
    ['fd.types = file', 'bad-operator'],
    ['fd.types contains file', 'bad-operator'],
    ['proc.name = val(proc.pid)', 'bad-comparison'],
    ['proc.name = val(fd.types)', 'bad-comparison'],
    ['proc.pid = val(fd.sport)', 'bad-comparison'],
    ['proc.name pmatch val(proc.exe)', 'bad-comparison'],
    ['proc.name regex tolower(proc.exe)', 'bad-comparison'],
    ['fd.snet = val(fd.cnet)', 'bad-comparison'],
    ['proc.aname = val(proc.name)', 'bad-comparison'],
    ['proc.name = val(proc.aname[1])', 'bad-comparison'],
    ['fd.ip = val(fd.sip)', 'bad-comparison'],
    ['evt.type = val(proc.name)', 'bad-comparison'],
    ['tolower(evt.type) = open', 'bad-comparison'],
  ])('%s is refused (%s)', (condition, code) => {
    expect(mistakes(condition).join()).toContain(code)
  })
})

describe('1.5 transformers', () => {
  const event = {
    'proc.name': 'Bash',
    'proc.exe': '/usr/bin/bash',
    'proc.pid': 7,
    'fd.types': ['File', 'ipv4'],
    'proc.cmdline': 'c3No',
  }

  it.each([
    ['tolower(proc.name) = bash', true],
    ['toupper(proc.name) = BASH', true],
    ['basename(proc.exe) = bash', true],
    ['len(proc.name) = 4', true],
    ['len(fd.types) = 2', true],
    ['tolower(fd.types) intersects (file)', true],
    ['b64(proc.cmdline) = ssh', true],
    ['b64(proc.name) exists', true],
    ['b64(proc.exe) exists', false],
    ['not b64(proc.exe) = x', true],
    ['join("-", (proc.name, "x", proc.pid, 5)) = Bash-x-7-5', true],
    ['join(",", fd.types) = "File,ipv4"', true],
    ['concat(proc.name, ":", proc.exe) = Bash:/usr/bin/bash', true],
    ['concat(proc.name, proc.pname) exists', false],
    ['concat(tolower(proc.name), "") = bash', true],
    ['proc.name = concat("Ba", "sh")', true],
    ['basename(tolower(proc.exe)) = bash', true],
    ['toupper(proc.pname) != x', false],
    ['proc.name != val(proc.pname)', false],
    ['not proc.name = val(proc.pname)', true],
    ['len(proc.pname) >= 0', false],
  ])('%s: %s', (condition, expected) => {
    expect(holds(condition, event)).toBe(expected)
  })

  it('know the options of a command line', () => {
    const args = '("-n", "5", "-vt", "x", "--long", "-q", "y", "-n", "6")'
    const list = (known: string) => `join(" ", getopt(${args}, "${known}")) = `
    expect(holds(`${list('n:vt:')}"n 5 v t x ?"`, {})).toBe(true)
    expect(holds(`getopt(${args}, "n:v")[n] = 5`, {})).toBe(true)
    expect(holds(`getopt(${args}, "n:v")[v] = v`, {})).toBe(true)
    expect(holds(`getopt(${args}, "n:v")[x] exists`, {})).toBe(false)
    expect(holds('getopt(("-n"), "n:")[n] = ""', {})).toBe(true)
    expect(holds('getopt(("-n", "1", "--", "-n", "2"), ":n:")[n] = 1', {})).toBe(true)
    expect(holds('getopt(("-n7"), "n:")[n] = 7', {})).toBe(true)
  })

  it.each([
    'tolower(proc.pid) = 1',
    'toupper(proc.aname) = x',
    'toupper(fd.port) = x',
    'len(fd.ip) = 1',
    'len(evt.rawarg.flags) = 1',
    'len(proc.pid) = 1',
    'tolower(proc.name)[1] = x',
    'tolower(proc.name, proc.exe) = x',
    'concat(proc.name) = x',
    'concat(proc.name, proc.pid) = x',
    'join(proc.name, proc.exe) = x',
    'join(fd.types, fd.types) = x',
    'join(",", (proc.name, evt.failed)) = x',
    'getopt(proc.name, "x") in (x)',
    'b64(fd.num) = x',
    'basename("x") > 5 and basename(5) = 5',
  ])('%s is refused', (condition) => {
    expect(mistakes(condition).join()).toContain('bad-')
  })
})

describe('1.6 constants', () => {
  it.each([
    ['fd.num = 0x10', 'no number'],
    ['fd.num = 1.0', 'no number'],
    ['fd.num < 1e+3', 'no number'],
    ['fd.num = "1 "', 'no number'],
    ['fd.num = ""', 'no number'],
    ['fd.sport = nosuchservice', 'no service'],
    ['evt.failed = True', 'neither true nor false'],
    ['evt.failed = 1', 'neither true nor false'],
    ['fd.sip = 1.2.3', 'no IP address'],
    ['fd.sip = 1.2.3.256', 'no IP address'],
    ['fd.sip = 01.2.3.4', 'no IP address'],
    ['fd.sip = ::ffff:1.2.3.4', 'no IP address'],
    ['fd.sip = localhost', 'no IP address'],
    ['fd.snet = 10.0.0.0', 'address/length'],
    ['fd.snet = 10.0.0.0/33', 'longer'],
    ['fd.snet = 010.0.0.0/8', 'no network'],
    ['fd.snet = ::/0', 'at least one bit'],
    ['fd.snet = ::/129', 'longer'],
    ['evt.type = nosuch', 'no event'],
    ['evt.type in (open, nosuch)', 'no event'],
    ['evt.type startswith op', 'no event'],
    ['evt.buffer bcontains 123', 'hexadecimal'],
    ['evt.buffer bcontains xy', 'hexadecimal'],
    ['proc.name = "a\\x00"', 'NUL'],
    ['proc.name regex "("', 'does not compile'],
    ['proc.name regex "\\\\d"', 'does not compile'],
    ['proc.name regex "(?i)x"', 'does not compile'],
    [`proc.name = ${'x'.repeat(256)}`, 'too long'],
    [`proc.name in (a, ${'x'.repeat(256)})`, 'too long'],
    [`proc.name glob ${'é'.repeat(128)}`, 'too long'],
  ])('%s is refused: %s', (condition, message) => {
    expect(mistakes(condition).join()).toContain(message)
  })

  it.each([
    ['fd.num = " +3"', { 'fd.num': 3 }, true],
    ['fd.num = -1', { 'fd.num': -1 }, true],
    ['user.uid = -1', { 'user.uid': 4294967295 }, true],
    ['evt.rawarg.cmd = 257', { 'evt.rawarg.cmd': 1 }, true],
    ['fd.sport = ssh', { 'fd.sport': 22 }, true],
    ['fd.sport = www', { 'fd.sport': 80 }, true],
    ['fd.sport = ""', { 'fd.sport': 0 }, true],
    ['fd.sip = 2001:DB8:0::1', { 'fd.sip': '2001:db8::1' }, true],
    ['fd.sip != ::1', { 'fd.sip': '1.2.3.4' }, true],
    ['fd.sip = ::1', { 'fd.sip': '1.2.3.4' }, false],
    ['fd.snet = 10.1.2.3/8', { 'fd.sip': '10.9.9.9' }, true],
    ['fd.snet = 0.0.0.0/0', { 'fd.sip': '10.9.9.9' }, true],
    ['fd.snet != ::/1', { 'fd.sip': '10.9.9.9' }, true],
    ['fd.snet in (1.0.0.0/8, 10.0.0.0/8)', { 'fd.sip': '10.9.9.9' }, true],
    [`proc.name = ${'x'.repeat(255)}`, { 'proc.name': 'x'.repeat(255) }, true],
    ['evt.type in (open, "close")', { 'evt.type': 'close' }, true],
  ])('%s of %j: %s', (condition, event, expected) => {
    expect(holds(condition, event)).toBe(expected)
  })
})

describe('1.8 fields', () => {
  it.each([
    'evt.arg.flags = x and evt.arg[0] = x and evt.rawarg.res = 0 and evt.type.is.open = 1',
    'evt.abspath = x and evt.abspath.src = x and thread.cgroup.memory contains x',
    'proc.aname[2] = x and proc.env[HOME] = x and proc.env[0] exists and proc.aenv[X] = x',
    'proc.args[1] = x and fd.types[3] exists and proc.env exists and proc.aargs[1] = x',
    'container.label[app.x/y] = x and container.mount.dest[/etc] = x',
    'proc.env["A B"] = x',
  ])('%s is right', (condition) => {
    expect(mistakes(condition)).toEqual([])
  })

  it.each([
    'proc.names = x',
    'proc.nam = x',
    'evt.arg.nosuch = x',
    'evt.arg = x',
    'evt.arg[path] = x',
    'evt.rawarg[0] = 1',
    'evt.rawarg.nosuch = 1',
    'evt.abspath.x = x',
    'proc.aname[x] = x',
    'proc.name[1] = x',
    'proc.args[x] = x',
    'thread.cgroup[memory] = x',
    'container.label.foo = x',
    'ka.verb = create',
  ])('%s is refused', (condition) => {
    expect(mistakes(condition).join()).toContain('unknown-field')
  })
})
