import { describe, expect, it } from 'vitest'
import { formatDiagnostic } from './format.ts'
import { loadRules } from './load-rules.ts'
import { readSuppressions } from './read-suppressions.ts'

const rules = `- list: packagers
  items: [apt, dnf]
- macro: by_packager
  condition: (proc.name in (packagers))
- rule: Open
  desc: d
  condition: evt.type = openat
  output: o
  priority: INFO
  tags: [T1]
`
const { ruleSet } = loadRules([{ name: 'rules.yaml', text: rules }])

function read(text: string) {
  const result = readSuppressions([{ name: 'a.suppression.yaml', text }], ruleSet, [])
  const messages = result.files.flatMap(({ diagnostics }) => diagnostics.map(formatDiagnostic))
  return { ...result, messages: messages.map((message) => message.split('\n')[0]) }
}

const good = `- suppression: patch day
  owner: platform
  reason: CHG-4711
  until: 2026-12-01T18:00:00Z
`

describe('a suppression file', () => {
  it('names who, why and until when; rules or a condition say of what', () => {
    const { ok, suppressions } = read(`${good}  rules: [Open, tag=T1]\n  condition: by_packager\n`)
    expect(ok).toBe(true)
    expect(suppressions[0]).toMatchObject({
      ...{ name: 'patch day', owner: 'platform', reason: 'CHG-4711' },
      until: BigInt(Date.UTC(2026, 11, 1, 18)) * 1_000_000n,
      parts: [{ rule: 'Open' }, { tag: 'T1' }],
    })
  })

  it('knows the lists of the rules', () => {
    const { suppressions } = read(`${good}  condition: proc.name in (packagers, yum)\n`)
    const texts = JSON.stringify(suppressions[0]!.condition)
    for (const name of ['apt', 'dnf', 'yum']) expect(texts).toContain(`"${name}"`)
    expect(texts).not.toContain('packagers')
  })

  it('is told all its mistakes at once, each with its place', () => {
    const { ok, messages } = read(
      `- suppression: x
  ownr: me
  until: tomorrow
  rules: [Opn]
  condition: proc.nme = a
- suppression: x
  owner: me
  reason: r
  from: 2026-12-02T00:00:00Z
  until: 2026-12-01T00:00:00+01:00
`,
    )
    expect(ok).toBe(false)
    for (const expected of [
      /:2:3: error: there is no key "ownr" here; did you mean "owner"\?/,
      /owner is missing/,
      /reason is missing/,
      /:3:\d+: error: "tomorrow" is no time like/,
      /no rule or correlation is meant by "Opn"; did you mean "Open"\?/,
      /:5:\d+: error: .*proc\.nme.*proc\.name/,
      /there is another suppression "x"/,
      /until lies before from/,
    ]) {
      expect(messages.filter((message) => expected.test(message!))).toHaveLength(1)
    }
  })

  it('cannot cover everything', () => {
    expect(read(good).messages).toEqual([expect.stringContaining('rules or a condition is needed')])
  })
})
