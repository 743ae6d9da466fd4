import type { Priority } from '#engine'
import type { Position } from '#load'
import type { Destination } from './destination.ts'
import type { Schedule } from './schedule.ts'

/** What a message can be about; a route is about incidents unless it says otherwise. */
export const subjects = ['incident', 'health', 'delivery', 'response'] as const
export type SubjectKind = (typeof subjects)[number]

/** Where a response is; `awaiting`: it was planned, and somebody has to approve it. */
export const responseStates = [
  ...(['planned', 'awaiting', 'approved', 'done', 'failed', 'verified', 'expired'] as const),
]
export const outcomes = ['contained', 'partially_contained', 'unenforced', 'unverified'] as const
export const responseModes = ['observe', 'approve', 'auto'] as const

/**
 * Conditions of a route. All that are given must hold; of a list one entry is enough. Texts may hold
 * `*` for any characters and are otherwise compared exactly, upper and lower case apart.
 */
export interface RouteMatch {
  readonly about: readonly SubjectKind[]
  /** This severe or more. */
  readonly priority?: Priority
  readonly rule?: readonly string[]
  readonly tag?: readonly string[]
  readonly cluster?: readonly string[]
  readonly namespace?: readonly string[]
  /** `Kind/name`. */
  readonly workload?: readonly string[]
  /** Labels of the pod; every one that is named must fit. */
  readonly label?: Readonly<Record<string, readonly string[]>>
  /** Event source, as in rules: syscall, aws_cloudtrail, … */
  readonly source?: readonly string[]
  /** State of a sensor, of a destination or of a response: silent, losing, refused, awaiting, … */
  readonly state?: readonly string[]
  /** How a containment turned out, one of {@link outcomes}. */
  readonly outcome?: readonly string[]
  /** How far a response may go, one of {@link responseModes}. */
  readonly mode?: readonly string[]
  readonly time?: Schedule
}

export interface Route {
  readonly name: string
  readonly match: RouteMatch
  /** Names of destinations; empty: whoever it fits wakes nobody. */
  readonly to: readonly string[]
  readonly at: Position
}

/** A routes file, checked. */
export interface Routes {
  /** `first`: the first route that fits decides; `all`: every one that fits adds its destinations. */
  readonly matching: 'first' | 'all'
  readonly routes: readonly Route[]
  /** Where everything goes that fits no route; never empty. */
  readonly otherwise: readonly string[]
  readonly destinations: readonly Destination[]
  /** URLs by title that go with each message; `{incident}`, `{cluster}` and the like are filled in. */
  readonly links: Readonly<Record<string, string>>
  /** Further secrets, as RE2, that no destination may see. */
  readonly redact: readonly string[]
}

/** What routes look at. */
export interface Subject {
  readonly about: SubjectKind
  readonly priority: Priority
  readonly rules: readonly string[]
  readonly tags: readonly string[]
  readonly cluster: string
  readonly namespace?: string
  readonly workload?: string
  readonly labels: Readonly<Record<string, string>>
  readonly source?: string
  readonly state?: string
  readonly outcome?: string
  readonly mode?: string
  /** When it is said, milliseconds of the epoch. */
  readonly time: number
}
