import type { SyscallEvent } from './event.ts'
import { fieldCatalogue } from './field-catalogue.ts'
import type { Binders } from './fields/binder.ts'
import { containerFields } from './fields/container.ts'
import { evtFields } from './fields/evt.ts'
import { evtIoFields } from './fields/evt-io.ts'
import { fdFields } from './fields/fd.ts'
import { fdSocketFields } from './fields/fd-socket.ts'
import { fsPathFields } from './fields/fs-path.ts'
import { procFields } from './fields/proc.ts'
import { procAncestorFields } from './fields/proc-ancestors.ts'
import { threadFields } from './fields/thread.ts'
import { userFields } from './fields/user.ts'
import type { EventSource } from './value.ts'

const classes: readonly Binders[] = [
  evtFields,
  evtIoFields,
  procFields,
  procAncestorFields,
  threadFields,
  userFields,
  fdFields,
  fdSocketFields,
  fsPathFields,
  containerFields,
]

const binders = new Map(classes.flatMap((fields) => Object.entries(fields)))

/**
 * Fields of the catalogue that a system call never has here: they need a container runtime, a
 * descriptor table, payloads of other event sources or state between events. A rule that names one
 * loads, and every comparison on it is false.
 */
export const unfilledFields: ReadonlySet<string> = new Set(
  [...fieldCatalogue.keys()].filter((name) => name !== 'evt.hostname' && !binders.has(name)),
)

/** Reads system call events for rules; `hostname`, when given, is what `evt.hostname` says. */
export function createSyscallSource(
  options: { readonly hostname?: string } = {},
): EventSource<SyscallEvent> {
  const { hostname } = options
  return {
    bind({ name, arg }) {
      if (name === 'evt.hostname') return hostname === undefined ? undefined : () => hostname
      return binders.get(name)?.(arg)
    },
    type: (event) => event.type,
    time: (event) => event.time,
  }
}

export const syscallSource: EventSource<SyscallEvent> = createSyscallSource()
