import type { Correlation } from '#correlate'
import type { Rule } from '#engine'
import type { Suppression } from './suppression.ts'

/** A rule set as functions load it: checked and resolved, no YAML left. */
export interface RuleArtefact {
  /** Hash by which nodes name the same rules in their batches. */
  readonly ruleset: string
  readonly rules: readonly Rule[]
  readonly correlations: readonly Correlation[]
  readonly suppressions: readonly Suppression[]
  /** Markdown by name. */
  readonly runbooks: Readonly<Record<string, string>>
  /** Name of the runbook of a rule or correlation. */
  readonly runbookOf: Readonly<Record<string, string>>
}

/** Why a text is not an artefact that this build can use. */
export class ArtefactError extends Error {
  override readonly name = 'ArtefactError'
}

const format = 'lanner rules'
const version = 1

/**
 * The artefact as text. Equal artefacts give equal texts, so that the hash of the text names what is
 * in it.
 */
export function encodeArtefact(artefact: RuleArtefact): string {
  const { ruleset, rules, correlations, suppressions, runbooks, runbookOf } = artefact
  const members = {
    ...{ format, version, ruleset },
    rules: rules.map(ruleAlone),
    ...{ correlations, suppressions },
    ...{ runbooks: sorted(runbooks), runbookOf: sorted(runbookOf) },
  }
  return JSON.stringify(members, (_, value: unknown) =>
    typeof value === 'bigint' ? { [integer]: String(value) } : value,
  )
}

/**
 * Reads an artefact. Throws an {@link ArtefactError} for another version or format; what the text
 * holds beyond that is for its hash to vouch for.
 */
export function decodeArtefact(text: string): RuleArtefact {
  let found: Partial<RuleArtefact> & { format?: unknown; version?: unknown }
  try {
    found = JSON.parse(text, (_, value: unknown) => {
      const digits = (value as Record<string, unknown> | null)?.[integer]
      return typeof digits === 'string' ? BigInt(digits) : value
    })
  } catch (cause) {
    throw new ArtefactError(`the rule set is no JSON: ${(cause as Error).message}`, { cause })
  }
  if (found?.format !== format) throw new ArtefactError('this is not a rule set of Lanner')
  if (found.version !== version) {
    throw new ArtefactError(
      `rule sets of version ${found.version} are not known here, only ${version}: ` +
        'deploy the functions before you publish with a newer command',
    )
  }
  const { ruleset, rules, correlations, suppressions, runbooks, runbookOf } = found
  const lists = [rules, correlations, suppressions]
  if (typeof ruleset !== 'string' || !lists.every(Array.isArray) || !runbooks || !runbookOf) {
    throw new ArtefactError('the rule set lacks a part')
  }
  return {
    ...{ ruleset, rules: rules!, correlations: correlations!, suppressions: suppressions! },
    ...{ runbooks, runbookOf },
  }
}

/** Key of an object that stands for an integer beyond the safe range. */
const integer = '$integer'

/** What the engine needs of a rule; a loaded one knows more. */
function ruleAlone(rule: Rule): Rule {
  const { name, source, description, condition, output, extraFields, priority, tags, enabled } =
    rule
  return { name, source, description, condition, output, extraFields, priority, tags, enabled }
}

function sorted(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).sort(([a], [b]) => (a < b ? -1 : 1)))
}
