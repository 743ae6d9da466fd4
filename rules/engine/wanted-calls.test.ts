import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventTypeId, fieldMapSource, type Value } from '#events'
import { unknown } from './edge-filter.ts'
import { interpret } from './interpret.ts'
import { checkedCondition, ruleOf } from './testing/rule-arbitrary.ts'
import { wantedEventTypes, wantedOpenClasses, wantedOpens } from './wanted-calls.ts'
import { wantedPaths } from './wanted-paths.ts'

describe('the classes of open calls that rules want', () => {
  const classes = (condition: string) =>
    wantedOpenClasses([ruleOf('r', checkedCondition(condition))])
  const ok = (access: number) => 1 << access
  const failed = (access: number) => 1 << (4 + access)

  it('follow the access mode', () => {
    const reads = 'evt.type in (open, openat) and evt.is_open_read=true and fd.num>=0'
    expect(classes(reads)).toBe(ok(0) | ok(2) | ok(3))
    const writes = 'evt.type = openat and evt.is_open_write=true and evt.rawres >= 0'
    expect(classes(writes)).toBe(ok(1) | ok(2) | ok(3))
  })

  it('follow the result', () => {
    expect(classes('evt.type=openat and evt.res=SUCCESS')).toBe(0x0f)
    expect(classes('evt.type=openat and evt.failed=true')).toBe(0xf0)
    expect(classes('evt.type=openat and fd.num=-1')).toBe(0xf0)
    expect(classes('evt.type=openat and evt.is_open_read=true and fd.num<0')).toBe(
      failed(0) | failed(2) | failed(3),
    )
    expect(classes('evt.type=openat and evt.rawres in (-2, -13)')).toBe(0xf0)
  })

  it('are none when no rule is about open', () => {
    expect(classes('evt.type=connect')).toBe(0)
    expect(classes('proc.name=x')).toBe(0xff)
  })
})

describe('the event types that rules want', () => {
  it('are those of the enabled rules', () => {
    const rules = [
      ruleOf('a', checkedCondition('evt.type=connect')),
      ruleOf('b', checkedCondition('evt.type=bind'), { enabled: false }),
    ]
    expect(wantedEventTypes(rules)).toEqual(new Set([eventTypeId('connect')]))
  })

  it('are fewer on the host when a rule asks for a container', () => {
    const rules = [ruleOf('a', checkedCondition('evt.type=setns and container.id != host'))]
    expect(wantedEventTypes(rules)).toEqual(new Set([eventTypeId('setns')]))
    expect(wantedEventTypes(rules, 'host')).toEqual(new Set())
  })
})

