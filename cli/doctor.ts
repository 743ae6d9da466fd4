import { parseArgs } from 'node:util'
import { type Io, UsageError } from './io.ts'
import { type Check, examineMachine } from './machine.ts'

const marks: Readonly<Record<Check['state'], string>> = {
  ok: 'ok',
  limited: 'limited',
  missing: 'MISSING',
}
const colors: Readonly<Record<Check['state'], number>> = { ok: 32, limited: 33, missing: 31 }

export const usage = `usage: lanner doctor [--json]

Says what can be detected on this machine, and what to do about the rest.`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values } = parse(args)
  const checks = examineMachine()
  const live = checks.every(({ state }) => state !== 'missing')
  if (values.json) {
    io.out(`${JSON.stringify({ live, checks })}\n`)
    return live ? 0 : 1
  }
  const width = Math.max(...checks.map(({ name }) => name.length))
  for (const { name, state, found, advice } of checks) {
    const mark = marks[state].padEnd(8)
    const painted = io.color ? `\x1b[${colors[state]}m${mark}\x1b[0m` : mark
    io.out(`${painted}${name.padEnd(width)}  ${found}\n`)
    if (advice !== '') io.out(`${' '.repeat(8 + width)}  -> ${advice}\n`)
  }
  io.out(
    live
      ? '\nLive detection works here: npm start\n'
      : '\nNo live detection here; `npm start` shows a recorded attack instead.\n',
  )
  return live ? 0 : 1
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: { json: { type: 'boolean' } }, strict: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
