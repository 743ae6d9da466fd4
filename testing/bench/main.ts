/**
 * npm run bench [-- [watch|collector|pipeline] NAME... [--json] [--trial]]: measures, and prints a Markdown report
 * on standard output. `watch` is what `lanner watch` and the engine do, `collector` is `lanner agent`,
 * `pipeline` the functions;
 * without a NAME all of it, without anything both. --trial is for those of the collector.
 */
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { obstacles } from '../../cli/machine.ts'
import { collectorMeasurements, full, trial } from './collector/index.ts'
import { drain } from './drain.ts'
import { engine } from './engine.ts'
import { markdown, type Table } from './figures.ts'
import { idle } from './idle.ts'
import { latency } from './latency.ts'
import { memory } from './memory.ts'
import { pipelineMeasurements } from './pipeline/index.ts'
import { slowDown } from './slow-down.ts'

const flags = ['--json', '--trial']
const given = process.argv.slice(2)
const isJson = given.includes('--json')
const effort = given.includes('--trial') ? trial : full
const words = given.filter((word) => !flags.includes(word))

type Measurements = Readonly<Record<string, () => Promise<Table[]>>>
const suites: Readonly<Record<string, Measurements>> = {
  watch: { 'slow-down': slowDown, drain, latency, idle, memory, engine },
  collector: Object.fromEntries(
    Object.entries(collectorMeasurements).map(([name, measure]) => [name, () => measure(effort)]),
  ),
  pipeline: pipelineMeasurements,
}

/** What the words ask for; exits where there is no such thing. */
function chosen(): (() => Promise<Table[]>)[] {
  const [first = '', ...rest] = words
  if (words.length === 0) return Object.values(suites).flatMap((suite) => Object.values(suite))
  const hasSuite = Object.hasOwn(suites, first)
  const suite = suites[hasSuite ? first : 'watch']!
  const names = hasSuite ? rest : words
  const unknown = names.find((name) => !Object.hasOwn(suite, name))
  if (unknown !== undefined) {
    const known = Object.entries(suites).map(
      ([name, all]) => `\n  ${name} ${Object.keys(all).join(' | ')}`,
    )
    fail(`there is no measurement "${unknown}":${known.join('')}`)
  }
  return (names.length > 0 ? names : Object.keys(suite)).map((name) => suite[name]!)
}

function fail(text: string): never {
  console.error(`bench: ${text}`)
  process.exit(2)
}

function machine(): string {
  const processors = cpus()
  const kernel = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim()
  const model = processors[0]?.model.trim() ?? 'unknown CPU'
  return `${model}, ${processors.length} cores; Linux ${kernel}; Node ${process.versions.node}`
}

const measurements = chosen()
const [obstacle] = obstacles()
if (obstacle !== undefined) fail(`cannot measure here: ${obstacle.name}: ${obstacle.found}`)

const results: Table[] = []
if (!isJson) console.log(`${machine()}\nMedians, least and greatest in brackets.\n`)
for (const measure of measurements) {
  for (const table of await measure()) {
    results.push(table)
    if (!isJson) console.log(markdown(table))
  }
}
if (isJson) console.log(JSON.stringify({ machine: machine(), results }, undefined, 2))
