import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDiagnostic } from './format.ts'
import { loadRules } from './load-rules.ts'
import { diagnosticsOf, load, rule } from './testing/load.ts'

const long = process.env['LANNER_LONG'] === '1'
const corpus = join(
  process.env['LANNER_CORPUS'] ?? join(import.meta.dirname, '../../../shared/corpus'),
  'falco/falco_rules.yaml',
)

/** Written as the official rules are, with all that the language has. */
const own = `- required_engine_version: 0.57.0
- list: shell_binaries
  items: [ash, bash, csh, "my sh", zsh]
- list: both
  items: [shell_binaries, login]
- macro: spawned_process
  condition: (evt.type in (execve, execveat))
- macro: container
  condition: (container.id != host)
- macro: user_hook
  condition: (evt.num=0)
${rule('Shell', 'spawned_process and container and proc.name in (both) and not user_hook', '  tags: [container, T1059]\n  exceptions:\n    - name: parents\n      fields: [proc.pname, fd.name]\n      comps: [in, startswith]\n      values:\n        - [[sshd, "a b"], /tmp]\n')}
- rule: Odd
  desc: >
    folded
    text
  condition: >
    (evt.type=open and evt.is_open_read=true and
     fd.name glob "/etc/*" and not proc.aname[2] in (sudo)
     and join(",", (proc.name, proc.exe)) != val(proc.cmdline))
  output: Odd | file=%fd.name user=%user.name %20proc.name %toupper(proc.exe)
  priority: NOTICE
- rule: Shell
  output: and more %proc.aname[3]
  override:
    output: append
`

const fragments = fc.oneof(
  fc.constantFrom('(', ')', '"', "'", ':', '\n', '[', ']', '{', '- ', '%', '&a ', '*a', '\\', '|'),
  fc.constantFrom(' and ', ' or ', ' not ', ' in ', '=', '!=', 'exists', ',', '#', '>', '!', '\t'),
  fc.constantFrom('- rule: x\n', '- list: l\n  items: [l]\n', '  append: true\n', '---\n', 'val('),
  fc.constantFrom('__proto__', 'constructor', 'toString', '<<: ', '\u0000', '\ud800', '\u2028'),
  fc.string({ maxLength: 4 }),
)

/** One change of a text: something cut out, put in, or copied from elsewhere. */
const edits = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat(20),
    insert: fragments,
    copy: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 5 },
)

function mutate(text: string, changes: typeof edits extends fc.Arbitrary<infer T> ? T : never) {
  let result = text
  for (const { at, cut, insert, copy } of changes) {
    const place = Math.floor(at * result.length)
    const from = copy === undefined ? 0 : Math.floor(copy * result.length)
    const piece = copy === undefined ? insert : result.slice(from, from + 40)
    result = result.slice(0, place) + piece + result.slice(place + cut)
  }
  return result
}

function check(text: string): void {
  const result = loadRules([{ name: 'a.yaml', text }])
  const errors = diagnosticsOf(result).filter(({ severity }) => severity === 'error')
  expect(result.ok).toBe(errors.length === 0)
  for (const diagnostic of diagnosticsOf(result)) {
    const { at } = diagnostic
    expect(at.line).toBeGreaterThan(0)
    expect(at.column).toBeGreaterThan(0)
    expect(at.offset).toBeLessThanOrEqual(text.length)
    expect(formatDiagnostic(diagnostic)).toContain(`a.yaml:${at.line}:${at.column}: `)
  }
}

describe('a mutated rules file', () => {
  const runs = long ? 50_000 : 400

  it('gives mistakes with their places, never an exception', { timeout: 3_600_000 }, () => {
    fc.assert(
      fc.property(edits, (changes) => check(mutate(own, changes))),
      { numRuns: runs },
    )
  })

  it.skipIf(!existsSync(corpus))(
    'of Falco (in LANNER_CORPUS) does as well',
    { timeout: 3_600_000 },
    () => {
      const text = readFileSync(corpus, 'utf8')
      fc.assert(
        fc.property(edits, (changes) => check(mutate(text, changes))),
        { numRuns: long ? 2000 : 5 },
      )
    },
  )
})

describe('a rules file made to be too much', () => {
  const names = 'abcdefghij'.split('')
  it.each([
    ['brackets', '[{'.repeat(1_000_000), 'nested too deep'],
    ['dashes', '- '.repeat(100_000), 'nested too deep'],
    ['an alias in itself', '- &a [*a, *a]\n', 'stands within itself'],
    [
      'aliases that double',
      `- list: a\n  items: &a [x, x]\n${names
        .slice(1)
        .map((c, i) => `- list: ${c}\n  items: &${c} [${`*${names[i]}, `.repeat(9)}]\n`)
        .join('')}`,
      'items holds texts only',
    ],
    [
      'macros that double',
      `- macro: m0\n  condition: evt.type=open\n${Array.from({ length: 60 }, (_, i) => `- macro: m${i + 1}\n  condition: m${i} or m${i}\n`).join('')}`,
      'more than 1000000 parts',
    ],
    [
      'lists that double',
      `${Array.from({ length: 60 }, (_, i) => `- list: l${i}\n  items: [l${i + 1}, l${i + 1}]\n`).join('')}${rule('r', 'proc.name in (l0)')}`,
      'longer than 32 MiB',
    ],
    [
      'nested parentheses',
      rule('r', `${'('.repeat(1001)}evt.type=open${')'.repeat(1001)}`),
      'nested 1000 deep',
    ],
  ])('%s: says so at once', (_, text, message) => {
    const result = load(text)
    expect(result.ok).toBe(false)
    expect(
      diagnosticsOf(result)
        .map((one) => one.message)
        .join(),
    ).toContain(message)
  })

  it('loads in seconds where it is only large', { timeout: 120_000 }, () => {
    const count = long ? 1_000_000 : 50_000
    const items = Array.from({ length: count }, (_, i) => `x${i}`).join(', ')
    expect(load(`- list: l\n  items: [${items}]\n${rule('r', 'proc.name in (l)')}`).ok).toBe(true)
    const many = Array.from({ length: long ? 60_000 : 2000 }, (_, i) =>
      rule(`r${i}`, `evt.type=open and fd.name startswith /x${i}`),
    )
    expect(load(many.join('')).ruleSet.rules.length).toBe(many.length)
  })

  it('reaches no prototype', () => {
    const text = `- list: __proto__\n  items: [a]\n- macro: constructor\n  condition: evt.type=open\n- rule: toString\n${rule('x', 'constructor').split('\n').slice(1).join('\n')}  __proto__: {enabled: false}\n`
    const { rules } = load(text).ruleSet
    expect(rules.map(({ name, enabled }) => [name, enabled])).toEqual([['toString', true]])
    expect(({} as Record<string, unknown>)['enabled']).toBeUndefined()
    expect(load(rule('x', '__proto__')).ok).toBe(false)
    expect(load(rule('x', 'proc.constructor = x')).ok).toBe(false)
  })
})
