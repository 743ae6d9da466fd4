import { parsePriority } from '#engine'
import type { Subject } from '#routes'
import {
  type DeliveryMessage,
  detailTypes,
  type HealthMessage,
  type IncidentMessage,
  type ResponseMessage,
} from './bus-messages.ts'

/** What a message on the bus can be that people are told of. */
export type Told =
  | { readonly about: 'incident'; readonly message: IncidentMessage }
  | { readonly about: 'health'; readonly message: HealthMessage }
  | { readonly about: 'delivery'; readonly message: DeliveryMessage }
  | { readonly about: 'response'; readonly message: ResponseMessage; readonly news: ResponseNews }

/** What is new of a response; `awaiting`: it was planned, and somebody has to approve it. */
export type ResponseNews =
  | ('planned' | 'awaiting' | 'approved' | 'done')
  | ('failed' | 'verified' | 'expired')

const responseNews: ReadonlyMap<string, ResponseNews> = new Map(
  (['planned', 'approved', 'done', 'failed', 'verified', 'expired'] as const).map((news) => [
    ...([detailTypes[news], news] as const),
  ]),
)

/** An event of the bus as something to tell; `undefined` for what is for machines. */
export function toldBy(detailType: string, detail: unknown): Told | undefined {
  const news = responseNews.get(detailType)
  if (news !== undefined) {
    const message = detail as ResponseMessage
    const asks = news === 'planned' && message.approve !== undefined
    return { about: 'response', message, news: asks ? 'awaiting' : news }
  }
  switch (detailType) {
    case detailTypes.opened:
    case detailTypes.updated:
    case detailTypes.closed:
      return { about: 'incident', message: detail as IncidentMessage }
    case detailTypes.health:
      return { about: 'health', message: detail as HealthMessage }
    case detailTypes.delivery:
      return { about: 'delivery', message: detail as DeliveryMessage }
    default:
      return undefined
  }
}

/** Falco's names of how much a state of sensors and destinations matters. */
export const statePriorities: Readonly<
  Record<HealthMessage['state'] | DeliveryMessage['state'], string>
> = {
  ...{ silent: 'Critical', 'dead-path': 'Critical', changed: 'Critical', losing: 'Error' },
  ...{ stopped: 'Warning', back: 'Notice', started: 'Informational', canary: 'Debug' },
  ...{ refused: 'Error', gone: 'Error', failing: 'Error' },
}

/** Falco's name of how much it matters what a response did. */
export function responsePriority(news: ResponseNews, { outcome }: ResponseMessage): string {
  switch (news) {
    case 'awaiting':
    case 'failed':
      return 'Critical'
    case 'verified':
      return outcome === 'contained' ? 'Notice' : outcome === 'unverified' ? 'Error' : 'Critical'
    case 'planned':
      return 'Informational'
    default:
      return 'Notice'
  }
}

/** What routes look at in a message that is said at `time` (milliseconds of the epoch). */
export function subjectOf(told: Told, time: number): Subject {
  const { about } = told
  if (about === 'response') {
    const { cluster, rule, mode, target, outcome } = told.message
    return {
      ...{ about, rules: [rule], tags: [], labels: {}, cluster, time, state: told.news, mode },
      priority: priorityOf(responsePriority(told.news, told.message)),
      ...(target.namespace !== '' && { namespace: target.namespace }),
      ...(outcome !== undefined && { outcome }),
    }
  }
  if (about !== 'incident') {
    const { message } = told
    const { state } = message
    return {
      ...{ about, priority: priorityOf(statePriorities[state]), rules: [], tags: [], labels: {} },
      ...{ cluster: 'cluster' in message ? message.cluster : '', state, time },
    }
  }
  const { incident, detection } = told.message
  const { pod } = incident
  return {
    ...{ about, priority: priorityOf(incident.priority), rules: Object.keys(incident.rules) },
    ...{ tags: incident.tags, cluster: incident.cluster, labels: pod?.labels ?? {}, time },
    ...(pod !== undefined && { namespace: pod.namespace }),
    ...(pod?.workload !== undefined && { workload: pod.workload }),
    ...(detection !== undefined && { source: detection.source }),
  }
}

/** What has a priority that nobody knows is told as if it were severe. */
function priorityOf(name: string): number {
  return parsePriority(name) ?? 2
}
