import { existsSync, readFileSync } from 'node:fs'
import {
  CorrelationRunner,
  compileCorrelations,
  type Firing,
  formatFiring,
  labelOf,
  matches,
} from '#correlate'
import { compileRules, type Rule } from '#engine'
import { fieldMapSource, nearestName } from '#events'
import {
  type CorrelationTest,
  type LoadedCorrelation,
  type LoadedRule,
  readCorrelationTests,
} from '#load'
import { sha256 } from './sha256.ts'
import { shownValue } from './shown-value.ts'
import { MemoryStore } from './store/memory-store.ts'
import type { Outcome } from './test-outcomes.ts'

/** The outcomes for the correlations of one file, over all rules. */
export async function testCorrelations(
  path: string,
  all: readonly LoadedCorrelation[],
  rules: readonly LoadedRule[],
): Promise<Outcome[]> {
  const own = all.filter(({ at }) => at.file === path)
  if (own.length === 0) return []
  const testPath = path.replace(/(\.ya?ml)$/, '.test$1')
  if (!existsSync(testPath)) {
    const failure = `the correlation has no tests: ${testPath} is missing`
    return own.map(({ name, at }) => ({ file: path, line: at.line, rule: name, test: '', failure }))
  }
  const text = readFileSync(testPath, 'utf8')
  const { groups, problems } = readCorrelationTests({ name: testPath, text })
  const outcome = (line: number, rule: string, test: string, failure?: string): Outcome => ({
    ...{ file: testPath, line, rule, test },
    ...(failure !== undefined && { failure }),
  })
  const names = own.map(({ name }) => name)
  const outcomes = problems.map(({ message, at }) => outcome(at.line, '', '', message))
  for (const { correlation: name, tests, at } of groups) {
    const missing = unknownName(name, names, path)
    if (missing !== undefined) outcomes.push(outcome(at.line, name, '', missing))
    for (const test of missing === undefined ? tests : []) {
      const wrong = test.expect.flatMap((each) => unknownName(each.correlation, names, path) ?? [])
      const failures = wrong.length > 0 ? wrong : await failuresOf(test, own, rules)
      const failure = failures.length === 0 ? undefined : failures.join('; ')
      outcomes.push(outcome(test.at.line, name, test.name, failure))
    }
  }
  for (const name of names) {
    const tests = groups.flatMap((each) => (each.correlation === name ? each.tests : []))
    const fires = tests.map(({ expect }) =>
      expect.some(({ correlation, count }) => correlation === name && count > 0),
    )
    const missing = [
      ...(fires.includes(true) ? [] : ['one in which it fires']),
      ...(fires.includes(false) ? [] : ['one in which it is silent']),
    ].join(' and ')
    // a test that cannot be read is not missing
    if (missing !== '' && problems.length === 0)
      outcomes.push(outcome(1, name, '', `a test is missing: ${missing}`))
  }
  return outcomes
}

function unknownName(name: string, names: readonly string[], path: string): string | undefined {
  if (names.includes(name)) return undefined
  const nearest = nearestName(name, names)
  const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`
  return `${path} has no correlation "${name}"${hint}`
}

/** When tests begin: late enough for any history before. */
const epoch = 1_700_000_000_000_000_000n

/** Evaluates the events one by one as they arrive, each a batch of its own. */
async function failuresOf(
  { events, expect }: CorrelationTest,
  correlations: readonly LoadedCorrelation[],
  rules: readonly LoadedRule[],
): Promise<string[]> {
  const plan = compileCorrelations(correlations, rules, fieldMapSource, sha256)
  const watched = rules.filter(({ name }) => plan.watched.has(name))
  const enabled = watched.map((rule) => ({ ...rule, enabled: true }))
  const program = compileRules(enabled, fieldMapSource, { matching: 'all' })
  let now = 0
  const runner = new CorrelationRunner({
    ...{ store: new MemoryStore(), sha256, now: () => now },
    ...{ random: () => 0, pause: async () => {} },
  })
  const firings = new Map<string, Firing>()
  const matched: Rule[] = []
  const counting = new Set<string>()
  for (const [i, { at, cluster, node, event }] of events.entries()) {
    const time = epoch + at
    now = Math.max(now, Number(time / 1_000_000_000n))
    const timed = { ...event, 'evt.time': time }
    const contributions = program.evaluate(timed).flatMap((rule) => {
      const id = sha256(JSON.stringify([i, rule.name]))
      matched.push(rule)
      return plan.contributions(rule, timed, { id, cluster, node })
    })
    for (const { correlation } of contributions) counting.add(correlation.name)
    for (const firing of (await runner.take(contributions)).firings) firings.set(firing.id, firing)
  }
  return correlations.flatMap((correlation) => {
    const { name } = correlation
    const fired = [...firings.values()].filter(({ correlation: { name: by } }) => by === name)
    const expected = expect.filter(({ correlation }) => correlation === name)
    const count = expected.reduce((sum, each) => sum + each.count, 0)
    if (fired.length !== count) {
      const what = `"${name}" should fire ${times(count)}, not ${fired.length}`
      return [fired.length > count ? what : `${what}: ${heardBy(correlation, matched, counting)}`]
    }
    return expected.flatMap(({ outputFields }) => wrongFields(fired[0], outputFields))
  })
}

/** How far the events of a test came, for those who wonder why a correlation is silent. */
function heardBy(
  { name, parts }: LoadedCorrelation,
  matched: readonly Rule[],
  counting: ReadonlySet<string>,
): string {
  const found = parts.map((part) => matched.filter((rule) => matches(part, rule)).length)
  if (found.every((number) => number === 0)) {
    return 'none of its rules matches an event ("lanner eval --why" shows what decides)'
  }
  if (!counting.has(name)) return 'its detections lack a field of group-by, or the one it looks at'
  return parts.map((part, i) => `"${labelOf(part)}" matches ${times(found[i]!)}`).join(', ')
}

function times(number: number): string {
  return number === 1 ? 'once' : `${number} times`
}

function wrongFields(
  firing: Firing | undefined,
  wanted: ReadonlyMap<string, string | null>,
): string[] {
  const fields = firing === undefined ? {} : formatFiring(firing).fields
  return [...wanted].flatMap(([field, text]) => {
    const value = fields[field]
    if (value === undefined) return [`the output has no field ${field}`]
    const given = shownValue(value)
    return given === text ? [] : [`${field} is ${given}, not ${text}`]
  })
}
