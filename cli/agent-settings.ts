import type { RuleSwitches } from './rule-options.ts'

/** What the command line hands to the agent; the agent itself reads nothing else of the operator's. */
export interface AgentSettings {
  readonly mode: 'watch' | 'record'
  /** Texts of the rules files, read where they may be unreadable for the agent. */
  readonly rules: readonly { readonly name: string; readonly text: string }[]
  readonly switches: RuleSwitches
  /** Path of the staged addon is beside the program; see `live.ts`. */
  readonly json: boolean
  readonly color: boolean
  /** A status line is kept at the end of the screen. */
  readonly terminal: boolean
  /** Seconds until it ends by itself. */
  readonly duration: number | undefined
  readonly hostname: string
  readonly cluster: string
}
