import type { Process, SyscallEvent } from '#events'

/** What makes detections belong to one incident. */
export interface Group {
  readonly cluster: string
  /** "" when what happened is not of one node. */
  readonly node: string
  /** Pod, container or host; for what is of no process, what it is about. */
  readonly place: string
  /** The process that all of it came from, unique in the fleet; "" without one. */
  readonly origin: string
  readonly family: string
}

/** Stable text of a group, to be hashed. */
export function groupText({ cluster, node, place, origin, family }: Group): string {
  return JSON.stringify([cluster, node, place, origin, family])
}

/** What rules have in common that tell of the same kind of thing: their MITRE tactic, or else the rule. */
export function familyOf(rule: string, tags: readonly string[]): string {
  return tags.find((tag) => tag.startsWith('mitre_')) ?? rule
}

/** The group of what a rule found in an event. */
export function groupOfEvent(
  event: SyscallEvent,
  sender: { readonly cluster: string; readonly node: string; readonly boot: string },
  rule: { readonly name: string; readonly tags: readonly string[] },
): Group {
  const { process } = event
  const { container } = process
  const place =
    container === undefined
      ? 'host'
      : container.podUid !== undefined
        ? `pod ${container.podUid}`
        : `container ${container.fullId}`
  const { pid, start } = originOf(process)
  return {
    ...{ cluster: sender.cluster, node: sender.node, place },
    origin: `${sender.boot} ${pid} ${start}`,
    family: familyOf(rule.name, rule.tags),
  }
}

/** The group of what the pipeline found about a node, or about the way from it. */
export function groupOfFinding(finding: {
  readonly rule: string
  readonly cluster: string
  readonly node: string
}): Group {
  const { rule, cluster, node } = finding
  return { cluster, node, place: 'sensor', origin: '', family: rule }
}

/**
 * Where a process came from. In a container: its topmost ancestor in there, so that what an attacker
 * starts stays one story, however often it forks, while `kubectl exec` begins another. On the host:
 * the leader of its session, that is a login, a terminal or a service.
 */
export function originOf(process: Process): Process {
  let found = process
  const { container, sid } = process
  for (let at: Process | undefined = process; at !== undefined; at = at.parent) {
    if (container !== undefined) {
      if (at.container?.fullId !== container.fullId) break
      found = at
    } else if (at.pid === sid) return at
    else if (at.sid !== sid) break
    else found = at
  }
  return found
}
