import { priorityNames } from '#engine'
import { globMatches } from './glob.ts'
import { type Route, type RouteMatch, responseStates } from './route.ts'

/** An EventBridge pattern that fits whatever a route fits. */
export interface BusPattern {
  readonly pattern: Readonly<Record<string, unknown>>
  /** It fits nothing else: what the bus decides, the router need not look at again. */
  readonly exact: boolean
  /** Why it is not exact. */
  readonly beyond: readonly string[]
}

/** Characters of a pattern that PutRule takes. */
export const patternLimit = 2048

/**
 * The pattern of a route for incidents, or for responses if it is about them alone; `undefined` for one
 * that is about neither. What the bus cannot decide, or what would make the pattern too long, is left out
 * of it, so that it fits more.
 */
export function busPatternOf({ match }: Route): BusPattern | undefined {
  const { about, state, outcome, mode } = match
  if (about.every((one) => one === 'response')) return responsePatternOf(match)
  if (!about.includes('incident')) return undefined
  // incidents have none of these
  if (state !== undefined || outcome !== undefined || mode !== undefined) return undefined
  const beyond: string[] = []
  const incident: Record<string, unknown> = {}
  if (match.priority !== undefined && match.priority < priorityNames.length - 1) {
    incident['priority'] = priorityNames.slice(0, match.priority + 1)
  }
  if (match.tag !== undefined) incident['tags'] = texts(match.tag)
  if (match.cluster !== undefined) incident['cluster'] = texts(match.cluster)
  const pod: Record<string, unknown> = {}
  if (match.namespace !== undefined) pod['namespace'] = texts(match.namespace)
  if (match.workload !== undefined) pod['workload'] = texts(match.workload)
  if (match.label !== undefined && Object.keys(match.label).length > 0) {
    pod['labels'] = Object.fromEntries(
      Object.entries(match.label).map(([name, wanted]) => [name, texts(wanted)]),
    )
  }
  if (Object.keys(pod).length > 0) incident['pod'] = pod
  const rules = ruleNames(match, beyond)
  if (rules !== undefined) incident['rules'] = rules
  if (match.time !== undefined) beyond.push('the time of day')
  // an incident keeps no source of its own, and a message that closes one has no detection
  if (match.source !== undefined) beyond.push('the source')
  return withinLimit([{ prefix: 'Incident ' }], incident, beyond, (found) => ({ incident: found }))
}

function responsePatternOf(match: RouteMatch): BusPattern {
  const beyond: string[] = []
  const { state: wanted = ['*'], cluster, namespace, rule, outcome, mode } = match
  const states = responseStates.filter((one) => wanted.some((glob) => globMatches(glob, one)))
  // both are the same message, which says by its phase whether somebody is asked
  if (states.includes('planned') !== states.includes('awaiting')) beyond.push('who is asked')
  const types = states.map((one) => {
    const word = one === 'awaiting' ? 'planned' : one
    return `Response ${word.charAt(0).toUpperCase()}${word.slice(1)}`
  })
  const detail: Record<string, unknown> = {
    ...(cluster !== undefined && { cluster: texts(cluster) }),
    ...(namespace !== undefined && { target: { namespace: texts(namespace) } }),
    ...(rule !== undefined && { rule: texts(rule) }),
    ...(outcome !== undefined && { outcome: texts(outcome) }),
    ...(mode !== undefined && { mode: texts(mode) }),
  }
  for (const key of ['priority', 'tag', 'workload', 'label', 'source', 'time'] as const) {
    if (match[key] !== undefined) beyond.push(`the ${key}`)
  }
  return withinLimit([...new Set(types)], detail, beyond, (found) => found)
}

function texts(wanted: readonly string[]) {
  return wanted.map((one) => (one.includes('*') ? { wildcard: wildcardOf(one) } : one))
}

/** Rules are the keys of an object: the bus finds a name, not a pattern of names, and one at a time. */
function ruleNames({ rule }: RouteMatch, beyond: string[]): object | undefined {
  if (rule === undefined) return undefined
  if (rule.some((name) => name.includes('*'))) {
    beyond.push('patterns of rule names')
    return undefined
  }
  const named = rule.map((name) => ({ [name]: [{ exists: true }] }))
  return named.length === 1 ? named[0] : { $or: named }
}

function withinLimit(
  types: readonly unknown[],
  wanted: Record<string, unknown>,
  beyond: string[],
  detailOf: (wanted: object) => object,
): BusPattern {
  const all = () => ({
    source: ['lanner'],
    'detail-type': types,
    ...(Object.keys(wanted).length > 0 && { detail: detailOf(wanted) }),
  })
  const longest = () =>
    Object.entries(wanted).sort(
      ([, a], [, b]) => JSON.stringify(b).length - JSON.stringify(a).length,
    )[0]
  while (JSON.stringify(all()).length > patternLimit) {
    const [key] = longest()!
    beyond.push(`${key}: too long for a pattern`)
    delete wanted[key]
  }
  return { pattern: all(), exact: beyond.length === 0, beyond }
}

/** `**` is no wildcard of the bus, and `\` begins an escape there. */
function wildcardOf(text: string): string {
  return text.replaceAll('\\', '\\\\').replace(/\*+/g, '*')
}
