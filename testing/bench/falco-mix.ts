import { eventTypeId, type SyscallEvent } from '#events'

/**
 * Events of the offline measurement of Falco 0.44.1 that ours stands beside: 0.79 us an event for
 * the stable rules and 3.1 us for all three files.
 *
 * | close | openat | fcntl | socket | connect | accept | clone3 | execve |
 * |---|---|---|---|---|---|---|---|
 * | 749k | 416k | 225k | 135k | 135k | 75k | 24k | 15k |
 */
const thousands: Readonly<Record<string, number>> = {
  ...{ close: 749, openat: 416, fcntl: 225, socket: 135, connect: 135, accept: 75 },
  ...{ clone3: 24, execve: 15 },
}
/** Calls that stand in for each other in a recording. */
const standIns: Readonly<Record<string, string>> = { accept: 'accept4' }
/** The recording has opens: their events are given the types that the sensor never ships. */
const template = eventTypeId('openat')

/** Events in these proportions, mixed the same way each time. */
export function falcoMix(recorded: readonly SyscallEvent[]): SyscallEvent[] {
  const byType = Map.groupBy(recorded, ({ type }) => type)
  const mix: SyscallEvent[] = []
  for (const [name, count] of Object.entries(thousands)) {
    const type = eventTypeId(name)
    const own = byType.get(type) ?? byType.get(eventTypeId(standIns[name] ?? name))
    const source = own ?? byType.get(template) ?? []
    if (source.length === 0) throw new Error(`the recording has nothing to make ${name} of`)
    for (let i = 0; i < count * 10; i++) {
      const event = source[i % source.length]!
      mix.push(own === undefined ? retyped(event, type) : event)
    }
  }
  return shuffled(mix)
}

/** The same event as one of another type, without arguments. */
function retyped(event: SyscallEvent, type: number): SyscallEvent {
  const { seq, time, cpu, tid, count, flags, process, euid, egid, result, fd } = event
  const { capEffective, capPermitted } = event
  return {
    ...{ type, seq, time, cpu, tid, count, flags, process, euid, egid, result, fd },
    ...{ capEffective, capPermitted },
    arg: () => undefined,
    absolutePath: () => undefined,
    user: (uid) => event.user(uid),
    group: (gid) => event.group(gid),
    namesOf: (ip) => event.namesOf(ip),
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  const result = [...items]
  let state = 1
  for (let i = result.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    const other = (state >>> 8) % (i + 1)
    ;[result[i], result[other]] = [result[other]!, result[i]!]
  }
  return result
}
