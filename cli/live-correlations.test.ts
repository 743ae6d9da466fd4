import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { compileRules } from '#engine'
import { syscallSource } from '#events'
import { loadRules, readCorrelations, readRuleFiles } from '#load'
import { firingAlert, firingText } from './firing-alert.ts'
import { LiveCorrelations, selectCorrelations } from './live-correlations.ts'
import { readTrace, traceFiles } from './trace-file.ts'

const recorded = fileURLToPath(new URL('./recorded/attack.trace', import.meta.url))
const library = fileURLToPath(new URL('../rules/library', import.meta.url))
const origin = { cluster: 'c', node: 'n', boot: 'b', run: '1' }

const text = `
- correlation: Attack
  desc: d
  type: event_count
  rules: [tag=maturity_stable]
  group-by: [lanner.node]
  timespan: 1h
  condition: { gte: 3 }
  generate: false
  output: "%correlation.count on %lanner.node"
  priority: CRITICAL
  tags: [x]
`

/** Runs a correlation over what the rules of the library find in the recorded attack. */
async function replayed(selections: Parameters<typeof selectCorrelations>[1] = []) {
  const { ruleSet } = loadRules(readRuleFiles([library]).files)
  const file = { name: 'a.correlation.yaml', text }
  const loaded = readCorrelations([file], ruleSet).correlations
  const firings: ReturnType<typeof firingAlert>[] = []
  const texts: string[] = []
  const live = new LiveCorrelations({
    correlations: selectCorrelations(loaded, selections, 7),
    rules: ruleSet.rules,
    origin: () => origin,
    onFiring: (firing) => {
      firings.push(firingAlert(firing, origin, 'a.md'))
      texts.push(firingText(firing, (shown) => shown))
    },
    onError: (error) => {
      throw error
    },
  })
  const program = compileRules(ruleSet.rules, syscallSource, { matching: 'all' })
  let hidden = 0
  for (const trace of traceFiles(recorded)) {
    for (const batch of readTrace(trace, () => {})) {
      for (const event of batch.events) {
        for (const rule of program.evaluate(event)) {
          if (!live.shows(rule)) hidden += 1
          live.note(rule, event)
        }
      }
    }
  }
  await live.settle()
  return { firings, texts, hidden }
}

it('a firing is an alert under Falco’s keys, its parts hidden where it says so', async () => {
  expect(readFileSync(recorded).length).toBeGreaterThan(0)
  const { firings, texts, hidden } = await replayed()
  expect(hidden).toBeGreaterThanOrEqual(3)
  expect(firings).toHaveLength(1)
  expect(firings[0]).toMatchObject({
    hostname: 'n',
    rule: 'Attack',
    source: 'correlation',
    priority: 'Critical',
    tags: ['x'],
    output: expect.stringMatching(/^\d\d:\d\d:\d\d\.\d{9}: Critical \d+ on n$/),
    output_fields: { 'lanner.node': 'n', 'correlation.count': expect.any(Number) },
    lanner: {
      node: 'n',
      cluster: 'c',
      runbook: 'a.md',
      correlation: { members: expect.any(Array) },
    },
  })
  const { lanner, output_fields: fields } = firings[0]!
  const { id, correlation } = lanner
  expect(id).toMatch(/^[0-9a-f]{64}$/)
  expect(fields).toHaveProperty(['correlation.count'], correlation.members.length)
  expect(texts[0]).toMatch(/Critical +Attack +\d+ detections\n +\d+ on n\n$/)
})

it('a firing has the same id when the same is seen again', async () => {
  const ids = async () => (await replayed()).firings.map(({ lanner }) => lanner.id)
  expect(await ids()).toEqual(await ids())
})

it('a correlation that is disabled by name or tag hides nothing and does not fire', async () => {
  for (const by of [{ rule: 'Att*' }, { tag: 'x' }]) {
    expect(await replayed([{ enable: false, by }])).toMatchObject({ firings: [], hidden: 0 })
  }
})
