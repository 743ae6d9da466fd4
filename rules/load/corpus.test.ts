import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compileRules, interpret, parseCondition, printCondition } from '#engine'
import { eventTypes, fieldMapSource } from '#events'
import { readRuleFiles } from './files.ts'
import { formatDiagnostic } from './format.ts'
import { loadRules } from './load-rules.ts'

const corpus = join(
  process.env['LANNER_CORPUS'] ?? join(import.meta.dirname, '../../../shared/corpus'),
  'falco',
)
const official = ['falco_rules', 'falco-incubating_rules', 'falco-sandbox_rules'].map((name) =>
  join(corpus, `${name}.yaml`),
)

function load(paths: readonly string[]) {
  const { files, problems } = readRuleFiles(paths)
  expect(problems).toEqual([])
  const result = loadRules(files)
  expect(result.files.flatMap((file) => file.diagnostics.map(formatDiagnostic))).toEqual([])
  return result.ruleSet
}

describe.skipIf(!existsSync(corpus))('the official rules of Falco (in LANNER_CORPUS)', () => {
  it('load unchanged and without a warning, the stable ones alone', () => {
    const { rules, macros, lists } = load(official.slice(0, 1))
    expect([rules.length, macros.length, lists.length]).toEqual([25, 87, 49])
  })

  it('load unchanged and without a warning, all three in order', () => {
    const { rules, macros, lists } = load(official)
    expect([rules.length, macros.length, lists.length]).toEqual([93, 315, 118])
    expect(rules.filter(({ enabled }) => enabled).length).toBe(81)
  })

  it('print and parse again to the same conditions', () => {
    for (const { condition } of load(official).rules) {
      const printed = printCondition(condition)
      const parsed = parseCondition(printed)
      expect('expr' in parsed && printCondition(parsed.expr)).toBe(printed)
    }
  })

  it('match the same events compiled and interpreted', () => {
    const { rules } = load(official)
    const program = compileRules(rules, fieldMapSource, { matching: 'all' })
    const details = [
      { 'proc.name': 'bash', 'fd.name': '/etc/shadow', 'fd.num': 3, 'fd.typechar': 'f' },
      { 'proc.name': 'curl', 'container.id': '3ad7b26ded6d', 'fd.name': '/dev/shm/x' },
      { 'evt.is_open_read': true, 'fd.num': 3, 'fd.typechar': 'f', 'fd.name': '/etc/shadow' },
      { 'evt.is_open_write': true, 'fd.num': 3, 'fd.typechar': 'f', 'fd.name': '/bin/ls' },
    ]
    let matches = 0
    for (const { name } of eventTypes.slice(0, 120)) {
      for (const detail of details) {
        const event = { 'evt.type': name, 'evt.rawres': 0, 'evt.res': 'SUCCESS', ...detail }
        const expected = rules.filter(
          ({ condition, enabled }) => enabled && interpret(condition, event, fieldMapSource),
        )
        const found = program.evaluate(event)
        expect(found.map((rule) => rule.name)).toEqual(expected.map((rule) => rule.name))
        matches += found.length
      }
    }
    expect(matches).toBeGreaterThan(10)
  })
})
