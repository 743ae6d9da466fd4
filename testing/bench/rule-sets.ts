import { fileURLToPath } from 'node:url'
import { corpus } from '../live/machine.ts'

/** Rules to measure with. */
export interface RuleSet {
  readonly name: string
  readonly paths: readonly string[]
}

const own = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** One rule that looks at opens and connects and never matches: the cost of everything but rules. */
export const neverMatching: RuleSet = { name: 'one rule', paths: [own('rules/never.yaml')] }
export const library: RuleSet = { name: 'library', paths: [own('../../rules/library')] }
/** Rules that the latency probes match, beside the library's. */
export const probes: RuleSet = {
  name: 'library and probes',
  paths: [...library.paths, own('rules/probes.yaml')],
}

/** The official rules, where this machine has them: the stable file, and all three. */
export function officialSets(): readonly RuleSet[] {
  const directory = corpus()
  if (directory === undefined) return []
  const file = (name: string) => `${directory}/falco/${name}`
  const stable = file('falco_rules.yaml')
  return [
    { name: 'stable', paths: [stable] },
    {
      name: 'all three',
      paths: [stable, file('falco-incubating_rules.yaml'), file('falco-sandbox_rules.yaml')],
    },
  ]
}
