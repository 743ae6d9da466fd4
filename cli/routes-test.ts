import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { busPatternOf, type Routes, type Routing, readRoutes, routeSubject } from '#routes'
import { subjectOf, toldBy } from '../lambdas/shared/route-subject.ts'
import { type Io, paint, UsageError } from './io.ts'
import { jsonIn } from './json-file.ts'
import { printable } from './printable.ts'
import { inColor } from './rules-check.ts'

export const usage = `usage: lanner routes test --routes FILE EVENTS... [OPTION]...

Shows where events of the bus go, and why. EVENTS are files with one event or many (JSON, or one a
line) as EventBridge delivers them: {"detail-type": "Incident Opened", "time": "…", "detail": {…}}.
Without EVENTS the routes are listed with the pattern by which EventBridge can decide each, and what
is left for the router.

  --at TIME                 as if it were said at this time (ISO 8601) instead of the event's
  --json                    one object an event, or a route, for machines`

interface BusEvent {
  readonly 'detail-type': string
  readonly time?: string
  readonly detail: unknown
}

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args)
  const { routes, at, json = false } = values
  if (routes === undefined) throw new UsageError('--routes FILE is needed')
  const now = at === undefined ? undefined : timeOf(at, '--at')
  const read = readRoutes({ name: routes, text: textOf(routes) })
  if (!read.ok) {
    for (const diagnostic of read.diagnostics) io.err(`${inColor(diagnostic, io)}\n\n`)
    return 1
  }
  if (positionals.length === 0) {
    listPatterns(read.routes, json, io)
    return 0
  }
  let ok = true
  for (const path of positionals) {
    for (const { value, place } of jsonIn(textOf(path), path)) {
      const event = value as BusEvent
      const told = toldBy(event['detail-type'], event.detail)
      if (told === undefined) {
        io.err(`${place}: nobody is told of "${printable(String(event['detail-type']))}"\n`)
        ok = false
        continue
      }
      const time = now ?? (event.time === undefined ? 0 : timeOf(event.time, place))
      const routing = routeSubject(read.routes, subjectOf(told, time))
      if (json) io.out(`${JSON.stringify(asJson(place, routing))}\n`)
      else show(place, routing, io)
    }
  }
  return ok ? 0 : 1
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        routes: { type: 'string' },
        at: { type: 'string' },
        json: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function timeOf(text: string, where: string): number {
  const time = Date.parse(text)
  if (Number.isNaN(time)) throw new UsageError(`${where}: "${text}" is no time`)
  return time
}

function show(place: string, { to, outcomes }: Routing, io: Io): void {
  const where = to.length === 0 ? 'nobody' : to.join(', ')
  io.out(`${place}: ${paint(where, 'bold', io)}\n`)
  for (const { route, fits, reason, to: targets } of outcomes) {
    const mark = fits ? paint('->', 'green', io) : '  '
    const name = route === undefined ? 'default' : `"${printable(route.name)}"`
    const line = route === undefined ? '' : ` (line ${route.at.line})`
    const ends = fits ? `: ${targets.join(', ') || 'nobody'}` : ''
    io.out(`  ${mark} ${name}${line}: ${printable(reason)}${ends}\n`)
  }
}

function asJson(place: string, { to, outcomes }: Routing): object {
  const looked = outcomes.map(({ route, fits, reason }) => ({
    ...{ route: route?.name ?? null, fits, reason },
  }))
  return { event: place, to, outcomes: looked }
}

function listPatterns({ routes, otherwise }: Routes, json: boolean, io: Io): void {
  for (const route of routes) {
    const compiled = busPatternOf(route)
    if (json) {
      io.out(`${JSON.stringify({ route: route.name, to: route.to, ...compiled })}\n`)
      continue
    }
    const decided =
      compiled === undefined
        ? 'by the router'
        : compiled.exact
          ? 'by the bus'
          : `by the bus, then the router: ${compiled.beyond.join(', ')}`
    io.out(`"${printable(route.name)}" -> ${route.to.join(', ') || 'nobody'}\n  ${decided}\n`)
    if (compiled !== undefined) io.out(`  ${JSON.stringify(compiled.pattern)}\n`)
  }
  if (!json) io.out(`default -> ${otherwise.join(', ')}\n`)
}
