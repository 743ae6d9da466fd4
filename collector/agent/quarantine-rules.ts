import { compileRules, type Rule } from '#engine'
import { quarantineLabel, syscallSource } from '#events'
import { loadRules } from '#load'
import { edgeRules, type NodeRules } from './node-rules.ts'
import { needsOf } from './rule-needs.ts'

/**
 * The network of pods that a response has cut off, whatever the rules want: what comes through shows
 * whether they really are. Reads and writes are among it, as a connection made before needs no other call.
 */
const text = `
- rule: Network of a quarantined pod
  desc: shipped to prove a containment
  condition: >
    evt.type in (connect, accept, accept4, sendto, sendmsg, sendmmsg, recvfrom, recvmsg, recvmmsg,
                 read, readv, write, writev, sendfile, splice)
    and container.id != host and fd.typechar in ('4', '6')
    and k8s.pod.label[${quarantineLabel}] exists
  output: never shown
  priority: DEBUG
- rule: Ring of a quarantined pod
  desc: shipped to show that it can send and receive without a call
  condition: evt.type in (io_uring_setup, io_uring_enter) and k8s.pod.label[${quarantineLabel}] exists
  output: never shown
  priority: DEBUG
- rule: Program of a quarantined pod
  desc: shipped to show that it lives
  condition: evt.type in (execve, execveat) and k8s.pod.label[${quarantineLabel}] exists
  output: never shown
  priority: DEBUG
`

let parsed: readonly Rule[] | undefined

function quarantineRules(): readonly Rule[] {
  if (parsed === undefined) {
    const { ok, ruleSet } = loadRules([{ name: 'quarantine', text }])
    if (!ok) throw new Error('the built-in rules of quarantined pods do not load')
    parsed = ruleSet.rules
  }
  return parsed
}

/**
 * What is shipped while a pod of this node is cut off: more than else, from the kernel on. The label is
 * known when this is asked for, so it decides: no other pod's network is shipped by it.
 */
export function withQuarantine(
  rules: NodeRules,
  enabled: readonly Rule[],
): Pick<NodeRules, 'edge' | 'needs'> {
  const more = quarantineRules()
  return {
    edge: compileRules([...edgeRules(enabled), ...more], syscallSource, { matching: 'all' }),
    needs: { ...rules.needs, kernel: needsOf({ rules: [...enabled, ...more] }).kernel },
  }
}
