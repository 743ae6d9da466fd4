import type { Json, StateStore } from '#correlate'
import { type Destination, type Routes, routeSubject } from '#routes'
import type { DeliveryEnvelope } from '../shared/delivery-envelope.ts'
import { subjectOf, type Told, toldBy } from '../shared/route-subject.ts'

/** An event as the bus hands it on. */
export interface RoutedEvent {
  readonly 'detail-type': string
  /** ISO 8601. */
  readonly time: string
  readonly detail: unknown
}

export interface RouteMessagePorts {
  readonly store: StateStore
  readonly routes: () => Promise<Routes>
  /** Puts it into the queue of the destination's kind. */
  readonly send: (destination: Destination, envelope: DeliveryEnvelope) => Promise<void>
  /** Milliseconds of the epoch. */
  readonly now: () => number
}

/** What became of an event: whom it went to, or why nobody. */
export interface Routed {
  readonly to: readonly string[]
  readonly isSuppressed?: true
}

/** Memory of incidents outlives them, so that late messages go where the others went. */
const keepSeconds = 30 * 86_400
const attempts = 8

/**
 * Sends an event to its destinations. Whoever was told of an incident is told of all that follows, what
 * responses did and its end too, whatever the hour and the routes are then; others join when a later
 * message fits their route.
 */
export async function routeMessage(
  event: RoutedEvent,
  { store, routes: read, send, now }: RouteMessagePorts,
): Promise<Routed> {
  const told = toldBy(event['detail-type'], event.detail)
  if (told === undefined) return { to: [] }
  if (told.about === 'incident' && told.message.incident.suppressed !== undefined) {
    return { to: [], isSuppressed: true }
  }
  const routes = await read()
  const parsed = Date.parse(event.time)
  const subject = subjectOf(told, Number.isNaN(parsed) ? now() : parsed)
  const fresh = withoutItself(told, routeSubject(routes, subject).to)
  const incident = incidentOf(told)
  const names =
    incident === undefined ? fresh : await remember(store, incident, fresh, isEnd(told), now)
  const destinations = routes.destinations.filter(({ name }) => names.includes(name))
  const { 'detail-type': detailType, detail } = event
  await Promise.all(
    destinations.map((destination) =>
      send(destination, {
        ...{ destination: destination.name, detailType, detail, since: now(), attempt: 0 },
      }),
    ),
  )
  return { to: destinations.map(({ name }) => name) }
}

/**
 * The incident whose listeners are told; none for what only was planned: that is said of every incident
 * that a rule answers, and is for routes that ask for it.
 */
function incidentOf(told: Told): string | undefined {
  if (told.about === 'incident') return told.message.incident.id
  return told.about === 'response' && told.news !== 'planned' ? told.message.incident : undefined
}

function isEnd(told: Told): boolean {
  return told.about === 'incident' && told.message.incident.state === 'closed'
}

/** That a destination fails is told by the others, if there are any. */
function withoutItself(told: Told, names: readonly string[]): readonly string[] {
  if (told.about !== 'delivery') return names
  const others = names.filter((name) => name !== told.message.destination)
  return others.length > 0 ? others : names
}

/** Everybody who is to be told of an incident: those who were, and those whom a route names now. */
async function remember(
  store: StateStore,
  incident: string,
  fresh: readonly string[],
  isOver: boolean,
  now: () => number,
): Promise<readonly string[]> {
  const key = `routed/${incident}`
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const seconds = Math.floor(now() / 1000)
    const item = (await store.read([key], seconds)).get(key)
    const before = item?.value as unknown as readonly string[] | undefined
    // its end is for those who know of its beginning
    const names =
      isOver && before !== undefined ? before : [...new Set([...(before ?? []), ...fresh])]
    if (names.length === (before?.length ?? 0)) return names
    const write = { key, value: names as unknown as Json, from: item?.version ?? 0 }
    const refused = await store.write([{ ...write, expires: seconds + keepSeconds }])
    if (refused.length === 0) return names
  }
  throw new Error(`who was told of the incident ${incident} changes too fast`)
}
