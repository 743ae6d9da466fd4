import { parsePriority, priorityNames } from '#engine'
import { type FieldMap, parseFieldMap, parseFieldName } from '#events'
import type { ContainerIdentity, Detection, PodIdentity } from '../shared/detection.ts'
import { familyOf, type Group } from '../shared/incidents/group.ts'
import { sha256 } from '../shared/sha256.ts'

/** Somebody's Falco alert, as ours. */
export interface ReadAlert {
  readonly detection: Detection
  readonly group: Group
  /** What its fields say of the event; those that Lanner does not know are left out. */
  readonly fields: FieldMap
}

/** A text that is no alert of Falco, and why. */
export class NoAlert extends Error {
  override readonly name = 'NoAlert'
}

const longest = { rule: 200, output: 64 << 10, field: 16 << 10 }

/**
 * Reads an alert in Falco's JSON, as Falco and Falcosidekick send it. It is anybody's word: its sender is
 * unverified, and its id follows from its content, so that the same alert twice is one.
 */
export function readAlert(
  text: string,
  { cluster: fallback, evaluateTime }: { readonly cluster: string; readonly evaluateTime: string },
): ReadAlert {
  const alert = objectIn(text)
  const rule = textOf(alert, 'rule', longest.rule)
  const output = textOf(alert, 'output', longest.output)
  const time = timeOf(alert['time'])
  const named = plainText(alert['priority']) ?? ''
  const priority = parsePriority(named)
  if (priority === undefined) throw new NoAlert(`"${named.slice(0, 40)}" is no priority of Falco`)
  const given = isObject(alert['output_fields']) ? alert['output_fields'] : {}
  const output_fields = fieldsIn(given)
  const hostname = plainText(alert['hostname']) ?? ''
  const source = plainText(alert['source']) ?? 'syscall'
  const tags = textsIn(alert['tags'])
  const cluster = plainText(given['cluster']) ?? plainText(given['k8s.cluster.name']) ?? fallback
  const pod = podIn(given)
  const container = containerIn(given)
  const id = sha256(JSON.stringify(['falco', cluster, hostname, alert['time'], rule, output]))
  const place =
    pod !== undefined
      ? `pod ${pod.namespace}/${pod.name}`
      : container !== undefined
        ? `container ${container.id}`
        : 'host'
  return {
    detection: {
      ...{
        hostname,
        output,
        output_fields,
        priority: priorityNames[priority]!,
        rule,
        source,
        tags,
      },
      time,
      lanner: {
        ...{ id, kind: 'falco', cluster, node: hostname, ruleset: '', count: 1 },
        ...(pod !== undefined && { pod }),
        ...(container !== undefined && { container }),
        ...{ evidence: { complete: true }, sender: 'unverified' },
        times: { event: time, evaluate: evaluateTime },
      },
    },
    group: { cluster, node: hostname, place, origin: 'falco', family: familyOf(rule, tags) },
    fields: fieldMapOf(given, time),
  }
}

function objectIn(text: string): Record<string, unknown> {
  let found: unknown
  try {
    found = JSON.parse(text)
  } catch (cause) {
    throw new NoAlert(`it is no JSON: ${(cause as Error).message}`, { cause })
  }
  if (isObject(found)) return found
  throw new NoAlert('it is no JSON object')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Anybody's objects may have a `toString` that is no function: they are no texts. */
function plainText(value: unknown): string | undefined {
  const isPlain = ['string', 'number', 'boolean'].includes(typeof value)
  return isPlain ? String(value).toWellFormed() : undefined
}

function textsIn(value: unknown): string[] {
  if (!Array.isArray(value)) return []
  return value.map(plainText).filter((text) => text !== undefined)
}

function textOf(alert: Record<string, unknown>, key: string, most: number): string {
  const value = alert[key]
  if (typeof value === 'string' && value !== '') return value.slice(0, most).toWellFormed()
  throw new NoAlert(`it has no "${key}"`)
}

/** ISO 8601 with nanoseconds, as Falco writes it. */
function timeOf(value: unknown): string {
  const text = plainText(value) ?? ''
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(text)
  if (isTime && !Number.isNaN(Date.parse(text))) return text
  throw new NoAlert(`"${text.slice(0, 40)}" is no time as Falco writes it`)
}

/** Values that are no texts or numbers are shown as JSON. */
function fieldsIn(given: Record<string, unknown>): Detection['output_fields'] {
  const entries = Object.entries(given).map(([name, value]) => {
    const isPlain = value === null || ['number', 'boolean'].includes(typeof value)
    const shown = typeof value === 'string' ? value : JSON.stringify(value)
    return [name.toWellFormed(), isPlain ? value : shown.slice(0, longest.field).toWellFormed()]
  })
  return Object.fromEntries(entries) as Detection['output_fields']
}

/** Only what the catalogue knows, with values that fit: the others mean nothing to a correlation. */
function fieldMapOf(given: Record<string, unknown>, time: string): FieldMap {
  const nanoseconds = time.replace(/^.*?(?:\.(\d+))?Z$/, '$1').padEnd(9, '0')
  const seconds = Math.floor(Date.parse(time.replace(/\.\d+Z$/, 'Z')) / 1000)
  const known = Object.entries(given)
    .filter(([name]) => name !== 'evt.time' && !('problem' in parseFieldName(name)))
    .map(([name, value]) => parseFieldMap({ [name]: value }))
  const map: Record<string, unknown> = Object.create(null)
  for (const result of [...known, parseFieldMap({ 'evt.time': `${seconds}${nanoseconds}` })]) {
    if ('map' in result) Object.assign(map, result.map)
  }
  return map
}

function podIn(given: Record<string, unknown>): PodIdentity | undefined {
  const name = given['k8s.pod.name']
  if (typeof name !== 'string' || name === '') return undefined
  return { name, namespace: plainText(given['k8s.ns.name']) ?? '' }
}

function containerIn(given: Record<string, unknown>): ContainerIdentity | undefined {
  const id = given['container.id']
  if (typeof id !== 'string' || id === '' || id === 'host') return undefined
  const repository = given['container.image.repository']
  const tag = given['container.image.tag']
  const name = given['container.name']
  return {
    id,
    ...(typeof name === 'string' && { name }),
    ...(typeof repository === 'string' && {
      image: typeof tag === 'string' ? `${repository}:${tag}` : repository,
    }),
  }
}
