import type { RuleSet } from './rule-set.ts'

/** Enables or disables rules by a name pattern (`*` stands for any text) or by an exact tag. */
export interface Selection {
  readonly enable: boolean
  readonly by: { readonly rule: string } | { readonly tag: string }
}

/** Applies selections in order, over what the files say. */
export function selectRules(ruleSet: RuleSet, selections: readonly Selection[]): RuleSet {
  if (selections.length === 0) return ruleSet
  const rules = ruleSet.rules.map((rule) => {
    let { enabled } = rule
    for (const { enable, by } of selections) {
      const applies = 'tag' in by ? rule.tags.includes(by.tag) : matchesPattern(rule.name, by.rule)
      if (applies) enabled = enable
    }
    return enabled === rule.enabled ? rule : { ...rule, enabled }
  })
  return { ...ruleSet, rules }
}

/** Whether a pattern, in which only `*` has a meaning, covers a whole name. */
export function matchesPattern(name: string, pattern: string): boolean {
  const pieces = pattern.split('*')
  if (pieces.length === 1) return name === pattern
  const first = pieces[0]!
  const last = pieces.at(-1)!
  if (name.length < first.length + last.length) return false
  if (!name.startsWith(first) || !name.endsWith(last)) return false
  let at = first.length
  for (const piece of pieces.slice(1, -1)) {
    const found = name.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return at <= name.length - last.length
}
