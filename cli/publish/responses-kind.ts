import {
  comparePolicies,
  type PolicyDifference,
  type ResponsePolicy,
  readResponses,
} from '#responses'
import { clustersKey, readClusters } from '../../lambdas/respond/access/read-clusters.ts'
import { responsesKey } from '../../lambdas/respond/policy-in-force.ts'
import type { RuleBucket } from '../rule-bucket.ts'
import type { FileKind } from './file-kind.ts'

/** What answers a detection. */
export const responsesKind: FileKind = {
  what: 'responses',
  key: responsesKey,
  none: '# Nothing answers a detection.\n',
  about: `Puts into force what answers detections, and how far it may go where. Every rule, cluster and namespace
whose mode changes is shown; what becomes automatic is refused without --allow-auto.`,
  check(file, known) {
    return readResponses([file], known?.rules ?? []).files.flatMap(({ diagnostics }) => diagnostics)
  },
  async compare(before, after, bucket) {
    const was = before === undefined ? undefined : policyIn(before)
    const clusters = await clusterNames(bucket)
    const difference = comparePolicies(was, policyIn(after)!, clusters)
    const unreadable = before !== undefined && was === undefined ? [allIsNew] : []
    return { lines: [...unreadable, ...linesOf(difference)], automatic: difference.automatic }
  },
}

/** Said of what is in force when it has mistakes. */
export const allIsNew = 'what is in force has mistakes and is not read: everything counts as new'

/** The policy that a text holds; `undefined` when it has a mistake. */
export function policyIn(text: string): ResponsePolicy | undefined {
  const { ok, policy } = readResponses([{ name: responsesKey, text }])
  return ok ? policy : undefined
}

async function clusterNames(bucket: RuleBucket): Promise<readonly string[]> {
  const held = await bucket.read(clustersKey)
  if (held === undefined) return []
  return [...readClusters({ name: clustersKey, text: held.text }).clusters.keys()]
}

function linesOf({ modes, rules, settings }: PolicyDifference): string[] {
  return [
    ...modes.map(({ rule, from, to, clusters, namespaces }) => {
      if (to === 'none') return `gone: "${rule}" (was ${from}) in ${clusters}, ${namespaces}`
      if (from === 'none') return `new: "${rule}": ${to} in ${clusters}, ${namespaces}`
      return `mode: "${rule}": ${from} -> ${to} in ${clusters}, ${namespaces}`
    }),
    ...rules.map(({ rule, what }) => `changed: "${rule}": ${what.join(', ')}`),
    ...settings,
  ]
}