describe('the paths that rules want', () => {
  const paths = (condition: string) =>
    wantedPaths([ruleOf('r', checkedCondition(condition))], () => unknown)
  const lists = (exact: string[], prefixes: string[] = [], suffixes: string[] = []) => ({
    exact: new Set(exact),
    prefixes: new Set(prefixes),
    suffixes: new Set(suffixes),
    dotted: false,
  })

  it.each([
    ['fd.name = /etc/shadow', lists(['/etc/shadow'])],
    ['fd.name in (/a, /b)', lists(['/a', '/b'])],
    ['fd.name startswith /etc/', lists([], ['/etc/'])],
    [
      'fd.name pmatch (/root, /home/*/.ssh, //etc//ssh/)',
      lists([], ['/root', '/home', '/etc/ssh']),
    ],
    ['fd.name glob /home/*/.ssh/*', lists([], ['/home/'])],
    ['fd.name glob */.aws/credentials', lists([], [], ['/.aws/credentials'])],
    ['fd.name endswith /id_rsa', lists([], [], ['/id_rsa'])],
    ['fd.name endswith .pem', lists([], [], ['.pem'])],
    ['fd.name glob *.pem', lists([], [], ['.pem'])],
    ["fd.nameraw glob '*../*../*'", { ...lists([]), dotted: true }],
    ['fd.directory in (/bin, /usr/bin)', lists([], ['/bin', '/usr/bin'])],
    ['fd.filename = id_rsa', lists([], [], ['/id_rsa'])],
    ['proc.name = x and fd.name startswith /etc', lists([], ['/etc'])],
    ['fd.name startswith /etc and fd.name = /etc/x', lists(['/etc/x'])],
    ['fd.name = /a or fd.filename = b', lists(['/a'], [], ['/b'])],
    ['not (not fd.name = /a or proc.name = x)', lists(['/a'])],
  ])('of %s are known', (condition, wanted) => expect(paths(condition)).toEqual(wanted))

  it.each([
    'proc.name = x',
    'fd.name != /etc/shadow',
    'not fd.name startswith /etc',
    'fd.name contains ssh',
    'fd.name glob *',
    'fd.nameraw contains ./x',
    'fd.name pmatch (/)',
    'fd.name = /a or proc.name = x',
    'fd.name regex ^/etc',
    'fd.nameraw = /etc/shadow',
    'tolower(fd.name) = /etc/shadow',
  ])('of %s are any', (condition) => expect(paths(condition)).toBe('any'))

  it('leave out what cannot be', () => {
    const opens = wantedOpens([
      ruleOf(
        'r',
        checkedCondition(
          'evt.type=openat and evt.is_open_read=true and fd.name=/a and evt.rawres>=0',
        ),
      ),
      ruleOf(
        'c',
        checkedCondition('evt.type=openat and evt.is_open_write=true and container.id!=host'),
      ),
    ])
    expect(opens.map((each) => (each === 'any' ? each : [...each.exact].join()))).toEqual([
      '/a',
      'any',
      'any',
      'any',
      '',
      'any',
      'any',
      'any',
    ])
  })

  it('hold every path that a rule matches', () => {
    const texts = [
      '/',
      '/etc',
      '/etc/',
      '/etc/ssh',
      '/etc/sshd',
      '/etc/ssh/k',
      'ssh',
      '/home/u/k',
      '*/k',
      '/h*/k',
      '.pem',
    ]
    const check = fc
      .record({
        field: fc.constantFrom('fd.name', 'fd.directory', 'fd.filename', 'proc.name'),
        op: fc.constantFrom(
          '=',
          '!=',
          'startswith',
          'endswith',
          'contains',
          'glob',
          'in',
          'pmatch',
        ),
        text: fc.constantFrom(...texts),
      })
      .map(
        ({ field, op, text }) => `${field} ${op} ${/^(in|pmatch)$/.test(op) ? `(${text})` : text}`,
      )
    const { condition } = fc.letrec<{ condition: string }>((tie) => ({
      condition: fc.oneof(
        { depthSize: 'small' },
        check,
        fc.tuple(tie('condition'), tie('condition')).map(([a, b]) => `(${a} and ${b})`),
        fc.tuple(tie('condition'), tie('condition')).map(([a, b]) => `(${a} or ${b})`),
        tie('condition').map((a) => `not (${a})`),
      ),
    }))
    const path = fc
      .array(fc.constantFrom('etc', 'ssh', 'sshd', 'home', 'u', 'k', 'x.pem'), { maxLength: 4 })
      .map((names) => `/${names.join('/')}`)
    fc.assert(
      fc.property(condition, path, fc.boolean(), (text, name, isDirectory) => {
        const rule = ruleOf('r', checkedCondition(text))
        const slash = name.lastIndexOf('/')
        const event: Record<string, Value> = {
          'fd.name': name,
          'fd.directory': isDirectory ? name : name.slice(0, slash) || '/',
          ...(!isDirectory && { 'fd.filename': name.slice(slash + 1) || '/' }),
          'proc.name': 'ssh',
        }
        if (!interpret(rule.condition, event, fieldMapSource)) return
        const wanted = wantedPaths([rule], () => unknown)
        if (wanted === 'any' || name === '/') return
        const reached =
          wanted.exact.has(name) ||
          [...wanted.prefixes].some((prefix) => name.startsWith(prefix)) ||
          [...wanted.suffixes].some((suffix) => name.endsWith(suffix))
        expect(reached).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })
})
