import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { alertOf, compileRules } from '#engine'
import { fieldMapSource, nearestName, syscallSource } from '#events'
import { type LoadedRule, type RuleTest, readRuleTests } from '#load'
import { testCorrelations } from './correlation-outcomes.ts'
import { type Io, UsageError } from './io.ts'
import { loadRuleFiles, parseRuleOptions, sharedUsage } from './rule-options.ts'
import { showErrors } from './rules-check.ts'
import { shownValue } from './shown-value.ts'
import { formats, isFormat, type Outcome, writeOutcomes } from './test-outcomes.ts'
import { readTrace, TraceError, traceFiles } from './trace-file.ts'

export const usage = `usage: lanner rules test PATH... [OPTION]...

Runs the tests of rules: beside NAME.yaml lies NAME.test.yaml, a sequence of

  - rule: NAME OF THE RULE
    tests:
      - name: what happens
        fires: { evt.type: openat, fd.name: /etc/shadow }
        output_fields: { fd.name: /etc/shadow }
      - name: what is harmless
        silent: { evt.type: openat, fd.name: /etc/hosts }
      - name: a recorded attack
        trace: attack.trace
        rules: [NAME OF THE RULE]

A trace lies beside the test file; of the rules in NAME.yaml, those that are listed must fire on it and
no others. Every rule needs one test that fires and one that is silent. Exits with 1 when anything
fails.

Beside NAME.correlation.yaml lies NAME.correlation.test.yaml, a sequence of

  - correlation: NAME OF THE CORRELATION
    tests:
      - name: what happens
        events:
          - { at: 0s, evt.type: openat, fd.name: /etc/shadow, lanner.node: a }
          - { at: 10s, times: 20, every: 1s, evt.type: connect, fd.sip: '203.0.113.{n}' }
        expect: [{ correlation: NAME OF THE CORRELATION, count: 1 }]

Events arrive in the order of the list and go through all rules; correlations of the file that are
not expected must stay silent.

  --format FORMAT           text (default: what failed), table, junit or tap
${sharedUsage}`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const {
    rules: options,
    positionals,
    values,
  } = parseRuleOptions(args, {
    format: { type: 'string' },
  })
  const format = values.format ?? 'text'
  if (!isFormat(format)) {
    throw new UsageError(`--format is one of ${formats.join(', ')}, not "${format}"`)
  }
  const loaded = loadRuleFiles(options, positionals)
  showErrors(loaded, io)
  if (loaded.files.length === 0) return 2
  if (!loaded.ok) return 1
  const { rules } = loaded.ruleSet
  const outcomes = loaded.files.flatMap(({ file }) => testFile(file.name, rules))
  for (const { file } of loaded.correlations.files) {
    outcomes.push(...(await testCorrelations(file.name, loaded.correlations.correlations, rules)))
  }
  const failed = outcomes.filter(({ failure }) => failure !== undefined)
  if (options.json) {
    io.out(`${JSON.stringify({ successful: failed.length === 0, tests: outcomes })}\n`)
  } else writeOutcomes(format, outcomes, io)
  return failed.length === 0 ? 0 : 1
}

