import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runLanner } from '#testing/run-lanner.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lanner-cli-'))
  write('rules.yaml', rules)
  write(
    'rules.test.yaml',
    `- rule: Open
  tests:
    - { name: an open, fires: { evt.type: openat } }
    - { name: none, silent: { evt.type: connect } }
`,
  )
})
afterEach(() => rmSync(directory, { recursive: true }))

function write(name: string, text: string): void {
  writeFileSync(join(directory, name), text)
}

async function lanner(...args: string[]) {
  const { code, out, err } = await runLanner(...args)
  return { code, out, err: err.replaceAll(`${directory}/`, '') }
}

const rules = `- rule: Open
  desc: d
  condition: evt.type = openat
  output: o
  priority: INFO
`

const many = `- correlation: Many
  desc: d
  type: event_count
  rules: [Open]
  group-by: [proc.name, lanner.node]
  timespan: 10s
  lateness: 1m
  condition: { gte: 3 }
  output: "%correlation.count by %proc.name"
  priority: WARNING
`

function test(events: string, expect: string): string {
  return `    - name: a case\n      events: ${events}\n      expect: ${expect}\n`
}

const open = (at: string, more = '') => `{ at: ${at}, evt.type: openat, proc.name: cat${more} }`
const once = '[{ correlation: Many, count: 1 }]'
const fires = test(`[{ at: 0s, times: 3, every: 5s, evt.type: openat, proc.name: cat }]`, once)
const silent = test(`[${open('0s')}]`, '[]')

describe('rules check', () => {
  it('reads correlations after the rules, and counts them', async () => {
    write('a.correlation.yaml', many)
    const { code, out, err } = await lanner('rules', 'check', directory)
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('1 rule (1 enabled, 0 inactive), 0 macros, 0 lists, 1 correlation: 0 err')
  })

  it('shows where a correlation is wrong', async () => {
    write('a.correlation.yaml', many.replace('[Open]', '[Opem]'))
    const { code, err } = await lanner('rules', 'check', directory)
    expect(code).toBe(1)
    expect(err).toContain(
      'a.correlation.yaml:4:11: error: there is no rule "Opem"; did you mean "Open"?',
    )
    expect(err).toContain('4 |   rules: [Opem]\n  |           ^^^^')
  })

  it('leaves what Falco says as it is, for machines', async () => {
    write('a.correlation.yaml', many.replace('gte', 'gtee'))
    const { code, out } = await lanner('rules', 'check', '--json', directory)
    const result = JSON.parse(out)
    expect(code).toBe(1)
    expect(result.falco_load_results).toMatchObject([{ successful: true }])
    expect(result.correlation_load_results).toMatchObject([
      { successful: false, errors: [{ code: 'LOAD_ERR_YAML_VALIDATE' }, {}] },
    ])
  })
})

describe('rules test', () => {
  const run = async (...tests: string[]) => {
    write('a.correlation.yaml', many)
    write('a.correlation.test.yaml', `- correlation: Many\n  tests:\n${tests.join('')}`)
    return lanner('rules', 'test', directory)
  }

  it('sends events over time through rules and correlations', async () => {
    expect(await run(fires, silent)).toMatchObject({ code: 0, out: 'ok: 4 passed, 0 failed\n' })
  })

  it.each([
    ['a late event counts', `[${open('70s')}, ${open('71s')}, ${open('69s')}]`, once],
    ['a too late event does not', `[${open('70s')}, ${open('71s')}, ${open('9s')}]`, '[]'],
    [
      'nodes are apart',
      `[${open('0s', ', lanner.node: a')}, ${open('1s', ', lanner.node: b')}, ${open('2s')}]`,
      '[]',
    ],
    [
      'it fires again after it fell quiet',
      `[{ at: 0s, times: 3, ${open('0s').slice(9)}, { at: 1h, times: 3, ${open('0s').slice(9)}]`,
      '[{ correlation: Many, count: 2 }]',
    ],
    [
      'the output is looked at',
      `[{ at: 0s, times: 3, evt.type: openat, proc.name: cat }]`,
      '[{ correlation: Many, output_fields: { correlation.count: 3, lanner.node: "" } }]',
    ],
  ])('passes when %s', async (_, events, expected) => {
    expect((await run(fires, silent, test(events, expected))).err).toBe('')
  })

  it.each([
    [test(`[${open('0s')}]`, once), '"Many" should fire once, not 0: "Open" matches once'],
    [
      test('[{ at: 0s, times: 3, evt.type: connect, proc.name: cat }]', once),
      '"Many" should fire once, not 0: none of its rules matches an event ("lanner eval --why"',
    ],
    [
      test('[{ at: 0s, times: 3, evt.type: openat }]', once),
      '"Many" should fire once, not 0: its detections lack a field of group-by, or the one',
    ],
    [fires.replace(once, '[]'), '"Many" should fire 0 times, not 1'],
    [
      fires.replace('count: 1', 'output_fields: { correlation.count: 4 }'),
      'correlation.count is 3, not 4',
    ],
    [fires.replace('count: 1', 'output_fields: { x: 4 }'), 'the output has no field x'],
    [fires.replace('correlation: Many', 'correlation: Manny'), 'did you mean "Many"?'],
    [fires.replace('at: 0s', 'at: 0'), 'at is a duration like 10s or 5m'],
    [fires.replace('at: 0s', 'on: 0s'), 'on: no such field'],
    [
      fires.replace('name: a case', 'nam: a case'),
      'there is no key "nam" here; did you mean name?',
    ],
    [test('no', '[]'), 'events, a sequence, is expected'],
  ])('says why %j fails', async (failing, why) => {
    const { code, err } = await run(fires, silent, failing)
    expect(code).toBe(1)
    expect(err).toContain(why)
  })

  it('does not take a case that it cannot read for a missing one', async () => {
    const { err } = await run(fires.replace('at: 0s', 'at: 0'), silent)
    expect(err).toContain('at is a duration like 10s or 5m')
    expect(err).not.toContain('a test is missing')
  })

  it('wants a case of each kind, and a test file', async () => {
    expect((await run(fires)).err).toContain('a test is missing: one in which it is silent')
    rmSync(join(directory, 'a.correlation.test.yaml'))
    const { code, err } = await lanner('rules', 'test', directory)
    expect(code).toBe(1)
    expect(err).toContain('the correlation has no tests: a.correlation.test.yaml is missing')
  })
})
