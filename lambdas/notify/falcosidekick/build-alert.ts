import { type Alert, priorityNames } from '#engine'
import type { Notice } from '../content/index.ts'

/** Falcosidekick's own templates and outputs take texts and numbers. */
const mostFields = 60

/**
 * Falco's JSON of the detection that made the message; `undefined` for the end of an incident, which
 * Falco does not know.
 */
export function buildAlert(notice: Notice): Alert | undefined {
  const { detection, about, subject, where, revision } = notice
  if (notice.state === 'closed' && about === 'incident') return undefined
  const own = {
    'lanner.incident': subject,
    'lanner.revision': revision,
    'lanner.cluster': where.cluster,
    'lanner.count': notice.count,
  }
  const pod = {
    ...(where.namespace !== undefined && { 'k8s.ns.name': where.namespace }),
    ...(where.pod !== undefined && { 'k8s.pod.name': where.pod }),
  }
  if (detection === undefined) {
    return {
      hostname: where.node ?? '',
      output: notice.sentence,
      output_fields: { ...pod, ...own },
      priority: priorityNames[notice.priority]!,
      rule: notice.title,
      source: about === 'incident' || about === 'response' ? 'lanner' : 'internal',
      tags: notice.tags,
      time: notice.last,
    }
  }
  const { hostname, output, output_fields, priority, rule, source, tags, time } = detection
  const fields = Object.entries(output_fields)
    .filter(([, value]) => ['string', 'number', 'bigint', 'boolean'].includes(typeof value))
    .slice(0, mostFields)
  return {
    ...{ hostname, output, output_fields: { ...pod, ...Object.fromEntries(fields), ...own } },
    ...{ priority, rule, source, tags, time },
  }
}
