import type { Priority, RuleMatching } from '#engine'
import type { OutputAddition, Selection, SourceFile } from '#load'

/** What the command line hands to the agent; the agent itself reads nothing else of the operator's. */
export interface AgentSettings {
  readonly mode: 'watch' | 'record'
  /** Texts of the rules files, read where they may be unreadable for the agent. */
  readonly files: readonly SourceFile[]
  /** Texts of the correlation files; none while recording. */
  readonly correlations?: readonly SourceFile[]
  readonly matching: RuleMatching
  readonly leastPriority: Priority
  readonly selections: readonly Selection[]
  readonly additions: readonly OutputAddition[] | undefined
  readonly strictCompat: boolean
  readonly json: boolean
  readonly color: boolean
  /** A line of figures is kept at the end of the screen. */
  readonly terminal: boolean
  /** Seconds until it ends by itself. */
  readonly duration: number | undefined
  readonly hostname: string
  /** Runbook beside each rules file that has one. */
  readonly runbooks: Readonly<Record<string, string>>
}
