import { existsSync, readFileSync } from 'node:fs'
import { alertOf, compileRules, type JsonValue } from '#engine'
import { fieldMapSource, nearestName } from '#events'
import { type LoadedRule, type RuleTest, readRuleTests } from '#load'
import { type Io, paint } from './io.ts'
import { loadRuleFiles, parseRuleOptions, sharedUsage } from './rule-options.ts'
import { inColor } from './rules-check.ts'

export const usage = `usage: lanner rules test PATH... [OPTION]...

Runs the tests of rules: beside NAME.yaml lies NAME.test.yaml, a sequence of

  - rule: NAME OF THE RULE
    tests:
      - name: what happens
        fires: { evt.type: openat, fd.name: /etc/shadow }
        output_fields: { fd.name: /etc/shadow }
      - name: what is harmless
        silent: { evt.type: openat, fd.name: /etc/hosts }

Every rule needs one test that fires and one that is silent. Exits with 1 when anything fails.

${sharedUsage}`

interface Outcome {
  readonly file: string
  readonly line: number
  readonly rule: string
  readonly test: string
  /** Absent when the test passed. */
  readonly failure?: string
}

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { rules: options, positionals } = parseRuleOptions(args, {})
  const loaded = loadRuleFiles(options, positionals)
  for (const { path, message } of loaded.unreadable) io.err(`error: ${path}: ${message}\n`)
  for (const { diagnostics } of loaded.files) {
    for (const diagnostic of diagnostics) {
      if (diagnostic.severity === 'error') io.err(`${inColor(diagnostic, io)}\n\n`)
    }
  }
  if (loaded.files.length === 0) return 2
  if (!loaded.ok) return 1
  const outcomes = loaded.files.flatMap(({ file }) => testFile(file.name, loaded.ruleSet.rules))
  const failed = outcomes.filter(({ failure }) => failure !== undefined)
  if (options.json) {
    io.out(`${JSON.stringify({ successful: failed.length === 0, tests: outcomes })}\n`)
  } else {
    report(outcomes, failed, io)
  }
  return failed.length === 0 ? 0 : 1
}

function report(outcomes: readonly Outcome[], failed: readonly Outcome[], io: Io): void {
  for (const { file, line, rule, test, failure } of failed) {
    const title = test === '' ? rule : `${rule}: ${test}`
    io.err(`${file}:${line}: ${paint('failed', 'red', io)}: ${title}: ${failure}\n`)
  }
  const passed = outcomes.length - failed.length
  const verdict = failed.length === 0 ? paint('ok', 'green', io) : paint('failed', 'red', io)
  io.out(`${verdict}: ${passed} passed, ${failed.length} failed\n`)
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
      outcomes.push(outcome(test.at.line, test.name, failureOf(rule, test)))
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

/** Why a test fails; `undefined` when it passes. The rule is tried alone, enabled or not. */
function failureOf(rule: LoadedRule, test: RuleTest): string | undefined {
  const program = compileRules([{ ...rule, enabled: true }], fieldMapSource, { matching: 'all' })
  const fired = program.evaluate(test.event).length > 0
  if (fired !== test.fires) {
    return test.fires
      ? 'the rule should fire, but is silent'
      : 'the rule should be silent, but fires'
  }
  if (!fired) return undefined
  const alert = alertOf(rule, test.event, fieldMapSource, { hostname: '' })
  const wrong = [...test.outputFields].flatMap(([field, wanted]) => {
    const value = alert.output_fields[field]
    if (value === undefined) return [`the output has no field ${field}`]
    const given = shown(value)
    return given === wanted ? [] : [`${field} is ${given}, not ${wanted}`]
  })
  return wrong.length === 0 ? undefined : wrong.join('; ')
}

function shown(value: JsonValue): string | null {
  if (value === null) return null
  return Array.isArray(value) ? value.map(shown).join(',') : String(value)
}