/** The outcomes for the rules of one file. */
function testFile(path: string, rules: readonly LoadedRule[]): Outcome[] {
  const own = rules.filter(({ at }) => at.file === path)
  if (own.length === 0) return []
  const testPath = path.replace(/(\.ya?ml)$/, '.test$1')
  if (!existsSync(testPath)) {
    return own.map(({ name, at }) => ({
      file: path,
      line: at.line,
      rule: name,
      test: '',
      failure: `the rule has no tests: ${testPath} is missing`,
    }))
  }
  const { groups, problems } = readRuleTests({
    name: testPath,
    text: readFileSync(testPath, 'utf8'),
  })
  const outcomes: Outcome[] = problems.map(({ message, at }) => ({
    file: testPath,
    line: at.line,
    rule: '',
    test: '',
    failure: message,
  }))
  for (const { rule: name, tests, at } of groups) {
    const rule = own.find((candidate) => candidate.name === name)
    const outcome = (line: number, test: string, failure: string | undefined): Outcome => ({
      file: testPath,
      line,
      rule: name,
      test,
      ...(failure !== undefined && { failure }),
    })
    if (rule === undefined) {
      const nearest = nearestName(
        name,
        own.map((candidate) => candidate.name),
      )
      const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`
      outcomes.push(outcome(at.line, '', `${path} has no such rule${hint}`))
      continue
    }
    for (const test of tests) {
      const failure =
        test.trace === undefined
          ? failureOf(rule, test)
          : traceFailure(resolve(dirname(testPath), test.trace), own, test)
      outcomes.push(outcome(test.at.line, test.name, failure))
    }
  }
  return [...outcomes, ...untested(own, groups, testPath)]
}

function untested(
  own: readonly LoadedRule[],
  groups: ReturnType<typeof readRuleTests>['groups'],
  file: string,
): Outcome[] {
  return own.flatMap(({ name }): Outcome[] => {
    const tests = groups.filter(({ rule }) => rule === name).flatMap((group) => group.tests)
    const missing = [
      ...(tests.some(({ fires }) => fires) ? [] : ['one that fires']),
      ...(tests.some(({ fires }) => !fires) ? [] : ['one that is silent']),
    ]
    if (missing.length === 0) return []
    const failure = `a test is missing: ${missing.join(' and ')}`
    return [{ file, line: 1, rule: name, test: '', failure }]
  })
}

/** Why a test on a trace fails; all rules of the file are tried, enabled or not. */
function traceFailure(
  path: string,
  own: readonly LoadedRule[],
  { rules: wanted = [] }: RuleTest,
): string | undefined {
  const unknown = wanted.find((name) => !own.some((rule) => rule.name === name))
  if (unknown !== undefined) return `the rules file has no rule "${unknown}"`
  const enabled = own.map((rule) => ({ ...rule, enabled: true }))
  const program = compileRules(enabled, syscallSource, { matching: 'all' })
  const fired = new Set<string>()
  const errors: string[] = []
  try {
    for (const file of traceFiles(path)) {
      for (const batch of readTrace(file, ({ message }) => errors.push(message))) {
        for (const event of batch.events) {
          for (const { name } of program.evaluate(event)) fired.add(name)
        }
      }
    }
  } catch (error) {
    if (!(error instanceof TraceError) && !(error instanceof Error && 'syscall' in error))
      throw error
    errors.push(error.message)
  }
  const wrong = [
    ...errors,
    ...wanted
      .filter((name) => !fired.has(name))
      .map((name) => `"${name}" should fire, but is silent`),
    ...[...fired]
      .filter((name) => !wanted.includes(name))
      .map((name) => `"${name}" should be silent, but fires`),
  ]
  return wrong.length === 0 ? undefined : wrong.join('; ')
}

/** Why a test fails; `undefined` when it passes. The rule is tried alone, enabled or not. */
function failureOf(rule: LoadedRule, test: RuleTest): string | undefined {
  const program = compileRules([{ ...rule, enabled: true }], fieldMapSource, { matching: 'all' })
  const event = test.event!
  const fired = program.evaluate(event).length > 0
  if (fired !== test.fires) {
    return test.fires
      ? 'the rule should fire, but is silent'
      : 'the rule should be silent, but fires'
  }
  if (!fired) return undefined
  const alert = alertOf(rule, event, fieldMapSource, { hostname: '' })
  const wrong = [...test.outputFields].flatMap(([field, wanted]) => {
    const value = alert.output_fields[field]
    if (value === undefined) return [`the output has no field ${field}`]
    const given = shownValue(value)
    return given === wanted ? [] : [`${field} is ${given}, not ${wanted}`]
  })
  return wrong.length === 0 ? undefined : wrong.join('; ')
}
