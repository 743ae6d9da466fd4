import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { RuleArtefact } from '#artefact'
import { ruleSetHash, type Selection } from '#load'
import type { LoadedFiles } from './rule-options.ts'
import { runbooksBeside, runbooksOf } from './runbooks.ts'
import { sha256 } from './sha256.ts'

/** What functions load of rules that were read without a mistake. */
export function artefactOf(
  { sources, ruleSet, correlations, suppressions }: LoadedFiles,
  selections: readonly Selection[],
): RuleArtefact {
  const files = [...sources, ...correlations.files.map(({ file }) => file)]
  const named = [...ruleSet.rules, ...correlations.correlations]
  const paths = runbooksOf(named, runbooksBeside(files))
  const nameOf = (path: string) => basename(path, '.md')
  return {
    ruleset: ruleSetHash(sources, selections, sha256),
    rules: ruleSet.rules.filter(({ enabled }) => enabled),
    correlations: correlations.correlations.map(({ at: _, ...correlation }) => correlation),
    suppressions: suppressions.suppressions,
    runbooks: Object.fromEntries(
      [...paths.values()].map((path) => [nameOf(path), readFileSync(path, 'utf8')]),
    ),
    runbookOf: Object.fromEntries([...paths].map(([rule, path]) => [rule, nameOf(path)])),
  }
}
