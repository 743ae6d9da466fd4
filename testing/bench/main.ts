/**
 * npm run bench [-- NAME... [--json]]: measures, and prints a Markdown report on standard output.
 * NAME is a measurement, `collector` (all but the engine) or nothing for all.
 */
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { obstacles } from '../../cli/machine.ts'
import { drain } from './drain.ts'
import { engine } from './engine.ts'
import { markdown, type Table } from './figures.ts'
import { idle } from './idle.ts'
import { latency } from './latency.ts'
import { memory } from './memory.ts'
import { slowDown } from './slow-down.ts'

const measurements: Readonly<Record<string, () => Promise<Table[]>>> = {
  ...{ 'slow-down': slowDown, drain, latency, idle, memory, engine },
}

function machine(): string {
  const processors = cpus()
  const kernel = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim()
  const model = processors[0]?.model.trim() ?? 'unknown CPU'
  return `${model}, ${processors.length} cores; Linux ${kernel}; Node ${process.versions.node}`
}

const words = process.argv.slice(2)
const json = words.includes('--json')
const names = words
  .filter((word) => word !== '--json')
  .flatMap((word) =>
    word === 'collector' ? Object.keys(measurements).filter((name) => name !== 'engine') : [word],
  )
const unknown = names.find((name) => !Object.hasOwn(measurements, name))
const [obstacle] = obstacles()
if (unknown !== undefined || obstacle !== undefined) {
  console.error(
    unknown !== undefined
      ? `bench: there is no measurement "${unknown}": ${Object.keys(measurements).join(', ')}, collector`
      : `bench: cannot measure here: ${obstacle!.name}: ${obstacle!.found}`,
  )
  process.exit(2)
}

const results: Table[] = []
if (!json) console.log(`${machine()}\nMedians, least and greatest in brackets.\n`)
for (const name of names.length > 0 ? names : Object.keys(measurements)) {
  for (const table of await measurements[name]!()) {
    results.push(table)
    if (!json) console.log(markdown(table))
  }
}
if (json) console.log(JSON.stringify({ machine: machine(), results }, undefined, 2))
