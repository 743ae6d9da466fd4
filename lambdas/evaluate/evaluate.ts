import { type Correlation, CorrelationRunner, type StateStore } from '#correlate'
import type { BatchHeader, Notice } from '#events'
import type { Bus, BusMessage } from '../shared/bus.ts'
import { detailTypes, type HealthMessage, type IncidentMessage } from '../shared/bus-messages.ts'
import type { Detection, SenderState } from '../shared/detection.ts'
import { groupOfFinding } from '../shared/incidents/group.ts'
import { type Grouped, Incidents } from '../shared/incidents/incidents.ts'
import { detectionsPrefix } from '../shared/lake.ts'
import type { RuleSets } from '../shared/rule-sets/rule-sets.ts'
import type { Senders } from '../shared/senders/index.ts'
import { detectionOfFinding, findingId, type SensorFinding } from '../shared/sensor-finding.ts'
import { detectionOfFiring, groupOfFiring } from './detection-of-firing.ts'
import { judge, type Verdict } from './judge.ts'
import { type JudgeSet, sha256 } from './prepare-set.ts'
import {
  type KinesisEvent,
  type KinesisRecord,
  type PoisonRecord,
  type ReadRecord,
  readRecord,
} from './read-record.ts'

export interface EvaluateOptions {
  readonly store: StateStore
  readonly sets: Pick<RuleSets<JudgeSet>, 'of'>
  readonly senders: Pick<Senders, 'judge'>
  readonly nodes: NodesPort
  readonly bus: Pick<Bus, 'put'>
  /** Writes detections under a name, in the hour of a time; the same name writes the same again. */
  readonly toLake: (
    detections: readonly Detection[],
    place: { readonly time: string; readonly name: string },
  ) => Promise<void>
  /** Keeps a record that cannot be read, with its bytes. */
  readonly isolate: (poison: PoisonRecord) => Promise<void>
  /** Seconds without a detection after which an incident is over. */
  readonly quiet: number
  readonly account?: string
  readonly region?: string
  /** Milliseconds of the epoch. */
  readonly now: () => number
  readonly random: () => number
  readonly pause: (milliseconds: number) => Promise<void>
}

/** What is known of nodes: `Nodes` of `shared/nodes`. */
export interface NodesPort {
  take(
    batches: readonly {
      readonly header: BatchHeader
      readonly notices: readonly Notice[]
      readonly arrivedAt: number
      readonly sender: SenderState
    }[],
  ): Promise<{
    readonly findings: readonly SensorFinding[]
    readonly health: readonly HealthMessage[]
    /** What is missing around a batch, in words. */
    gapsOf(header: BatchHeader): readonly string[]
  }>
}

/** What one invocation did, for metrics. */
export interface EvaluateFigures {
  batches: number
  events: number
  /** What nodes say they saw in all: the difference of their counters is theirs. */
  detections: number
  suppressed: number
  incidents: number
  firings: number
  findings: number
  late: number
  poison: number
  stateWrites: number
  /** Milliseconds from event to batch, batch to stream, stream to here: of the slowest detection. */
  hops: { batch: number; stream: number; evaluate: number } | undefined
}

export interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[]
}

/**
 * Judges records of a stream, in order: rules, correlations, incidents, lake and bus. All of it may be
 * done again for the same records: nothing is counted or said twice. A record that is no batch is set
 * aside with its bytes; if that fails, it and all after it are to be delivered again. Anything else
 * that fails rejects, and the whole invocation is to be repeated.
 */
export class Evaluate {
  readonly #options: EvaluateOptions
  readonly #correlations: CorrelationRunner
  readonly #incidents: Incidents

