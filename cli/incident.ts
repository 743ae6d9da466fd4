import { S3Client } from '@aws-sdk/client-s3'
import { alertJson } from '#engine'
import type { IncidentLines } from '../lambdas/respond/machine/incident-lines.ts'
import type { Detection } from '../lambdas/shared/detection.ts'
import { DynamoStateStore } from '../lambdas/shared/dynamo-store.ts'
import type { Incident } from '../lambdas/shared/incident.ts'
import { decodeState, type IncidentState } from '../lambdas/shared/incidents/incident-state.ts'
import { keyOfIncident } from '../lambdas/shared/incidents/incidents.ts'
import { readDetections } from '../lambdas/shared/read-lake.ts'
import { painter } from './detection-text.ts'
import { readResponses, responsesJson, responsesText } from './incident-responses.ts'
import { type Io, UsageError } from './io.ts'
import { printable } from './printable.ts'
import { parseStrictly } from './rule-options.ts'

export const usage = `usage: lanner incident ID --table TABLE --lake BUCKET [--responses TABLE] [--json]

Shows an incident, what responses did about it, and every detection of it, from the tables of state
and of responses and the lake. Region and credentials are those of the AWS SDK's default chain.

  --table TABLE             the state table: output Table of lanner-pipeline (LANNER_TABLE)
  --lake BUCKET             the lake: output LakeBucket of the same (LANNER_LAKE)
  --responses TABLE         output ResponsesTable of lanner-response (LANNER_RESPONSES)
  --since TIME              where to begin in the lake when the table has forgotten it, ISO 8601
  --json                    the incident, then lines of responses, then detections, one line each`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseStrictly(args, {
    ...{ table: { type: 'string' }, lake: { type: 'string' }, since: { type: 'string' } },
    responses: { type: 'string' },
    json: { type: 'boolean' },
  })
  const [id, more] = positionals
  if (id === undefined) throw new UsageError('which incident?')
  if (more !== undefined) throw new UsageError(`unexpected argument "${more}"`)
  if (!/^[0-9a-f]{20}-[0-9a-f]{12}$/.test(id)) {
    throw new UsageError(
      `"${id}" is no incident id: 20 and 12 hexadecimal digits with a dash between`,
    )
  }
  const table = named(values.table, 'LANNER_TABLE', '--table')
  const lake = named(values.lake, 'LANNER_LAKE', '--lake')
  const state = await readState(id, table)
  const incident = state?.incident
  const from = values.since ?? incident?.opened
  if (from === undefined || Number.isNaN(Date.parse(from))) {
    io.err(
      `error: the table knows no incident ${id} any more: say where to look with --since TIME\n`,
    )
    return 1
  }
  const s3 = new S3Client()
  const to = new Date(state === undefined ? Date.now() : state.active * 1000).toISOString()
  const detections = await readDetections({ s3, bucket: lake }, { incident: id, from, to })
  s3.destroy()
  const responded = await responsesOf(id, values.responses ?? process.env['LANNER_RESPONSES'], io)
  if (values.json === true) {
    if (incident !== undefined) io.out(`${JSON.stringify(incident)}\n`)
    if (responded.lines !== undefined) io.out(responsesJson(responded.lines))
    for (const detection of detections) io.out(`${alertJson(detection)}\n`)
  } else {
    if (incident !== undefined) io.out(incidentText(incident, io))
    if (responded.lines !== undefined) io.out(responsesText(responded.lines, io))
    else if (responded.ok) io.out('responses not looked for: name their table with --responses\n\n')
    for (const detection of detections) io.out(memberText(detection, io))
  }
  if (incident === undefined) return detections.length > 0 && responded.ok ? 0 : 1
  const events = detections.reduce((sum, { lanner }) => sum + lanner.count, 0)
  if (events === incident.count) return responded.ok ? 0 : 1
  io.err(`lanner: the lake holds ${events} of ${incident.count} detections\n`)
  return 1
}

/** What cannot be read is said, and hides nothing of the rest. */
async function responsesOf(
  id: string,
  table: string | undefined,
  io: Io,
): Promise<{ readonly ok: boolean; readonly lines?: IncidentLines }> {
  if (table === undefined || table === '') return { ok: true }
  try {
    return { ok: true, lines: await readResponses(id, table) }
  } catch (error) {
    const { message } = error as Error
    io.err(`error: responses cannot be read from ${printable(table)}: ${printable(message)}\n`)
    return { ok: false }
  }
}

async function readState(id: string, table: string): Promise<IncidentState | undefined> {
  const store = new DynamoStateStore({ table })
  const key = keyOfIncident(id)
  const items = await store.read([key], Math.floor(Date.now() / 1000))
  store.close()
  const state = decodeState(items.get(key)?.value)
  return state?.incident.id === id ? state : undefined
}

function named(given: string | undefined, variable: string, option: string): string {
  const value = given ?? process.env[variable]
  if (value !== undefined && value !== '') return value
  throw new UsageError(`${option} or ${variable} is needed`)
}

function incidentText(incident: Incident, io: Io): string {
  const paint = painter(io.color)
  const { id, title, priority, state, count, first, last, cluster, node, pod, evidence } = incident
  const where = [...[cluster, node], ...(pod === undefined ? [] : [`${pod.namespace}/${pod.name}`])]
  const lines = [
    paint(printable(`${priority}: ${title}`), '1'),
    `incident ${id}, ${state}, revision ${incident.revision}`,
    `where     ${printable(where.filter(Boolean).join('  '))}`,
    `when      ${first} to ${last}`,
    `how many  ${count}: ${Object.entries(incident.rules)
      .map(([rule, times]) => `${printable(rule)} ${times}`)
      .join(', ')}`,
    `sender    ${incident.sender}`,
    `evidence  ${evidence.complete ? 'complete' : printable(evidence.gaps.join('; '))}`,
    ...(incident.runbooks.length > 0 ? [`runbooks  ${incident.runbooks.join(', ')}`] : []),
  ]
  return `${lines.join('\n')}\n\n`
}

function memberText({ time, priority, rule, output, lanner }: Detection, io: Io): string {
  const paint = painter(io.color)
  const repeats = lanner.count > 1 ? `  ${lanner.count} times` : ''
  const head = `${paint(time, '2')}  ${priority.padEnd(9)} ${paint(printable(rule), '1')}${repeats}`
  return `${head}\n${' '.repeat(32)}${printable(output)}\n`
}
