import type { LoadedRule, RuleSet } from './rule-set.ts'

/** Enables or disables rules by a name pattern (`*` stands for any text) or by an exact tag. */
export interface Selection {
  readonly enable: boolean
  readonly by: { readonly rule: string } | { readonly tag: string }
}

/**
 * Applies selections in order, over what the files say. As in Falco, a rule that a selection turns on
 * is tried after those that were on before.
 */
export function selectRules(ruleSet: RuleSet, selections: readonly Selection[]): RuleSet {
  if (selections.length === 0) return ruleSet
  let rules = [...ruleSet.rules]
  for (const { enable, by } of selections) {
    const applies = ({ name, tags }: LoadedRule) =>
      'tag' in by ? tags.includes(by.tag) : matchesPattern(name, by.rule)
    const changed = rules.filter((rule) => rule.enabled !== enable && applies(rule))
    if (changed.length === 0) continue
    const among = new Set(changed)
    const others = (rule: LoadedRule) => (among.has(rule) ? { ...rule, enabled: enable } : rule)
    rules = enable
      ? [...rules.filter((rule) => !among.has(rule)), ...changed.map(others)]
      : rules.map(others)
  }
  return { ...ruleSet, rules }
}

/**
 * Whether a pattern, in which `*` stands for any text, covers a whole name. As in Falco each piece
 * between stars is taken where it first occurs, and never again: `*a` does not cover "banana".
 */
export function matchesPattern(name: string, pattern: string): boolean {
  const [first, ...pieces] = pattern.split('*') as [string, ...string[]]
  if (pieces.length === 0) return name === pattern
  if (!name.startsWith(first)) return false
  let at = first.length
  for (const piece of pieces) {
    if (piece === '') continue
    const found = name.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return pieces.at(-1) === '' || at === name.length
}
