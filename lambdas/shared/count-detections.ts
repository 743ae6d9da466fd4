import type { Detection } from './detection.ts'
import { emitCounts } from './emit-counts.ts'
import { other, tactics } from './metric-dimensions.ts'

/** How many detections there were of what. */
export interface DetectionCounts {
  /** One of several tactics counts for each of them. */
  readonly byTactic: Readonly<Record<string, number>>
  /** As batches name them. */
  readonly byCluster: Readonly<Record<string, number>>
}

const tagged: ReadonlyMap<string, string> = new Map(
  tactics.map((tactic) => [`mitre_${tactic}`, tactic]),
)

export function countDetections(detections: readonly Detection[]): DetectionCounts {
  const byTactic = new Map<string, number>()
  const byCluster = new Map<string, number>()
  for (const { tags, lanner } of detections) {
    const named = new Set(tags.flatMap((tag) => tagged.get(tag) ?? []))
    for (const tactic of named.size === 0 ? [other] : named) increase(byTactic, tactic, 1)
    increase(byCluster, lanner.cluster, 1)
  }
  return { byTactic: Object.fromEntries(byTactic), byCluster: Object.fromEntries(byCluster) }
}

/** Counts of clusters that are known by name; all others are one, as a node may claim any name. */
export function boundClusters(
  byCluster: DetectionCounts['byCluster'],
  known: ReadonlySet<string>,
): Readonly<Record<string, number>> {
  const bound = new Map<string, number>()
  for (const [cluster, count] of Object.entries(byCluster)) {
    increase(bound, known.has(cluster) ? cluster : other, count)
  }
  return Object.fromEntries(bound)
}

/** As metrics. `clusters`: names with commas between, as the variable CLUSTERS holds them. */
export function emitDetections({ byTactic, byCluster }: DetectionCounts, clusters: string): void {
  const known = new Set(clusters.split(',').filter((name) => name !== ''))
  emitCounts('Detections', 'tactic', byTactic)
  emitCounts('Detections', 'cluster', boundClusters(byCluster, known))
}

function increase(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}
