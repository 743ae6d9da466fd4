import { decodeArtefact } from '#artefact'
import type { KnownNames } from '#routes'
import type { Assignment } from '../../lambdas/shared/rule-sets/assignment.ts'
import type { RuleBucket } from '../rule-bucket.ts'

/** Names and tags of all rules that judge any cluster; `undefined` when none do, or one set is unreadable. */
export async function namesInForce(
  bucket: RuleBucket,
  { default: fallback, clusters, labels }: Assignment,
): Promise<KnownNames | undefined> {
  const own = Object.values(clusters).flatMap(({ set }) => set ?? [])
  const hashes = new Set([
    ...(fallback === undefined ? [] : [fallback]),
    ...own,
    ...Object.values(labels),
  ])
  const rules = new Set<string>()
  const tags = new Set<string>()
  for (const hash of hashes) {
    const text = await bucket.set(hash)
    if (text === undefined) return undefined
    try {
      const artefact = decodeArtefact(text)
      for (const one of [...artefact.rules, ...artefact.correlations]) {
        rules.add(one.name)
        for (const tag of one.tags) tags.add(tag)
      }
    } catch {
      return undefined // functions say what is wrong with it; names are a help here
    }
  }
  return rules.size === 0 ? undefined : { rules: [...rules], tags: [...tags] }
}
