import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadRules } from './load-rules.ts'
import { readCorrelations } from './read-correlations.ts'

const { ruleSet } = loadRules([
  {
    name: 'rules.yaml',
    text: `
- rule: Read
  desc: d
  condition: evt.type = openat
  output: o
  priority: INFO
  tags: [T1552, host]
- rule: Connect
  desc: d
  condition: evt.type = connect
  output: o
  priority: INFO
- rule: Off
  desc: d
  condition: evt.type = connect
  output: o
  priority: INFO
  enabled: false
`,
  },
])

const base: Readonly<Record<string, string>> = {
  desc: 'd',
  type: 'event_count',
  rules: '[Read]',
  'group-by': '[user.name, lanner.cluster]',
  timespan: '60s',
  condition: '{gte: 3}',
  output: 'o',
  priority: 'WARNING',
}

/** A correlation with some keys changed or, with `undefined`, left out. */
function text(changes: Readonly<Record<string, string | undefined>> = {}, name = 'Many'): string {
  const keys = Object.entries({ ...base, ...changes })
  const lines = keys.flatMap(([key, value]) => (value === undefined ? [] : [`  ${key}: ${value}`]))
  return `- correlation: ${name}\n${lines.join('\n')}\n`
}

function load(text: string) {
  return readCorrelations([{ name: 'a.correlation.yaml', text }], ruleSet)
}

function mistakes(changes: Readonly<Record<string, string | undefined>>): string[] {
  const { diagnostics } = load(text(changes)).files[0]!
  return diagnostics.map(({ at, message }) => `${at.line}:${at.column} ${message}`)
}

const temporal = { type: 'temporal', condition: undefined, rules: '[Read, Connect]' }
const terms = { type: 'new_terms', condition: undefined, timespan: undefined, field: 'proc.name' }

