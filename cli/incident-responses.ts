import {
  type IncidentLine,
  type IncidentLines,
  mostLines,
  mostResponses,
  readIncidentLines,
} from '../lambdas/respond/machine/incident-lines.ts'
import { DynamoStateStore } from '../lambdas/shared/dynamo-store.ts'
import { painter } from './detection-text.ts'
import type { Io } from './io.ts'
import { printable } from './printable.ts'

/** What responses to an incident did, from their own table. Rejects when that cannot be read. */
export async function readResponses(incident: string, table: string): Promise<IncidentLines> {
  const store = new DynamoStateStore({ table })
  try {
    return await readIncidentLines(incident, store, Math.floor(Date.now() / 1000))
  } finally {
    store.close()
  }
}

/** One object a line, for machines. */
export function responsesJson({ lines, omitted, more }: IncidentLines): string {
  const all = lines.map((line) => ({ ...line, at: isoOf(line.at) }))
  const rest = omitted + more > 0 ? [{ omittedLines: omitted, omittedResponses: more }] : []
  return [...all, ...rest].map((one) => `${JSON.stringify(one)}\n`).join('')
}

/** For people: each transition with its time, what it was about, and which response it was. */
export function responsesText({ lines, omitted, more }: IncidentLines, io: Io): string {
  if (lines.length === 0) return 'responses none\n\n'
  const texts = lines.map((line) => lineText(line, io))
  if (omitted > 0) texts.splice(mostLines, 0, `  … ${omitted} lines are not shown\n`)
  if (more > 0) texts.push(`  … and responses beyond the first ${mostResponses}\n`)
  return `responses\n${texts.join('')}\n`
}

function lineText({ at, type, rule, target, text, response }: IncidentLine, io: Io): string {
  const paint = painter(io.color)
  const whom = target.uid === '' ? 'no pod' : `${target.namespace}/${target.name}`
  const what = type.replace('Response ', '').padEnd(8)
  const head = `  ${paint(isoOf(at), '2')}  ${paint(what, '1')}  ${printable(`${rule}: ${whom}`)}`
  return `${head}  ${paint(printable(response), '2')}\n${' '.repeat(32)}${printable(text)}\n`
}

function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
