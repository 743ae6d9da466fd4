import { describe, expect, it } from 'vitest'
import { eventTypes } from '#events'
import { eventTypesOf } from './event-types-of.ts'
import { checkedCondition } from './testing/rule-arbitrary.ts'
import { holds } from './testing/verdict.ts'

const checks = [
  ...['= x', '!= x', '< 5', '>= 5', 'contains x', 'icontains x', 'startswith x', 'endswith x'],
  ...['glob *', 'iglob *', 'regex .*', 'in (x)', 'intersects (x)', 'pmatch (/)', 'exists'],
  ...['= val(proc.name)', '= oneof (x)', '!= allof (x)'],
]

describe('1.7 a value that is not there', () => {
  it.each(checks)('satisfies no %s, and so its negation', (check) => {
    expect(holds(`proc.pname ${check}`, { 'proc.name': 'x' })).toBe(false)
    expect(holds(`not proc.pname ${check}`, { 'proc.name': 'x' })).toBe(true)
  })

  it('is not the text <NA>', () => {
    expect(holds('not proc.pname in ("<NA>","N/A")', {})).toBe(true)
    expect(holds('user.name = "<NA>"', { 'user.name': '<NA>' })).toBe(true)
    expect(holds('user.name exists', { 'user.name': '' })).toBe(true)
  })

  it('makes the right side satisfy nothing either', () => {
    expect(holds('proc.name != val(proc.exe)', { 'proc.name': 'x' })).toBe(false)
    expect(holds('not proc.name != val(proc.exe)', { 'proc.name': 'x' })).toBe(true)
  })
})

const socket = {
  'fd.num': 3,
  'fd.cip': '10.0.0.1',
  'fd.sip': '192.168.1.5',
  'fd.cport': 5,
  'fd.sport': 80,
}
const ancestors = { 'proc.aname': ['bash', 'sshd'], 'proc.apid': [10, 1], 'proc.pid': 20 }

describe('1.9 fields with their own comparison', () => {
  it.each([
    ['proc.aname = sshd', ancestors, true],
    ['proc.aname != sshd', ancestors, true],
    ['proc.aname != bash', { 'proc.aname': ['bash'] }, false],
    ['proc.aname in (x, sshd)', ancestors, true],
    ['proc.aname startswith ss', ancestors, true],
    ['proc.aname = oneof (bash, x)', ancestors, true],
    ['proc.aname = allof (bash, sshd)', ancestors, true],
    ['proc.aname exists', ancestors, true],
    ['proc.aname exists', { 'proc.aname': [] }, false],
    ['not proc.aname = x', {}, true],
    ['proc.aname[1] = bash', ancestors, true],
    ['proc.aname[2] = sshd', ancestors, true],
    ['proc.aname[3] exists', ancestors, false],
    ['proc.apid[0] = 20', ancestors, true],
    ['proc.apid in (1)', ancestors, true],
    ['proc.aargs = "a b"', { 'proc.aargs': ['a', 'b'] }, true],
    ['proc.aargs = a', { 'proc.aargs': ['a', 'b'] }, false],
    ['fd.ip = 10.0.0.1', socket, true],
    ['fd.ip = 192.168.1.5', socket, true],
    ['fd.ip != 10.0.0.1', socket, false],
    ['fd.ip != 10.0.0.2', socket, true],
    ['fd.ip in (1.1.1.1, 10.0.0.1)', socket, true],
    ['fd.ip = anyof (1.1.1.1, 10.0.0.1)', socket, true],
    ['fd.ip = 10.0.0.1', { 'fd.name': '/x' }, false],
    ['fd.ip != 10.0.0.1', { 'fd.name': '/x' }, false],
    ['fd.ip exists', socket, true],
    ['fd.ip exists', { 'fd.name': '/x', 'fd.num': 3 }, true],
    ['fd.ip exists', { 'fd.name': '/x', 'fd.num': -1 }, false],
    ['fd.ip exists', { 'fd.name': '/x' }, true],
    ['fd.ip exists', { 'proc.name': 'x' }, false],
    ['fd.net = 10.0.0.0/8', socket, true],
    ['fd.net != 10.0.0.0/8', socket, false],
    ['fd.net in (1.0.0.0/8, 192.168.0.0/16)', socket, true],
    ['fd.port = 80', socket, true],
    ['fd.port = http', socket, true],
    ['fd.port != 80', socket, false],
    ['fd.port < 6', socket, true],
    ['fd.port in (5, 6)', socket, true],
    ['fd.port = oneof (81, 80)', socket, true],
    ['fd.sip.name = example.org', { 'fd.sip.name': ['example.org', 'x.y'] }, true],
    ['evt.rawarg.flags in (3, 4)', { 'evt.rawarg.flags': 3 }, true],
  ])('%s of %j: %s', (condition, event, expected) => {
    expect(holds(condition, event)).toBe(expected)
  })
})

