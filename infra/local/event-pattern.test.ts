import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compilePattern, InvalidPattern, type JsonValue } from './event-pattern.ts'

const matches = (event: JsonValue, pattern: unknown) =>
  compilePattern(JSON.stringify(pattern))(event)

const event: JsonValue = {
  'detail-type': 'Detection',
  source: 'lanner',
  time: '2026-11-25T03:04:05Z',
  resources: ['arn:aws:eks:us-east-1:1:cluster/prod', 'arn:aws:eks:us-east-1:1:nodegroup/a'],
  detail: {
    priority: 'Critical',
    count: 5,
    ratio: 3.018e2,
    empty: '',
    nothing: null,
    isNew: true,
    address: '10.0.0.9',
    address6: '2001:db8::1',
    path: '/usr/lib/x/run.sh',
    stars: 'a*b\\c',
    tags: ['mitre', 'shell'],
    none: [],
    nested: [[1, 2], [3]],
    pods: [
      { name: 'web', ns: 'prod', ports: [80, 443] },
      { name: 'db', ns: 'test' },
    ],
  },
}

describe.each<[operator: string, cases: [detail: unknown, isMatch: boolean][]]>([
  [
    'a value',
    [
      [{ priority: ['Critical'] }, true],
      [{ priority: ['critical'] }, false],
      [{ priority: ['Alert', 'Critical'] }, true],
      [{ priority: ['Critical'], count: [6] }, false],
      [{ count: [5] }, true],
      [{ count: ['5'] }, false],
      [{ ratio: [301.8] }, true],
      [{ empty: [''] }, true],
      [{ nothing: [null] }, true],
      [{ nothing: [''] }, false],
      [{ absent: [null] }, false],
      [{ isNew: [true] }, true],
      [{ isNew: ['true'] }, false],
    ],
  ],
  [
    'prefix and suffix',
    [
      [{ path: [{ prefix: '/usr/' }] }, true],
      [{ path: [{ prefix: '/USR/' }] }, false],
      [{ path: [{ prefix: { 'equals-ignore-case': '/USR/' } }] }, true],
      [{ path: [{ suffix: '.sh' }] }, true],
      [{ path: [{ suffix: { 'equals-ignore-case': '.SH' } }] }, true],
      [{ path: [{ suffix: '.py' }] }, false],
      [{ count: [{ prefix: '5' }] }, false],
    ],
  ],
  [
    'equals-ignore-case',
    [
      [{ priority: [{ 'equals-ignore-case': 'CRITICAL' }] }, true],
      [{ priority: [{ 'equals-ignore-case': 'CRITICA' }] }, false],
    ],
  ],
  [
    'anything-but',
    [
      [{ priority: [{ 'anything-but': 'Notice' }] }, true],
      [{ priority: [{ 'anything-but': 'Critical' }] }, false],
      [{ priority: [{ 'anything-but': ['Notice', 'Critical'] }] }, false],
      [{ count: [{ 'anything-but': [1, 2] }] }, true],
      [{ count: [{ 'anything-but': 5 }] }, false],
      [{ absent: [{ 'anything-but': 'x' }] }, false],
      [{ tags: [{ 'anything-but': 'mitre' }] }, true],
      [{ path: [{ 'anything-but': { prefix: '/usr' } }] }, false],
      [{ path: [{ 'anything-but': { prefix: ['/bin', '/sbin'] } }] }, true],
      [{ path: [{ 'anything-but': { suffix: '.sh' } }] }, false],
      [{ priority: [{ 'anything-but': { 'equals-ignore-case': ['critical', 'x'] } }] }, false],
      [{ path: [{ 'anything-but': { wildcard: '*/lib/*' } }] }, false],
      [{ path: [{ 'anything-but': { wildcard: '*/bin/*' } }] }, true],
    ],
  ],
  [
    'numeric',
    [
      [{ count: [{ numeric: ['>', 0, '<=', 5] }] }, true],
      [{ count: [{ numeric: ['>', 5] }] }, false],
      [{ count: [{ numeric: ['=', 5] }] }, true],
      [{ ratio: [{ numeric: ['=', 3.018e2] }] }, true],
      [{ priority: [{ numeric: ['>', 0] }] }, false],
    ],
  ],
  [
    'exists',
    [
      [{ count: [{ exists: true }] }, true],
      [{ absent: [{ exists: true }] }, false],
      [{ absent: [{ exists: false }] }, true],
      [{ nothing: [{ exists: true }] }, true],
      [{ none: [{ exists: false }] }, true],
      [{ absent: { deep: [{ exists: false }] } }, true],
      [{ pods: { ports: [{ exists: true }] } }, true],
      // One pod has ports, so the field is there.
      [{ pods: { ports: [{ exists: false }] } }, false],
      [{ pods: { owner: [{ exists: false }] } }, true],
      [{ absent: [{ exists: false }, 'x'] }, true],
    ],
  ],
  [
    'cidr',
    [
      [{ address: [{ cidr: '10.0.0.0/24' }] }, true],
      [{ address: [{ cidr: '10.0.1.0/24' }] }, false],
      [{ address: [{ cidr: '0.0.0.0/0' }] }, true],
      [{ address6: [{ cidr: '2001:db8::/32' }] }, true],
      [{ address6: [{ cidr: '10.0.0.0/8' }] }, false],
      [{ priority: [{ cidr: '10.0.0.0/8' }] }, false],
    ],
  ],
  [
    'wildcard',
    [
      [{ path: [{ wildcard: '/usr/*/x/*.sh' }] }, true],
      [{ path: [{ wildcard: '*' }] }, true],
      [{ empty: [{ wildcard: '*' }] }, true],
      [{ path: [{ wildcard: '*.s' }] }, false],
      [{ path: [{ wildcard: '/usr/lib/x/run.sh' }] }, true],
      [{ path: [{ wildcard: '/usr/lib/x/run.sh*run.sh' }] }, false],
      [{ stars: [{ wildcard: 'a\\*b\\\\*' }] }, true],
      [{ path: [{ wildcard: '/usr\\*' }] }, false],
    ],
  ],
  [
    '$or',
    [
      [{ $or: [{ priority: ['x'] }, { count: [5] }] }, true],
      [{ $or: [{ priority: ['x'] }, { count: [6] }] }, false],
      [{ priority: ['Critical'], $or: [{ count: [6] }, { isNew: [true] }] }, true],
      [{ priority: ['Notice'], $or: [{ count: [5] }, { isNew: [true] }] }, false],
      [{ pods: { ns: ['prod'], $or: [{ name: ['db'] }, { ports: [443] }] } }, true],
      [{ $or: [{ $or: [{ count: [1] }, { count: [5] }] }, { count: [2] }] }, true],
    ],
  ],
  [
    'an array',
    [
      [{ tags: ['shell'] }, true],
      [{ tags: ['x'] }, false],
      [{ none: ['x'] }, false],
      [{ nested: [3] }, true],
      [{ pods: { name: ['web'], ns: ['prod'] } }, true],
      // Each is there, but not in the same pod.
      [{ pods: { name: ['web'], ns: ['test'] } }, false],
      [{ pods: { ports: [443] } }, true],
    ],
  ],
])('%s', (_, cases) => {
  it.each(cases.map(([pattern, isMatch]) => [JSON.stringify(pattern), isMatch, pattern] as const))(
    '%s: %s',
    (_, isMatch, pattern) => {
      expect(matches(event, { detail: pattern })).toBe(isMatch)
    },
  )
})

