import { alertJson, priorityNames } from '#engine'
import { type Notice, severityOf } from './notice.ts'

/**
 * A notice as JSON for machines, at most `mostBytes` long: first the detection goes, then the members
 * of the incident, then all of it but what the notice says itself. `omitted` names what went.
 */
export function machineForm(notice: Notice, mostBytes: number): string {
  const { incident, detection, priority, evidence, isComplete, ...told } = notice
  const main = {
    ...told,
    ...{ priority: priorityNames[priority], severity: severityOf(priority) },
    evidence: { complete: isComplete, text: evidence },
  }
  const withoutMembers = incident && { ...incident, members: { first: [], last: [] } }
  const forms: readonly object[] = [
    { ...main, incident, detection },
    { ...main, incident, omitted: ['detection'] },
    { ...main, incident: withoutMembers, omitted: ['detection', 'incident.members'] },
    { ...main, omitted: ['detection', 'incident'] },
    {
      ...{ ...main, words: undefined, steps: [], links: [], tags: [], lineage: [] },
      ...{ rules: main.rules.slice(0, 1), where: { ...main.where, labels: {} } },
      omitted: ['detection', 'incident', 'words', 'steps', 'links', 'tags', 'lineage'],
    },
  ]
  for (const form of forms) {
    const text = alertJson(form)
    if (Buffer.byteLength(text) <= mostBytes) return text
  }
  throw new RangeError(`a notice cannot be told in ${mostBytes} bytes`)
}
