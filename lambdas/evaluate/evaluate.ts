import type { Correlation } from '#correlate'
import {
  Conclude,
  type ConcludeFigures,
  type ConcludeOptions,
  type LakePlace,
} from '../shared/conclude.ts'
import { groupOfFinding } from '../shared/incidents/group.ts'
import type { Grouped } from '../shared/incidents/incidents.ts'
import type { Nodes } from '../shared/nodes/index.ts'
import type { RuleSets } from '../shared/rule-sets/rule-sets.ts'
import type { Senders } from '../shared/senders/index.ts'
import { detectionOfFinding, findingId, type SensorFinding } from '../shared/sensor-finding.ts'
import { sha256 } from '../shared/sha256.ts'
import { judge, type Verdict } from './judge.ts'
import type { JudgeSet } from './prepare-set.ts'
import {
  type KinesisEvent,
  type KinesisRecord,
  type PoisonRecord,
  type ReadRecord,
  readRecord,
} from './read-record.ts'
import { WatchExpectations } from './watch-expectations.ts'

export interface EvaluateOptions extends ConcludeOptions {
  readonly sets: Pick<RuleSets<JudgeSet>, 'of'>
  readonly senders: Pick<Senders, 'judge'>
  readonly nodes: Pick<Nodes, 'take'>
  /** Keeps a record that cannot be read, with its bytes. */
  readonly isolate: (poison: PoisonRecord) => Promise<void>
}

/** What one invocation did, for metrics. */
export interface EvaluateFigures extends ConcludeFigures {
  readonly batches: number
  readonly events: number
  /** About senders and nodes. */
  readonly findings: number
  /** Records that were no batches. */
  readonly poison: number
  /** Batches of nodes that filter by other rules than those in force. */
  readonly otherRules: number
  /** Milliseconds by hop, of each canary that came. */
  readonly canaries: readonly Readonly<Record<string, number>>[]
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
  readonly #conclude: Conclude
  readonly #expectations: WatchExpectations

  constructor(options: EvaluateOptions) {
    this.#options = options
    this.#conclude = new Conclude(options)
    this.#expectations = new WatchExpectations(options)
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
      records.map(({ batch, announcement, arrivedAt }, at) => ({
        ...{ header: batch.header, notices: batch.notices, arrivedAt },
        ...(announcement !== undefined && { announcement }),
        sender: judged[at]!.sender,
      })),
    )
    await this.#expectations.take(
      records,
      (at) => judged[at]!.sender,
      (header) => known.gapsOf(header).length > 0,
    )
    const verdicts: Verdict[] = []
    const setOf = new Map<Correlation, JudgeSet>()
    let otherRules = 0
    for (const [at, record] of records.entries()) {
      const { sender } = judged[at]!
      // Whoever sent it is told of; nobody is accused by it.
      if (sender === 'mismatched') continue
      const { header } = record.batch
      const set = await this.#options.sets.of(header.cluster)
      if (header.rulesetHash !== set.ruleset) otherRules += 1
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
    const concluded = await this.#conclude.run({
      contributions: verdicts.flatMap(({ contributions }) => contributions),
      firingContext: ({ correlation, unsure }) => ({
        ...{ set: setOf.get(correlation)!, evaluateTime },
        sender: unsure ? 'unverified' : 'verified',
        ...this.#home(),
      }),
      grouped: [
        ...verdicts.flatMap(({ grouped }) => grouped),
        ...findings.map((finding) => this.#groupedFinding(finding, evaluateTime)),
      ],
      parts: verdicts.flatMap(({ parts }) => parts),
      health: known.health,
      lake: lakePlace(records),
    })
    return {
      batches: records.length,
      events: records.reduce((sum, { batch }) => sum + batch.events.length, 0),
      ...{ findings: findings.length, otherRules },
      canaries: known.health.flatMap(({ hops }) => (hops === undefined ? [] : [hops])),
      ...concluded,
    }
  }

  #groupedFinding(finding: SensorFinding, evaluatedAt: string): Grouped {
    return {
      group: groupOfFinding(finding),
      unit: { id: findingId(finding, sha256) },
      detection: detectionOfFinding(finding, { sha256, evaluatedAt, ...this.#home() }),
    }
  }

  #home(): { readonly account?: string; readonly region?: string } {
    const { account, region } = this.#options
    return {
      ...(account !== undefined && { account }),
      ...(region !== undefined && { region }),
    }
  }
}

/** One object an invocation, named by its first record. */
function lakePlace([first]: readonly ReadRecord[]): LakePlace | undefined {
  if (first === undefined) return undefined
  const name = first.record.eventID.replace(/[^\w-]/g, '_')
  return { time: new Date(first.arrivedAt).toISOString(), name }
}
