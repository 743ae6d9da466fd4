import { priorityNames } from '#engine'
import { globMatches } from './glob.ts'
import type { Route, RouteMatch, Routes, Subject } from './route.ts'
import { isWithin } from './schedule.ts'

/** Why a route fits a subject or does not: the first condition that fails. */
export interface RouteOutcome {
  /** Without it, the default. */
  readonly route?: Route
  readonly fits: boolean
  readonly reason: string
  readonly to: readonly string[]
}

export interface Routing {
  /** Names of destinations, each once, in the order of the file. */
  readonly to: readonly string[]
  /** Every route that was looked at. */
  readonly outcomes: readonly RouteOutcome[]
}

/** Where a subject goes, and why. */
export function routeSubject(routes: Routes, subject: Subject): Routing {
  const outcomes: RouteOutcome[] = []
  for (const route of routes.routes) {
    const failure = whyNot(route.match, subject)
    outcomes.push({ route, fits: failure === undefined, reason: failure ?? 'fits', to: route.to })
    if (failure === undefined && routes.matching === 'first') break
  }
  if (!outcomes.some(({ fits }) => fits) && wakesByDefault(subject)) {
    const reason = routes.routes.length === 0 ? 'there are no routes' : 'no route fits'
    outcomes.push({ fits: true, reason, to: routes.otherwise })
  }
  const wanted = new Set(outcomes.filter(({ fits }) => fits).flatMap(({ to }) => to))
  const known = routes.destinations.map(({ name }) => name)
  return { to: known.filter((name) => wanted.has(name)), outcomes }
}

/**
 * That a sensor started or a canary arrived is for routes that ask for it, and so is what a response does
 * as it should.
 */
function wakesByDefault(subject: Subject): boolean {
  const { about, state } = subject
  if (about === 'response') return needsSomebody(subject)
  return about !== 'health' || (state !== 'started' && state !== 'canary')
}

/** Whether a response waits for a person: to approve it, or because it did not do what it should. */
export function needsSomebody({ state, outcome }: Pick<Subject, 'state' | 'outcome'>): boolean {
  if (state === 'awaiting' || state === 'failed') return true
  return state === 'verified' && outcome !== 'contained'
}

/** The first condition that does not hold, in words; `undefined` when all do. */
function whyNot(match: RouteMatch, subject: Subject): string | undefined {
  if (!match.about.includes(subject.about)) return `it is about ${subject.about}`
  if (match.priority !== undefined && subject.priority > match.priority) {
    const [is, asked] = [priorityNames[subject.priority], priorityNames[match.priority]]
    return `priority ${is} is below ${asked}`
  }
  const failed =
    noneOf('rule', match.rule, subject.rules) ??
    noneOf('tag', match.tag, subject.tags) ??
    noneOf('cluster', match.cluster, [subject.cluster]) ??
    noneOf('namespace', match.namespace, present(subject.namespace)) ??
    noneOf('workload', match.workload, present(subject.workload))
  if (failed !== undefined) return failed
  for (const [name, wanted] of Object.entries(match.label ?? {})) {
    const value = Object.hasOwn(subject.labels, name) ? subject.labels[name] : undefined
    const failure = noneOf(`label ${name}`, wanted, present(value))
    if (failure !== undefined) return failure
  }
  const state =
    noneOf('source', match.source, present(subject.source)) ??
    noneOf('state', match.state, present(subject.state)) ??
    noneOf('outcome', match.outcome, present(subject.outcome)) ??
    noneOf('mode', match.mode, present(subject.mode))
  if (state !== undefined) return state
  if (match.time === undefined || isWithin(match.time, subject.time)) return undefined
  return `${new Date(subject.time).toISOString()} is not in its hours (${match.time.zone})`
}

function present(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value]
}

function noneOf(
  what: string,
  wanted: readonly string[] | undefined,
  values: readonly string[],
): string | undefined {
  if (wanted === undefined) return undefined
  if (values.some((value) => wanted.some((pattern) => globMatches(pattern, value)))) {
    return undefined
  }
  if (values.length === 0) return `it has no ${what}`
  const shown = values.slice(0, 3).map((value) => JSON.stringify(value))
  return `${what} ${shown.join(', ')} is none of ${wanted.map((w) => JSON.stringify(w)).join(', ')}`
}
