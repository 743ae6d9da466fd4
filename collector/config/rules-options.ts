import type { Selection } from '#load'
import type { NodeRulesOptions } from '../agent/node-rules.ts'
import type { Config } from './settings.ts'

/** How the rules of a configuration are to be loaded. */
export function rulesOptions({ rules }: Config): NodeRulesOptions {
  const selections = (enable: boolean, patterns: readonly string[]): Selection[] =>
    patterns.map((text) => ({
      enable,
      by: text.startsWith('tag=') ? { tag: text.slice(4) } : { rule: text },
    }))
  return {
    selections: [...selections(true, rules.enable), ...selections(false, rules.disable)],
    matching: rules.matching,
  }
}
