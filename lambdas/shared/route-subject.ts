import { parsePriority } from '#engine'
import type { Subject } from '#routes'
import {
  type DeliveryMessage,
  detailTypes,
  type HealthMessage,
  type IncidentMessage,
} from './bus-messages.ts'

/** What a message on the bus can be that people are told of. */
export type Told =
  | { readonly about: 'incident'; readonly message: IncidentMessage }
  | { readonly about: 'health'; readonly message: HealthMessage }
  | { readonly about: 'delivery'; readonly message: DeliveryMessage }

/** An event of the bus as something to tell; `undefined` for what is for machines. */
export function toldBy(detailType: string, detail: unknown): Told | undefined {
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

/** What routes look at in a message that is said at `time` (milliseconds of the epoch). */
export function subjectOf({ about, message }: Told, time: number): Subject {
  if (about !== 'incident') {
    const { state } = message
    return {
      ...{ about, priority: priorityOf(statePriorities[state]), rules: [], tags: [], labels: {} },
      ...{ cluster: 'cluster' in message ? message.cluster : '', state, time },
    }
  }
  const { incident, detection } = message
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
