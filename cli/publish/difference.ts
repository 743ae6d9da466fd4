import { decodeArtefact, encodeArtefact, type RuleArtefact } from '#artefact'
import { type Assignment, setOf } from '../../lambdas/shared/rule-sets/assignment.ts'
import type { RuleBucket } from '../rule-bucket.ts'

/** Names of rules and correlations. */
export interface Difference {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly string[]
}

/** What a set changes for the first of the clusters it is for, or for all others. */
export async function artefactDifference(
  bucket: RuleBucket,
  before: Assignment,
  clusters: readonly string[] | undefined,
  artefact: RuleArtefact,
): Promise<Difference> {
  const old = clusters === undefined ? before.default : setOf(before, clusters[0] ?? '')
  const text = old === undefined ? undefined : await bucket.set(old)
  // As it will be read again: what stands for nothing is left out on both sides.
  const now = decodeArtefact(encodeArtefact(artefact))
  return differenceOf(text === undefined ? undefined : decodeArtefact(text), now)
}

export function differenceOf(old: RuleArtefact | undefined, now: RuleArtefact): Difference {
  const [before, after] = [byName(old), byName(now)]
  return {
    added: [...after.keys()].filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    changed: [...after]
      .filter(([name, text]) => (before.get(name) ?? text) !== text)
      .map(([name]) => name),
  }
}

function byName(artefact: RuleArtefact | undefined): ReadonlyMap<string, string> {
  const { rules = [], correlations = [] } = artefact ?? {}
  const text = (one: object) =>
    JSON.stringify(one, (_, value) => {
      return typeof value === 'bigint' ? `${value}` : value
    })
  return new Map([...rules, ...correlations].map((one) => [one.name, text(one)]))
}
