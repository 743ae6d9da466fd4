import { type Contribution, CorrelationRunner, type Firing, type StateStore } from '#correlate'
import type { Bus, BusMessage } from './bus.ts'
import { detailTypes, type HealthMessage, type IncidentMessage } from './bus-messages.ts'
import { countDetections, type DetectionCounts } from './count-detections.ts'
import type { Detection } from './detection.ts'
import { detectionOfFiring, type FiringContext, groupOfFiring } from './detection-of-firing.ts'
import { type Grouped, Incidents } from './incidents/incidents.ts'
import { detectionsPrefix } from './lake.ts'
import { sha256 } from './sha256.ts'

/** Where the detections of an invocation go in the lake. */
export interface LakePlace {
  /** ISO 8601: the hour that they are filed under. */
  readonly time: string
  readonly name: string
}

export interface ConcludeOptions {
  readonly store: StateStore
  readonly bus: Pick<Bus, 'put'>
  /** The same place writes the same object again. */
  readonly toLake: (detections: readonly Detection[], place: LakePlace) => Promise<void>
  /** Seconds without a detection after which an incident is over. */
  readonly quiet: number
  readonly account?: string
  readonly region?: string
  /** Milliseconds of the epoch. */
  readonly now: () => number
  readonly random: () => number
  readonly pause: (milliseconds: number) => Promise<void>
}

/** What was found, before it is put together. */
export interface Findings {
  readonly contributions: readonly Contribution[]
  /** What is known around a correlation that fires. */
  readonly firingContext: (firing: Firing) => FiringContext
  readonly grouped: readonly Grouped[]
  /** Detections that do not alert by themselves. */
  readonly parts: readonly Detection[]
  readonly health: readonly HealthMessage[]
  /** None when there is nothing to file. */
  readonly lake: LakePlace | undefined
}

export interface ConcludeFigures extends DetectionCounts {
  readonly detections: number
  readonly suppressed: number
  /** Opened now. */
  readonly incidents: number
  readonly firings: number
  /** Detections that came too late for their correlation. */
  readonly late: number
  readonly stateWrites: number
  /** Milliseconds from event to batch, batch to stream, stream to verdict, of the slowest detection. */
  readonly hops: { batch: number; stream: number; evaluate: number } | undefined
}

/**
 * From what was found to what is told: correlations, incidents, lake, bus, in this order. Each step may
 * be repeated, and gives the same again: nothing is counted twice, and what is said twice has the same
 * id. Rejects when one of them fails; then all of it is to be done again.
 */
export class Conclude {
  readonly #options: ConcludeOptions
  readonly #correlations: CorrelationRunner
  readonly #incidents: Incidents

  constructor(options: ConcludeOptions) {
    this.#options = options
    const { store, quiet, now, random, pause } = options
    const seconds = () => Math.floor(now() / 1000)
    this.#correlations = new CorrelationRunner({ store, sha256, now: seconds, random, pause })
    this.#incidents = new Incidents({
      ...{ store, sha256, now: seconds, random, pause, quiet },
      lakeOf: detectionsPrefix,
    })
  }

  async run(findings: Findings): Promise<ConcludeFigures> {
    const { contributions, firingContext, grouped, parts, health, lake } = findings
    const { firings, late, writes } = await this.#correlations.take(contributions)
    const told = await this.#incidents.take([
      ...grouped,
      ...firings.map((firing) => ({
        ...{ group: groupOfFiring(firing), unit: { id: firing.id } },
        detection: detectionOfFiring(firing, firingContext(firing)),
      })),
    ])
    const all = [...told.detections, ...parts]
    if (lake !== undefined && all.length > 0) await this.#options.toLake(all, lake)
    await this.#options.bus.put(messagesOf(told.messages, told.onBus, health))
    return {
      detections: all.length,
      ...countDetections(all),
      suppressed: all.filter(({ lanner }) => lanner.suppressed !== undefined).length,
      incidents: told.messages.filter(({ reason }) => reason === 'opened').length,
      ...{ firings: firings.length, late, stateWrites: writes + told.writes },
      hops: slowest(all),
    }
  }
}

const typeOfReason: Readonly<Record<IncidentMessage['reason'], BusMessage['type']>> = {
  opened: detailTypes.opened,
  escalated: detailTypes.updated,
  doubled: detailTypes.updated,
  quiet: detailTypes.closed,
}

/** What goes onto the bus: incidents first, as they say more. */
export function messagesOf(
  incidents: readonly IncidentMessage[],
  detections: readonly Detection[],
  health: readonly HealthMessage[],
): BusMessage[] {
  return [
    ...incidents.map((detail) => ({ type: typeOfReason[detail.reason], detail })),
    ...detections.map((detection) => ({
      type: detailTypes.detection,
      detail: { id: detection.lanner.id, detection },
    })),
    ...health.map((detail) => ({ type: detailTypes.health, detail })),
  ]
}

function slowest(detections: readonly Detection[]): ConcludeFigures['hops'] {
  let found: ConcludeFigures['hops']
  let longest = -1
  for (const { lanner } of detections) {
    const { event, batch, stream, evaluate } = lanner.times
    if (batch === undefined || stream === undefined) continue
    const [at, sealed, arrived, judged] = [event, batch, stream, evaluate].map(milliseconds) as [
      ...[number, number, number, number],
    ]
    if (judged - at <= longest) continue
    longest = judged - at
    found = { batch: sealed - at, stream: arrived - sealed, evaluate: judged - arrived }
  }
  return found
}

/** Of an ISO time with any number of digits behind the second. */
function milliseconds(time: string): number {
  return Date.parse(time.replace(/(\.\d{3})\d*Z$/, '$1Z'))
}
