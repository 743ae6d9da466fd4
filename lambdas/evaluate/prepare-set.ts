import { type RuleArtefact, Suppressions } from '#artefact'
import { type CorrelationPlan, compileCorrelations } from '#correlate'
import { compileRules, type Program } from '#engine'
import { type SyscallEvent, syscallSource } from '#events'
import { sha256 } from '../shared/sha256.ts'

/** A rule set ready to judge. */
export interface JudgeSet {
  /** Of the artefact, and the one by which nodes name the same rules. */
  readonly hash: string
  readonly ruleset: string
  readonly program: Program<SyscallEvent>
  readonly plan: CorrelationPlan<SyscallEvent>
  readonly suppressions: Suppressions<SyscallEvent>
  readonly runbookOf: Readonly<Record<string, string>>
}

/** Compiles an artefact; every rule that matches counts, whatever the order. */
export function prepareSet(artefact: RuleArtefact, hash: string): JudgeSet {
  const { ruleset, rules, correlations, suppressions, runbookOf } = artefact
  return {
    ...{ hash, ruleset, runbookOf },
    program: compileRules(rules, syscallSource, { matching: 'all' }),
    plan: compileCorrelations(correlations, rules, syscallSource, sha256),
    suppressions: new Suppressions(suppressions, syscallSource),
  }
}
