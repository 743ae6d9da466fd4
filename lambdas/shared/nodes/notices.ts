import type { NoticeKind } from '#events'
import type { HealthMessage } from '../bus-messages.ts'
import { quoted, type SensorFinding } from '../sensor-finding.ts'
import { isoTime, nodeRules, said } from './judge-node.ts'
import { milliseconds, type NodeBatch } from './tally.ts'

/** What notices mean for the health of a sensor; the others are for its log. */
const states: Readonly<Partial<Record<NoticeKind, HealthMessage['state']>>> = {
  started: 'started',
  stopped: 'stopped',
  'events-lost': 'losing',
  limited: 'losing',
  'sensor-changed': 'changed',
}

/** What nodes say of themselves, under ids that stay the same when it is said again. */
export function noticesOf(
  batches: readonly NodeBatch[],
  sha256: (text: string) => string,
): { readonly findings: SensorFinding[]; readonly health: HealthMessage[] } {
  const findings: SensorFinding[] = []
  const health: HealthMessage[] = []
  for (const { header, notices, sender } of batches) {
    const { cluster, node, boot, run } = header
    for (const { kind, time, text } of notices) {
      const state = states[kind]
      if (state === undefined) continue
      const at = milliseconds(time)
      const key = [cluster, node, boot, `${run}`, kind, `${time}`]
      const doubt = sender === 'verified' ? '' : ' (not verified)'
      const message = said({ cluster, node }, state, `${text}${doubt}`, at)
      health.push({ id: sha256(JSON.stringify(['health', ...key])), ...message })
      if (kind !== 'sensor-changed') continue
      findings.push({
        ...{ cluster, node, sender, key, rule: nodeRules.changed, priority: 'Critical' },
        time: isoTime(at),
        text: `${text}: node ${quoted(node)} of cluster ${quoted(cluster)}`,
        fields: { 'sensor.run': `${run}` },
        tags: ['lanner', 'tampering'],
      })
    }
  }
  return { findings, health }
}
