import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fitsPattern, type Matched, responsesTo } from './match-response.ts'
import { readResponses } from './read-responses.ts'

const detection: Matched = {
  rule: 'Shell',
  priority: 'Critical',
  tags: ['container', 'T1059'],
  source: 'syscall',
  output_fields: { 'k8s.ns.name': 'shop', 'proc.pid': 7, 'proc.name': 'a,b=c' },
}

const answers = (match: string) => {
  const text = `
- rule: r
  match: ${match}
  actions: [{action: a, actionner: kubernetes:cordon}]
`
  const { ok, policy } = readResponses([{ name: 'r.yaml', text }])
  expect(ok).toBe(true)
  return responsesTo(policy, detection).length === 1
}

describe('a match', () => {
  it.each([
    ['{}', true],
    ['{rules: [Shell, Other]}', true],
    ['{rules: [shell]}', false],
    ['{priority: Critical}', true],
    ['{priority: ">=Warning"}', true],
    ['{priority: ">Critical"}', false],
    ['{priority: ">Error"}', true],
    ['{priority: "<Critical"}', false],
    ['{priority: "<= Alert"}', true],
    ['{tags: ["container,T1059"]}', true],
    ['{tags: ["container, T1"]}', false],
    ['{tags: ["nope", "T1059"]}', true],
    ['{output_fields: ["k8s.ns.name=shop"]}', true],
    ['{output_fields: ["k8s.ns.name!=shop"]}', false],
    ['{output_fields: ["k8s.ns.name!=a, k8s.ns.name!=b"]}', true],
    ['{output_fields: ["k8s.ns.name=a", "proc.pid=7"]}', true],
    ['{output_fields: ["no.field=x"]}', false],
    ['{output_fields: ["no.field!=x"]}', true],
    ['{output_fields: ["constructor=x"]}', false],
    ['{source: k8s_audit}', false],
  ])('%s holds: %s', (match, holds) => expect(answers(match)).toBe(holds))

  it('ends the search where a rule says so', () => {
    const of = (name: string, goesOn: boolean) => `
- rule: ${name}
  continue: ${goesOn}
  match: {rules: [Shell]}
  actions: [{action: a, actionner: kubernetes:cordon}]
`
    const { policy } = readResponses([
      { name: 'r.yaml', text: of('a', true) + of('b', false) + of('c', true) },
    ])
    expect(responsesTo(policy, detection).map(({ name }) => name)).toEqual(['a', 'b'])
  })
})

describe('a pattern', () => {
  it('is as a regular expression with .* for each star', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*', '.'), maxLength: 8 })
    fc.assert(
      fc.property(text, text, (pattern, subject) => {
        const regex = pattern
          .split('*')
          .map((part) => part.replaceAll('.', '\\.'))
          .join('.*')
        expect(fitsPattern(pattern, subject)).toBe(new RegExp(`^${regex}$`, 's').test(subject))
      }),
    )
  })
})
