import type { Context, Place } from './diagnostic.ts'
import type { SourcedText } from './sourced-text.ts'

/** What a rules file holds, item by item, as written. */
export type Item = VersionItem | PluginsItem | ListItem | MacroItem | RuleItem

interface Base {
  readonly context: Context
}

export interface VersionItem extends Base {
  readonly kind: 'version'
  readonly version: Version
  readonly place: Place
}

export type Version = readonly [major: number, minor: number, patch: number]

export interface PluginRequirement {
  readonly name: string
  readonly version: string
  readonly parsed: Version
}

export interface PluginsItem extends Base {
  readonly kind: 'plugins'
  readonly requirements: readonly {
    readonly place: Place
    readonly context: Context
    /** The plugin asked for, then those that may stand in for it. */
    readonly anyOf: readonly PluginRequirement[]
  }[]
}

/** How an item changes one that is there already. */
export type Change = 'append' | 'replace'

interface Changing extends Base {
  readonly name: string
  readonly namePlace: Place
  /** `append: true`. */
  readonly append: boolean
  /** Keys under `override`. */
  readonly override: ReadonlyMap<string, Change> | undefined
}

export interface ListItem extends Changing {
  readonly kind: 'list'
  readonly items: readonly ListMember[]
}

export interface ListMember {
  readonly text: string
  readonly place: Place
}

export interface MacroItem extends Changing {
  readonly kind: 'macro'
  readonly condition: SourcedText
  readonly conditionContext: Context
}

export interface RuleItem extends Changing {
  readonly kind: 'rule'
  /** Only the keys that were given. */
  readonly condition?: SourcedText
  readonly conditionContext?: Context
  readonly output?: SourcedText
  readonly outputContext?: Context
  readonly desc?: string
  readonly priority?: number
  readonly source?: string
  readonly sourcePlace?: Place
  readonly enabled?: boolean
  readonly tags?: readonly string[]
  readonly exceptions?: readonly ExceptionItem[]
  readonly warnEventTypes?: boolean
  readonly skipIfUnknownFilter?: boolean
  readonly capture?: boolean
  readonly captureDuration?: number
  /** Nothing but a name and `enabled`. */
  readonly enabledOnly: boolean
}

export interface ExceptionItem {
  readonly name: string
  readonly place: Place
  readonly context: Context
  readonly fields: OneOrMany | undefined
  readonly comps: OneOrMany | undefined
  /** `undefined` when the key is absent or empty. */
  readonly values: readonly ExceptionValue[] | undefined
}

/** A single text, or a list of texts: the form decides what the values look like. */
export type OneOrMany = ExceptionScalar | readonly ExceptionScalar[]

export interface ExceptionScalar {
  readonly text: string
  readonly sourced: SourcedText
  readonly place: Place
}

export type ExceptionValue = ExceptionScalar | ExceptionTuple

export interface ExceptionTuple {
  readonly items: readonly ExceptionValue[]
  readonly place: Place
}

export function isTuple(value: ExceptionValue): value is ExceptionTuple {
  return 'items' in value
}
