import { writeFileSync } from 'node:fs'
import { encodeArtefact } from '#artefact'
import { artefactOf } from './artefact.ts'
import { type Io, UsageError } from './io.ts'
import { loadRuleFiles, parseRuleOptions, sharedUsage } from './rule-options.ts'
import { showErrors } from './rules-check.ts'
import { sha256 } from './sha256.ts'

export const usage = `usage: lanner rules compile PATH... --out FILE [OPTION]...

Writes rules, correlations, suppressions and runbooks as the one file that functions load, and prints
its hash. Nothing is written when there is a mistake.

  --out FILE                where to write it
${sharedUsage}`

export async function run(args: readonly string[], io: Io): Promise<number> {
  const { rules, values, positionals } = parseRuleOptions(args, { out: { type: 'string' } })
  if (values.out === undefined) throw new UsageError('--out FILE is needed')
  const loaded = loadRuleFiles(rules, positionals)
  if (!loaded.ok) {
    showErrors(loaded, io)
    return 1
  }
  const text = encodeArtefact(artefactOf(loaded, rules.selections))
  writeFileSync(values.out, text)
  io.out(`${sha256(text)}\n`)
  return 0
}