it('matches the envelope as well as the detail', () => {
  const pattern = {
    source: ['lanner'],
    'detail-type': ['Detection', { prefix: 'Incident' }],
    time: [{ prefix: '2026-11-25' }],
    resources: [{ suffix: 'cluster/prod' }],
    detail: { priority: ['Critical'] },
  }
  expect(matches(event, pattern)).toBe(true)
  expect(matches(event, { ...pattern, source: ['aws.ec2'] })).toBe(false)
})

describe('a pattern is refused', () => {
  it.each([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['nothing in it', '{}'],
    ['an empty list', '{"a":[]}'],
    ['a bare value', '{"a":"x"}'],
    ['an array in an array', '{"a":[["x"]]}'],
    ['an empty object inside', '{"a":{}}'],
    ['an unknown operator', '{"a":[{"contains":"x"}]}'],
    ['two operators at once', '{"a":[{"prefix":"x","suffix":"y"}]}'],
    ['exists of a text', '{"a":[{"exists":"true"}]}'],
    ['a prefix that is a number', '{"a":[{"prefix":5}]}'],
    ['a list of both types', '{"a":[{"anything-but":["x",5]}]}'],
    ['anything but nothing', '{"a":[{"anything-but":[]}]}'],
    ['anything but a number range', '{"a":[{"anything-but":{"numeric":[">",5]}}]}'],
    ['half a comparison', '{"a":[{"numeric":[">"]}]}'],
    ['an unknown comparison', '{"a":[{"numeric":["!=",5]}]}'],
    ['limits the wrong way round', '{"a":[{"numeric":["<",5,">",0]}]}'],
    ['a number too large', '{"a":[{"numeric":["<",5000000001]}]}'],
    ['a range of nothing', '{"a":[{"cidr":"10.0.0.0/33"}]}'],
    ['no range', '{"a":[{"cidr":"10.0.0.0"}]}'],
    ['two stars', '{"a":[{"wildcard":"a**b"}]}'],
    ['a backslash before a letter', '{"a":[{"wildcard":"a\\\\nb"}]}'],
  ])('for %s: %s', (_, pattern) => {
    expect(() => compilePattern(pattern)).toThrow(InvalidPattern)
  })
})

it('sees wildcards as a regular expression does', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 })
  const wildcard = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 8 })
  fc.assert(
    fc.property(letters, wildcard, (value, raw) => {
      const pattern = raw.replace(/\*+/g, '*')
      const regex = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`)
      expect(matches({ a: value }, { a: [{ wildcard: pattern }] })).toBe(regex.test(value))
    }),
    { numRuns: 1000 },
  )
})
