import type { Assignment } from '../../lambdas/shared/rule-sets/assignment.ts'
import { UsageError } from '../io.ts'
import { sha256 } from '../sha256.ts'

/** The assignment with a set for these clusters, or as the default of all that have none of their own. */
export function withSet(
  before: Assignment,
  clusters: readonly string[] | undefined,
  set: string,
): Assignment {
  if (clusters === undefined) return { ...before, default: set }
  const changed = clusters.map((name) => {
    const labels = Object.hasOwn(before.clusters, name) ? before.clusters[name]!.labels : []
    return [name, { set, labels }]
  })
  return { ...before, clusters: { ...before.clusters, ...Object.fromEntries(changed) } }
}

/**
 * A share of clusters, at least one: always the same ones, so that a larger share holds the smaller.
 * Without a choice, of all that the assignment names.
 */
export function canaries(
  before: Assignment,
  clusters: readonly string[] | undefined,
  percent: number,
): readonly string[] {
  const all = clusters ?? Object.keys(before.clusters)
  if (all.length === 0) throw new UsageError('--canary needs --clusters: none is known yet')
  const inOrder = [...all].sort((a, b) => (sha256(a) < sha256(b) ? -1 : 1))
  return inOrder.slice(0, Math.max(1, Math.round((all.length * percent) / 100)))
}
