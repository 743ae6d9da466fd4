import { createHash } from 'node:crypto'
import type { BatchHeader, Notice } from '#events'
import type { SenderState } from '../detection.ts'
import { itemKey } from '../state-key.ts'
import type { Segment } from './ranges.ts'

/** A batch that arrived, as far as its node is concerned. */
export interface NodeBatch {
  readonly header: BatchHeader
  readonly notices: readonly Notice[]
  /** When the stream took it, milliseconds of the epoch. */
  readonly arrivedAt: number
  readonly sender: SenderState
  /** What its sensor announced with it. */
  readonly announcement?: { readonly instance: string }
}

/** What arrived of a run in one call. Times are milliseconds of the epoch. */
export interface RunTally {
  readonly boot: string
  /** Decimal. */
  readonly run: string
  readonly previous: { readonly run: string; readonly sequence: number } | null
  readonly segments: readonly Segment[]
  /** The most that was counted as lost, by place. */
  readonly lost: Readonly<Record<string, number>>
  /** When the batch with its goodbye was sealed; 0 without one. */
  readonly goodbye: number
}

/** What arrived of a node in one call. Plain JSON. */
export interface NodeTally {
  readonly cluster: string
  readonly node: string
  /** Those that only say they are this node are counted apart: they cannot speak for it. */
  readonly isVerified: boolean
  readonly instance: string
  /** When the first and the last of it arrived. */
  readonly since: number
  readonly at: number
  readonly runs: readonly RunTally[]
}

/** Key of the state of a node. */
export function nodeKey(of: Pick<NodeTally, 'cluster' | 'node' | 'isVerified'>): string {
  return itemKey('node', of.isVerified ? 'v' : 'u', of.cluster, of.node)
}

/** Counts a call's batches by node. Those of a `mismatched` sender count for nobody. */
export function tallyOf(batches: readonly NodeBatch[]): NodeTally[] {
  const counted = batches.filter(({ sender }) => sender !== 'mismatched')
  const byNode = Map.groupBy(counted, ({ header: { cluster, node }, sender }) =>
    nodeKey({ cluster, node, isVerified: sender === 'verified' }),
  )
  return [...byNode.values()].map((own) => {
    const { header, sender } = own[0]!
    const instances = own.map(({ announcement }) => announcement?.instance ?? '')
    return {
      cluster: header.cluster,
      node: header.node,
      isVerified: sender === 'verified',
      instance: instances.findLast((instance) => instance !== '') ?? '',
      since: Math.min(...own.map(({ arrivedAt }) => arrivedAt)),
      at: Math.max(...own.map(({ arrivedAt }) => arrivedAt)),
      runs: [...Map.groupBy(own, ({ header: { run } }) => run).values()].map(runTally),
    }
  })
}

function runTally(batches: readonly NodeBatch[]): RunTally {
  const { boot, run, previous } = batches[0]!.header
  const lost: Record<string, number> = {}
  for (const { header } of batches) {
    for (const [place, count] of Object.entries(header.counters.lost)) {
      lost[place] = Math.max(lost[place] ?? 0, count)
    }
  }
  const goodbyes = batches.filter(({ notices }) => notices.some(({ kind }) => kind === 'stopped'))
  return {
    boot,
    run: `${run}`,
    previous: previous ? { run: `${previous.run}`, sequence: previous.sequence } : null,
    segments: segmentsOf(batches.map(({ header }) => header)),
    lost,
    goodbye: Math.max(0, ...goodbyes.map(({ header }) => milliseconds(header.sealedAt))),
  }
}

function segmentsOf(headers: readonly BatchHeader[]): Segment[] {
  const segments: Segment[] = []
  for (const { sequence, sealedAt } of headers.toSorted((a, b) => a.sequence - b.sequence)) {
    const sealed = milliseconds(sealedAt)
    const last = segments.at(-1)
    if (last === undefined || sequence > last[1] + 1) {
      segments.push([sequence, sequence, sealed, sealed])
    } else segments[segments.length - 1] = [last[0], sequence, last[2], sealed]
  }
  return segments
}

export const milliseconds = (nanoseconds: bigint) => Number(nanoseconds / 1_000_000n)

/** Nodes of one item of state. */
const mostNodes = 100

/** The tallies of a call as items, under keys that stay the same when the same call comes again. */
export function tallyItems(
  tallies: readonly NodeTally[],
): { readonly key: string; readonly value: { readonly nodes: readonly NodeTally[] } }[] {
  return Array.from({ length: Math.ceil(tallies.length / mostNodes) }, (_, index) => {
    const nodes = tallies.slice(index * mostNodes, (index + 1) * mostNodes)
    const name = createHash('sha256').update(JSON.stringify(nodes)).digest('hex').slice(0, 40)
    return { key: itemKey('tally', name), value: { nodes } }
  })
}
