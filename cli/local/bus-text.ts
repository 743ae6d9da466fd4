import { parsePriority } from '#engine'
import type { BusEvent } from '../../infra/local/event-bus.ts'
import type {
  DetectionMessage,
  HealthMessage,
  IncidentMessage,
  ResponseMessage,
} from '../../lambdas/shared/bus-messages.ts'
import type { LineageStep } from '../../lambdas/shared/detection.ts'
import { localTime, type Paint, priorityColors } from '../detection-text.ts'
import { printable } from '../printable.ts'

/** An event of the bus for people. */
export function busText({ 'detail-type': type, detail, time }: BusEvent, paint: Paint): string {
  switch (type) {
    case 'Detection': {
      const { detection } = detail as unknown as DetectionMessage
      const { rule, priority, output, lanner } = detection
      const head = [at(String(detection.time)), inColor(priority, paint), bold(rule, paint)]
      return entry([...head, dim(lanner.node, paint)], [lineage(lanner.lineage), output], paint)
    }
    case 'Incident Opened':
    case 'Incident Updated':
    case 'Incident Closed': {
      const { incident, reason } = detail as unknown as IncidentMessage
      const { title, priority, count, id, node } = incident
      const head = [at(incident.last), inColor(priority, paint), bold(`${type}: ${title}`, paint)]
      const said = `incident ${id}: ${reason}, ${count} detections`
      return entry([...head, dim(node, paint)], [said], paint)
    }
    case 'Sensor Health': {
      const { node, state, text } = detail as unknown as HealthMessage
      return entry([at(time), 'Sensor   ', bold(state, paint), dim(node, paint)], [text], paint)
    }
    case 'Response Planned':
    case 'Response Approved':
    case 'Response Done':
    case 'Response Failed':
    case 'Response Verified':
    case 'Response Expired': {
      const { rule, target, cluster, text, approve, response } =
        detail as unknown as ResponseMessage
      const whom = target.uid === '' ? '' : `${target.namespace}/${target.name}`
      const head = [at(time), 'Response ', bold(`${type}: ${rule}`, paint), dim(whom, paint)]
      const command =
        approve === undefined ? '' : `lanner approve ${response} --plan ${approve.planHash}`
      return entry([...head, dim(cluster, paint)], [text, command], paint)
    }
    default:
      return entry([at(time), bold(type, paint)], [JSON.stringify(detail).slice(0, 300)], paint)
  }
}

function entry(head: readonly string[], lines: readonly string[], paint: Paint): string {
  const indent = ' '.repeat(14)
  const rest = lines.filter((line) => line !== '').map((line) => `${indent}${dim(line, paint)}\n`)
  return `${head.join('  ')}\n${rest.join('')}`
}

function at(iso: string): string {
  const milliseconds = Date.parse(iso)
  return localTime(BigInt(Number.isNaN(milliseconds) ? 0 : milliseconds) * 1_000_000n)
}

function inColor(priority: string, paint: Paint): string {
  const rank = parsePriority(priority)
  return paint(printable(priority).padEnd(9), priorityColors[rank ?? 7] ?? '0')
}

function bold(text: string, paint: Paint): string {
  return paint(printable(text), '1')
}

function dim(text: string, paint: Paint): string {
  return paint(printable(text), '2')
}

function lineage(steps: readonly LineageStep[] = []): string {
  return [...steps]
    .reverse()
    .map(({ name, pid }) => `${name}(${pid})`)
    .join(' > ')
}
