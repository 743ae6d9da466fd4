import { createHash } from 'node:crypto'
import type { StateStore } from '#correlate'
import type { BatchHeader, Notice } from '#events'
import type { SensorFinding } from '../../sensor-finding.ts'
import { sweepCanaries } from '../sweep-canaries.ts'
import { sweepNodes, sweepTallies } from '../sweep-nodes.ts'
import type { NodeBatch } from '../tally.ts'

/** Second of the epoch at which the tests begin. */
export const start = 1_790_000_100

export const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** A batch that arrived when it was sealed, unless `more` says otherwise. */
export function batchOf(
  more: Partial<Omit<BatchHeader, 'sealedAt'>> & { readonly sealedAt?: number },
  batch: Partial<NodeBatch> = {},
): NodeBatch {
  const { sealedAt = start * 1000, ...names } = more
  const time = BigInt(sealedAt) * 1_000_000n
  const header: BatchHeader = {
    ...{ cluster: 'prod', node: 'a', boot: 'boot-1', run: 1n, sequence: 0, previous: undefined },
    ...{ rulesetHash: '', keyId: '', compression: 0, eventCount: 0 },
    ...{ counters: { seen: 0, filtered: 0, folded: 0, lost: {} }, signature: new Uint8Array(64) },
    ...{ sealedAt: time, firstTime: time, lastTime: time },
    ...names,
  }
  return { header, notices: [], arrivedAt: sealedAt, sender: 'verified', ...batch }
}

export function notice(kind: Notice['kind'], milliseconds: number): Notice {
  return { kind, time: BigInt(milliseconds) * 1_000_000n, text: kind }
}

/** One sweep as the stage does it, at a second of the epoch; gives what was told. */
export async function sweep(store: StateStore, second: number): Promise<SensorFinding[]> {
  const options = {
    ...{ store, sha256, now: () => second, random: () => 0, pause: async () => {} },
  }
  const keys = await store.due(second, 10_000)
  const of = (kind: string) => keys.filter((key) => key.startsWith(`${kind}/`))
  const nodes = new Set([...of('node'), ...(await sweepTallies(of('tally'), options))])
  const told: SensorFinding[] = []
  for (const swept of [
    await sweepNodes([...nodes], options),
    await sweepCanaries(of('canary'), options),
  ]) {
    told.push(...swept.findings)
    await swept.markTold()
  }
  return told
}