describe('a correlation', () => {
  it('is read with its defaults', () => {
    const { ok, correlations } = load(text())
    expect(ok).toBe(true)
    expect(correlations).toMatchObject([
      {
        name: 'Many',
        type: 'event_count',
        parts: [{ rule: 'Read' }],
        groupBy: ['user.name', 'lanner.cluster'],
        timespan: 60_000_000_000n,
        lateness: 120_000_000_000n,
        conditions: [{ operator: 'gte', bound: 3 }],
        generate: true,
        priority: 4,
        at: { line: 1, column: 16 },
      },
    ])
  })

  it.each([
    [
      { ...temporal, generate: 'false' },
      { generate: false, conditions: [] },
    ],
    [
      { ...temporal, type: 'temporal_ordered', rules: '[tag=T1552, Connect]' },
      { parts: [{ tag: 'T1552' }, { rule: 'Connect' }] },
    ],
    [{ type: 'value_count', condition: '{field: fd.sip, gt: 19, lt: 50}' }, { field: 'fd.sip' }],
    [terms, { history: 14n * 86_400_000_000_000n, learning: 0n }],
    [{ ...terms, history: '2w', learning: '1d' }, { learning: 86_400_000_000_000n }],
    [
      { output: 'n=%correlation.count of %user.name.' },
      {
        output: {
          parts: ['n=', { field: 'correlation.count' }, ' of ', { field: 'user.name' }, '.'],
        },
      },
    ],
    [
      { lateness: '0s', 'group-by': undefined },
      { lateness: 0n, groupBy: [] },
    ],
  ])('may be %j', (changes, wanted) => {
    const { files, correlations } = load(text(changes))
    expect(files[0]!.diagnostics).toEqual([])
    expect(correlations).toMatchObject([wanted])
  })

  it.each([
    [{ timspan: '1s' }, ['10:3 there is no key "timspan" here; did you mean "timespan"?']],
    [
      { type: 'value-count' },
      ['3:9 there is no correlation type "value-count"; did you mean "value_count"?'],
    ],
    [{ rules: '[Raed]' }, ['4:11 there is no rule "Raed"; did you mean "Read"?']],
    [{ rules: '[tag=T1553]' }, ['4:11 no rule has the tag "T1553"; did you mean "T1552"?']],
    [{ rules: '[Off]' }, ['4:11 "Off" is disabled: it never takes part']],
    [{ rules: '[]' }, ['4:10 rules must not be empty']],
    [{ rules: undefined }, ['1:3 rules is missing']],
    [{ rules: '[Read, Read]' }, ['4:17 "Read" is given twice']],
    [{ 'group-by': '[user.nme]' }, ['5:14 user.nme: no such field; did you mean user.name?']],
    [
      { 'group-by': '[lanner.clutser]' },
      ['5:14 lanner.clutser: no such field; did you mean lanner.cluster?'],
    ],
    [{ timespan: '60' }, ['6:13 timespan is a duration like 60s, 5m or 14d, not "60"']],
    [{ timespan: '0s' }, ['6:13 timespan must be longer than nothing']],
    [{ timespan: '31d' }, ['6:13 timespan is at most 30d, not 31d']],
    [{ condition: undefined }, ['1:3 condition is missing: a map like {gte: 20}']],
    [{ condition: '3' }, ['7:14 condition must be a map like {gte: 20}']],
    [{ condition: '{}' }, ['7:14 the condition compares nothing: gte, gt, lte, lt, eq']],
    [{ condition: '{gte: 501}' }, ['7:20 gte is at most 500']],
    [{ condition: '{lt: 1}' }, ['7:14 the condition can never hold']],
    [{ condition: '{gte: 3, field: fd.sip}' }, ['7:23 there is no key "field" here']],
    [{ type: 'value_count' }, ['7:14 field is missing']],
    [
      { type: 'value_count', condition: undefined },
      ['1:3 condition is missing: a map like {field: fd.sip, gte: 20}'],
    ],
    [
      { type: 'value_count', condition: '{field: user.name, gte: 3}' },
      ['7:22 user.name is in group-by: a group has only one value of it'],
    ],
    [
      { 'group-by': '[k8s.svc.name]' },
      ['5:14 k8s.svc.name has no value here: the correlation never fires'],
    ],
    [{ ...temporal, condition: '{gte: 2}' }, ['7:3 condition does not go with temporal']],
    [{ ...temporal, rules: '[Read]' }, ['4:10 temporal needs two rules or tags at least']],
    [{ ...terms, timespan: '1m' }, ['6:3 timespan does not go with new_terms']],
    [
      { output: 'a %user.nam' },
      [
        '8:13 %user.nam: neither a field of group-by nor of the correlation; did you mean %user.name?',
      ],
    ],
    [{ output: 'a 5%' }, ['8:14 % begins a field; there is no way to write a percent sign']],
    [{ priority: 'HIGH' }, [expect.stringMatching(/^9:13 there is no priority "HIGH": one of/)]],
    [{ generate: 'maybe' }, ['10:13 generate must be true or false, not "maybe"']],
  ])('with %j has its mistake shown', (changes, wanted) => {
    expect(mistakes(changes)).toEqual(wanted)
  })

  it('names no other, wherever that is', () => {
    const { files } = load(text({ rules: '[Later]' }) + text({}, 'Later'))
    expect(files[0]!.diagnostics.map(({ message }) => message)).toEqual([
      '"Later" is a correlation: only rules can be named here',
    ])
  })

  it('shares its name with no other and no rule', () => {
    const { files } = load(text() + text({}, 'Many') + text({}, 'Read'))
    expect(files[0]!.diagnostics.map(({ message }) => message)).toEqual([
      'there is another correlation "Many"',
      'there is a rule "Read": alerts of the two could not be told apart',
    ])
  })
})

it('a file of any text is read or refused, never a crash', () => {
  const pieces = fc.constantFrom(
    ...Object.keys(base),
    ':',
    ' ',
    '\n',
    '- ',
    '[',
    '{',
    '}',
    ']',
    'Read',
    '60s',
    '%',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      const { ok, correlations } = load(parts.join(''))
      if (ok) expect(correlations.length).toBe(0)
    }),
  )
})
