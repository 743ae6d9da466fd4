import { createHash } from 'node:crypto'
import { compileRules, type Program, type Rule, type RuleMatching, relaxRules } from '#engine'
import { type FieldRef, type SyscallEvent, syscallSource } from '#events'
import { formatDiagnostic, loadRules, ruleSetHash, type Selection, type SourceFile } from '#load'
import { needsOf, type RuleNeeds } from './rule-needs.ts'

/** A set of rules as a node uses it. */
export interface NodeRules {
  /** Of the texts and selections: the same rules have the same hash on every node. */
  readonly hash: string
  /** What some rule could match, given what this node cannot know: what is shipped. */
  readonly edge: Program<SyscallEvent>
  /** Those in force. */
  readonly enabled: readonly Rule[]
  /** The rules themselves, for alerts made here; compiled when first asked for. */
  full(): Program<SyscallEvent>
  /** Rules in force. */
  readonly count: number
  readonly needs: RuleNeeds
}

export interface NodeRulesOptions {
  readonly selections: readonly Selection[]
  readonly matching: RuleMatching
}

/** Loads and compiles rules; `mistakes` has a text for each error when they are not to be used. */
export function compileNodeRules(
  files: readonly SourceFile[],
  { selections, matching }: NodeRulesOptions,
): { readonly rules: NodeRules } | { readonly mistakes: readonly string[] } {
  const loaded = loadRules(files, { selections })
  if (!loaded.ok) {
    const diagnostics = loaded.files.flatMap((file) => file.diagnostics)
    return {
      mistakes: diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic),
    }
  }
  const { rules } = loaded.ruleSet
  const enabled = rules.filter((rule) => rule.enabled)
  let full: Program<SyscallEvent> | undefined
  return {
    rules: {
      hash: ruleSetHash(files, selections, sha256),
      edge: compileRules(edgeRules(enabled), syscallSource, { matching: 'all' }),
      full() {
        full ??= compileRules(enabled, syscallSource, { matching })
        return full
      },
      enabled,
      count: enabled.length,
      needs: needsOf({ rules: enabled }),
    },
  }
}

/**
 * The rules with every check taken for possible that a node cannot answer for sure: what the
 * Kubernetes API says of a container may come after its first events.
 */
export function edgeRules(rules: readonly Rule[]): Rule[] {
  return relaxRules(rules, isKnownOnNode)
}

/** Container fields that follow from the kernel's own facts. */
const knownOfContainers = new Set([
  'container.id',
  'container.full_id',
  'container.type',
  'container.start_ts',
  'container.duration',
])

function isKnownOnNode({ name }: FieldRef): boolean {
  if (name.startsWith('k8s.')) return false
  return !name.startsWith('container.') || knownOfContainers.has(name)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
