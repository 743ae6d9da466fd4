import { describe, expect, it } from 'vitest'
import { parseCondition } from '../parse.ts'
import { checkCondition } from './check-condition.ts'

function problems(text: string): string[] {
  const parsed = parseCondition(text)
  if ('problem' in parsed) throw new Error(parsed.problem.message)
  return checkCondition(parsed.expr).map(({ code, at, message }) => `${at} ${code}: ${message}`)
}

describe('1.4 operators and types', () => {
  it('fit, where they do', () => {
    for (const text of [
      'evt.rawres < 0 and fd.num in (1, 2) and evt.failed = true',
      'fd.sip = 10.0.0.1 and fd.snet != 10.0.0.0/8 and fd.ip = anyof (1.2.3.4, ::1)',
      'proc.name startswith anyof (a, b) and proc.name pmatch (/a) and proc.name < 5',
      'evt.buffer bcontains cafe and evt.buffer contains x',
      'fd.types intersects (file) and fd.types exists',
    ]) {
      expect(problems(text)).toEqual([])
    }
  })

  it('are reported where they do not', () => {
    expect(problems('evt.failed > 1')).toEqual([
      '0 bad-operator: evt.failed is true or false: > does not work on it',
      '13 bad-constant: "1" is neither true nor false',
    ])
    expect(problems('fd.types = file')[0]).toMatch(/fd\.types is a list/)
    expect(problems('evt.rawres contains 1')[0]).toMatch(/a number: contains/)
    expect(problems('fd.num = anyof (1)')[0]).toMatch(/= anyof does not work/)
    expect(problems('proc.name bcontains ab')[0]).toMatch(/a text: bcontains/)
    expect(problems('fd.snet < 5')[0]).toMatch(/a network/)
  })
})

describe('1.6 constants', () => {
  it.each([
    ['fd.num = 0x10', 'only plain decimal integers'],
    ['fd.num = 1.5', 'only plain decimal integers'],
    ['fd.num = x', '"x" is no number'],
    ['fd.sport = nosuch', 'no service is called "nosuch"'],
    ['evt.failed = yes', 'neither true nor false'],
    ['fd.sip = 1.2.3', 'no IP address'],
    ['fd.sip = ::ffff:1.2.3.4', 'no IP address'],
    ['fd.snet = 10.0.0.0', 'address/length is expected'],
    ['fd.snet = 10.0.0.0/33', 'longer than the address'],
    ['fd.snet = ::/0', 'at least one bit'],
    ['evt.type = opne', 'no event is called "opne"; did you mean open?'],
    ['evt.buffer bcontains caf', 'no even number of hexadecimal digits'],
    [`proc.name = ${'x'.repeat(256)}`, 'too long: 255 bytes at most'],
    ['proc.name = "a\\x00"', 'NUL'],
    ['proc.name regex "a("', 'does not compile'],
  ])('%s is refused', (text, message) => {
    expect(problems(text).join()).toContain(message)
  })

  it('wrap around in unsigned fields and are cut in narrow ones', () => {
    expect(problems('user.uid = -1 and fd.sport = 65616')).toEqual([])
  })
})

describe('1.8 fields', () => {
  it('must exist, with a fitting argument', () => {
    expect(problems('proc.nmae = x')).toEqual([
      '0 unknown-field: proc.nmae: no such field; did you mean proc.name?',
    ])
    expect(problems('evt.arg.flagz = x')[0]).toMatch(/did you mean evt\.arg\.flags/)
    expect(problems('proc.name[1] = x')[0]).toMatch(/no argument/)
    expect(problems('thread.cgroup = x')[0]).toMatch(/needs an argument/)
  })
})

describe('1.5 transformers', () => {
  it('take arguments of their types', () => {
    expect(problems('tolower(proc.name) = x and len(fd.types) > 1')).toEqual([])
    expect(problems('join("/", fd.types) = x and b64(evt.buffer) contains x')).toEqual([])
    expect(problems('toupper(proc.pid) = 1')[0]).toMatch(/toupper\(\) takes a text/)
    expect(problems('toupper(proc.aname) = x')[0]).toMatch(/proc\.aname takes no transformer/)
    expect(problems('toupper(proc.name)[1] = x')[0]).toMatch(/takes no \[argument\]/)
    expect(problems('tolower(proc.name, proc.exe) = x')[0]).toMatch(/takes one argument/)
    expect(problems('concat(proc.name) = x')[0]).toMatch(/two arguments or more/)
    expect(problems('join(fd.types, proc.name) = x')[0]).toMatch(/the separator/)
  })
})

describe('1.4 comparing two values', () => {
  it('needs equal types on both sides', () => {
    expect(problems('proc.name = val(proc.pname)')).toEqual([])
    expect(problems('proc.name = val(proc.pid)')[0]).toMatch(/of different types/)
    expect(problems('proc.name = val(proc.aname)')[0]).toMatch(/may not stand on the right/)
    expect(problems('proc.aname = val(proc.name)')[0]).toMatch(/compared with constants only/)
    expect(problems('proc.name pmatch toupper(proc.exe)')[0]).toMatch(/constants only/)
    expect(problems('evt.type = val(proc.name)')[0]).toMatch(/constants only/)
  })
})
