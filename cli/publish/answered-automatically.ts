import type { RuleArtefact } from '#artefact'
import { priorityNames } from '#engine'
import { comparePolicies, mismatch, type ResponsePolicy } from '#responses'

/**
 * Which of these rules of a set may be answered without a person, by which responses; a sentence each. What
 * responses ask of fields and source is taken to hold: only an event can tell.
 */
export function answeredAutomatically(
  { rules, correlations }: Pick<RuleArtefact, 'rules' | 'correlations'>,
  names: readonly string[],
  policy: ResponsePolicy,
): string[] {
  const { modes, automatic } = comparePolicies(undefined, policy)
  const acting = new Set(modes.filter(({ to }) => to === 'auto').map(({ rule }) => rule))
  const isUnknown = acting.size === 0 && automatic.length > 0
  return [...rules, ...correlations]
    .filter(({ name }) => names.includes(name))
    .flatMap(({ name, priority, tags }) => {
      const detection = {
        ...{ rule: name, priority: priorityNames[priority]!, tags, source: '', output_fields: {} },
      }
      return policy.rules
        .filter((rule) => acting.has(rule.name) || isUnknown)
        .filter(({ match }) => {
          return mismatch({ ...match, fields: [], source: undefined }, detection) === undefined
        })
        .map((rule) => `"${name}" may be answered automatically, by "${rule.name}"`)
    })
}
