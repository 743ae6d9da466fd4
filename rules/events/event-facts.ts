import type { SyscallEvent } from './event.ts'

/** What an event says of itself, apart from its arguments and the names of others. */
export type EventFacts = Omit<SyscallEvent, 'arg' | 'absolutePath' | 'user' | 'group' | 'namesOf'>

/** The facts of an event that may show another one later, or works them out when asked. */
export function factsOf(event: SyscallEvent): EventFacts {
  const { type, seq, time, cpu, tid, count, flags, process, euid, egid, result, fd } = event
  const { capEffective, capPermitted } = event
  return {
    ...{ type, seq, time, cpu, tid, count, flags, process, euid, egid, result, fd },
    ...{ capEffective, capPermitted },
  }
}