describe('1.9 upstream defects, where they are asked for', () => {
  it.each([
    ['fd.ip in (10.0.0.1)', socket, false],
    ['not fd.ip in (10.0.0.1)', socket, true],
    ['proc.apid in (1)', ancestors, false],
    ['proc.apid[1] in (10)', ancestors, true],
    ['proc.apid = 1', ancestors, true],
    ['evt.rawarg.flags in (3)', { 'evt.rawarg.flags': 3 }, false],
    ['evt.rawarg.name in (x)', { 'evt.rawarg.name': 'x' }, true],
    ['fd.net in (1.0.0.0/8, 10.0.0.0/8)', socket, false],
    ['fd.net in (10.0.0.0/8, 1.0.0.0/8)', socket, true],
    ['fd.snet in (1.0.0.0/8, 192.168.0.0/16)', socket, true],
    ['proc.aname = anyof (x, sshd)', ancestors, false],
    ['proc.aname = oneof (bash, sshd)', ancestors, true],
    ['fd.ip = allof (10.0.0.1, 1.1.1.1)', socket, true],
    ['fd.port = anyof (1, 80)', socket, false],
    ['proc.name = anyof (x, y)', { 'proc.name': 'y' }, true],
    ['fd.port in (80)', socket, true],
  ])('%s of %j: %s', (condition, event, expected) => {
    expect(holds(condition, event, true)).toBe(expected)
  })
})

describe('1.11 event types of a condition', () => {
  const typesOf = (condition: string) => {
    const types = eventTypesOf(checkedCondition(condition))
    const names = eventTypes.flatMap(({ name }, i) => (types[i] === 1 ? [name] : []))
    return names.length === eventTypes.length ? 'all' : names.sort().join(' ')
  }

  it.each([
    ['evt.type = open', 'open'],
    ['evt.type == open', 'open'],
    ['evt.type in (open, close)', 'close open'],
    ['evt.type in ()', ''],
    ['evt.type = open or evt.type = close', 'close open'],
    ['evt.type in (open, close) and evt.type in (close, bind)', 'close'],
    ['evt.type in (open, close) and not evt.type = open', 'close'],
    ['evt.type in (open, close) and evt.type != open', 'close'],
    ['not (evt.type != open or evt.type != open)', 'open'],
    ['not (evt.type != open and evt.type != close)', 'close open'],
    ['syscall.type = open', 'open'],
    ['proc.name = x', 'all'],
    ['not proc.name = x', 'all'],
    ['evt.type = open or proc.name = x', 'all'],
    ['evt.type = open and proc.name = x', 'open'],
    ['not (evt.type != open or proc.name = x)', 'open'],
    ['evt.type exists', 'all'],
    ['not evt.type exists', ''],
    ['evt.type = anyof (open)', 'all'],
    ['evt.type intersects (open)', 'all'],
    ['evt.num = 0', ''],
    ['not evt.num = 0', 'all'],
    ['evt.num != 0', 'all'],
    ['not evt.num != 0', ''],
    ['evt.num < 1', ''],
    ['evt.num <= 0', ''],
    ['evt.num > 0', 'all'],
    ['not evt.num > 0', ''],
    ['evt.num >= 1', 'all'],
    ['not evt.num >= 0', ''],
    ['evt.num in (0)', ''],
    ['evt.num in ()', ''],
    ['evt.num in (0, 1)', 'all'],
    ['evt.num = 5', 'all'],
    ['not evt.num = 5', 'all'],
    ['evt.type = open and evt.num = 0', ''],
  ])('%s: %s', (condition, expected) => {
    expect(typesOf(condition)).toBe(expected)
  })
})

describe('1.12 the direction of an event', () => {
  it('is always that of its exit', () => {
    expect(holds('evt.dir=<', {})).toBe(true)
    expect(holds('evt.dir=>', {})).toBe(false)
    expect(holds('evt.latency = 0', {})).toBe(true)
  })
})
