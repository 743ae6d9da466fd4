import type { SyscallEvent } from '../event.ts'
import { eventTypes } from '../event-types.ts'
import type { Extractor } from '../value.ts'

/**
 * Resolves one use of a field to the closure that reads it. All that depends on the argument alone
 * is done here, once; `undefined` when the field has no value for such an argument, ever.
 */
export type Binder = (arg: string | undefined) => Extractor<SyscallEvent> | undefined

/** Binders of a class of fields, by field name. */
export type Binders = Readonly<Record<string, Binder>>

/** A field that takes no argument. */
export function plain(read: Extractor<SyscallEvent>): Binder {
  return () => read
}

/** One entry for each event type: what `choose` says of its name, else `otherwise`. */
export function byEventType<T>(choose: Readonly<Record<string, T>>, otherwise: T): readonly T[] {
  return eventTypes.map(({ name }) => (Object.hasOwn(choose, name) ? choose[name]! : otherwise))
}

/** For each event type whether its name is among these (separated by blanks). */
export function eventTypeSet(names: string): readonly boolean[] {
  const wanted = new Set(names.split(' '))
  return eventTypes.map(({ name }) => wanted.has(name))
}
