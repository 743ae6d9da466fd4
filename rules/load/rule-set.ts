import type { Expr, Rule } from '#engine'
import type { Position } from './diagnostic.ts'

/** A rule ready to run, and what people want to know of it. */
export interface LoadedRule extends Rule {
  /** As written, appended parts and exceptions included. */
  readonly conditionText: string
  /** As written, without what is appended to every output. */
  readonly outputText: string
  readonly at: Position
  readonly capture: boolean
  /** Milliseconds; 0 is the default of the capture. */
  readonly captureDuration: number
  /** Names that the condition mentions itself. */
  readonly macros: readonly string[]
  readonly lists: readonly string[]
  readonly exceptionNames: readonly string[]
  /** Exceptions with values: the last members of the condition, one each, in this order. */
  readonly exceptionClauses: readonly string[]
  readonly exceptionFields: readonly string[]
  readonly exceptionOperators: readonly string[]
}

export interface LoadedMacro {
  readonly name: string
  readonly conditionText: string
  /** Its own macros resolved. */
  readonly condition: Expr
  readonly used: boolean
  readonly macros: readonly string[]
  readonly lists: readonly string[]
  readonly at: Position
}

export interface LoadedList {
  readonly name: string
  readonly items: readonly string[]
  readonly used: boolean
  readonly at: Position
}

/** A rule that is right, but cannot run here. */
export interface InactiveRule {
  readonly name: string
  readonly reason: string
  readonly at: Position
}

export interface RequiredPlugin {
  readonly name: string
  readonly version: string
  readonly alternatives: readonly { readonly name: string; readonly version: string }[]
}

export interface RuleSet {
  /** In the order in which they are tried. */
  readonly rules: readonly LoadedRule[]
  readonly macros: readonly LoadedMacro[]
  readonly lists: readonly LoadedList[]
  readonly inactive: readonly InactiveRule[]
  /** Plugins that are asked for, are not there, and only inactive rules can need. */
  readonly missingPlugins: readonly string[]
  /** The highest engine version that any file asks for; "" when none does. */
  readonly requiredEngineVersion: string
  readonly requiredPlugins: readonly RequiredPlugin[]
}