  constructor(options: EvaluateOptions) {
    this.#options = options
    const { store, quiet, now, random, pause } = options
    const seconds = () => Math.floor(now() / 1000)
    this.#correlations = new CorrelationRunner({ store, sha256, now: seconds, random, pause })
    this.#incidents = new Incidents({
      ...{ store, sha256, now: seconds, random, pause, quiet },
      lakeOf: detectionsPrefix,
    })
  }

  async run({ Records }: KinesisEvent): Promise<BatchResponse & { figures: EvaluateFigures }> {
    const { records, failed, poison } = await this.#read(Records)
    const figures = await this.#judgeAll(records)
    const batchItemFailures = failed === undefined ? [] : [{ itemIdentifier: failed }]
    return { batchItemFailures, figures: { ...figures, poison } }
  }

  /** Reads up to the first record that could neither be read nor set aside. */
  async #read(all: readonly KinesisRecord[]): Promise<{
    readonly records: readonly ReadRecord[]
    readonly failed: string | undefined
    readonly poison: number
  }> {
    const records: ReadRecord[] = []
    let poison = 0
    for (const record of all) {
      const read = readRecord(record)
      if ('batch' in read) {
        records.push(read)
        continue
      }
      try {
        await this.#options.isolate(read)
        poison += 1
      } catch {
        // Delivered again, and in the end given to the stream's failure destination.
        return { records, failed: record.kinesis.sequenceNumber, poison }
      }
    }
    return { records, failed: undefined, poison }
  }

  async #judgeAll(records: readonly ReadRecord[]): Promise<Omit<EvaluateFigures, 'poison'>> {
    const { now, nodes, senders } = this.#options
    const evaluateTime = new Date(now()).toISOString()
    const judged = await senders.judge(
      records.map(({ batch, bytes, announcement, arrivedAt }) => ({
        ...{ batch: bytes, header: batch.header, arrivedAt },
        ...(announcement !== undefined && { announcement }),
      })),
    )
    const known = await nodes.take(
      records.map(({ batch, arrivedAt }, at) => ({
        ...{ header: batch.header, notices: batch.notices, arrivedAt },
        sender: judged[at]!.sender,
      })),
    )
    const verdicts: Verdict[] = []
    const setOf = new Map<Correlation, JudgeSet>()
    for (const [at, record] of records.entries()) {
      const { sender } = judged[at]!
      // Whoever sent it is told of; nobody is accused by it.
      if (sender === 'mismatched') continue
      const { header } = record.batch
      const set = await this.#options.sets.of(header.cluster)
      const gaps = known.gapsOf(header)
      for (const correlation of set.plan.correlations) setOf.set(correlation, set)
      verdicts.push(
        judge(record, {
          ...{ header, set, sender, evaluateTime },
          evidence: gaps.length === 0 ? { complete: true } : { complete: false, gaps },
          streamTime: new Date(record.arrivedAt).toISOString(),
          ...this.#home(),
        }),
      )
    }
    const findings = [...judged.flatMap((one) => one.findings), ...known.findings]
    const correlated = await this.#correlations.take(
      verdicts.flatMap(({ contributions }) => contributions),
    )
    const least = leastSure(judged.map(({ sender }) => sender))
    const grouped = [
      ...verdicts.flatMap((verdict) => verdict.grouped),
      ...correlated.firings.map((firing): Grouped => {
        const set = setOf.get(firing.correlation)!
        const context = { set, sender: least, evaluateTime, ...this.#home() }
        const detection = detectionOfFiring(firing, context)
        return { group: groupOfFiring(firing), unit: { id: firing.id }, detection }
      }),
      ...findings.map((finding) => this.#groupedFinding(finding, evaluateTime)),
    ]
    const { messages, onBus, detections, writes } = await this.#incidents.take(grouped)
    const all = [...detections, ...verdicts.flatMap(({ parts }) => parts)]
    await this.#toLake(records, all, evaluateTime)
    await this.#options.bus.put(messagesOf(messages, onBus, known.health))
    return {
      batches: records.length,
      events: records.reduce((sum, { batch }) => sum + batch.events.length, 0),
      detections: all.length,
      suppressed: all.filter(({ lanner }) => lanner.suppressed !== undefined).length,
      incidents: messages.filter(({ reason }) => reason === 'opened').length,
      firings: correlated.firings.length,
      findings: findings.length,
      late: correlated.late,
      stateWrites: correlated.writes + writes,
      hops: slowest(all),
    }
  }

  #groupedFinding(finding: SensorFinding, evaluatedAt: string): Grouped {
    return {
      group: groupOfFinding(finding),
      unit: { id: findingId(finding, sha256) },
      detection: detectionOfFinding(finding, { sha256, evaluatedAt, ...this.#home() }),
    }
  }

  /** One object an invocation, named by its first record. */
  async #toLake(
    records: readonly ReadRecord[],
    detections: readonly Detection[],
    evaluateTime: string,
  ): Promise<void> {
    const [first] = records
    if (first === undefined || detections.length === 0) return
    const name = first.record.eventID.replace(/[^\w-]/g, '_')
    const time = Number.isFinite(first.arrivedAt)
      ? new Date(first.arrivedAt).toISOString()
      : evaluateTime
    await this.#options.toLake(detections, { time, name })
  }

  #home(): { readonly account?: string; readonly region?: string } {
    const { account, region } = this.#options
    return {
      ...(account !== undefined && { account }),
      ...(region !== undefined && { region }),
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

function leastSure(senders: readonly SenderState[]): SenderState {
  return senders.every((sender) => sender === 'verified') ? 'verified' : 'unverified'
}

function slowest(detections: readonly Detection[]): EvaluateFigures['hops'] {
  let found: EvaluateFigures['hops']
  let longest = -1
  for (const { lanner } of detections) {
    const { event, batch, stream, evaluate } = lanner.times
    if (batch === undefined || stream === undefined) continue
    const [at, sealed, arrived, judged] = [event, batch, stream, evaluate].map((time) =>
      Date.parse(time.replace(/(\.\d{3})\d*Z$/, '$1Z')),
    ) as [number, number, number, number]
    if (judged - at <= longest) continue
    longest = judged - at
    found = { batch: sealed - at, stream: arrived - sealed, evaluate: judged - arrived }
  }
  return found
}
