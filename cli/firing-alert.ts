import { type Firing, formatFiring, isoTime } from '#correlate'
import { type Alert, priorityNames } from '#engine'
import type { Origin } from '../collector/agent/alert-context.ts'
import { localTime, type Paint, priorityColors } from './detection-text.ts'
import { printable } from './printable.ts'

/** A firing under Falco's keys, and what is known of the detections behind it. */
export function firingAlert(firing: Firing, origin: Origin, runbook: string | undefined) {
  const { correlation, count, first, last, members, id, time } = firing
  const { text, fields } = formatFiring(firing)
  const priority = priorityNames[correlation.priority]!
  const nanoseconds = String(time % 1_000_000n).padStart(6, '0')
  return {
    hostname: origin.node,
    lanner: {
      id,
      ...(origin.cluster !== '' && { cluster: origin.cluster }),
      node: origin.node,
      correlation: { count, first: isoTime(first), last: isoTime(last), members },
      ...(runbook !== undefined && { runbook }),
    },
    output: `${localTime(time)}${nanoseconds}: ${priority} ${text}`.toWellFormed(),
    output_fields: { ...fields, 'evt.time': time },
    priority,
    rule: correlation.name,
    source: 'correlation',
    tags: correlation.tags,
    time: isoTime(time),
  } satisfies Alert & { readonly lanner: object }
}

/** A firing for people: when, how bad, what; the correlation's own words. */
export function firingText(firing: Firing, paint: Paint): string {
  const { correlation, time, members } = firing
  const head = [
    paint(localTime(time), '2'),
    paint(priorityNames[correlation.priority]!.padEnd(9), priorityColors[correlation.priority]!),
    paint(printable(correlation.name), '1'),
    paint(`${members.length === 1 ? '1 detection' : `${members.length} detections`}`, '2'),
  ].join('  ')
  return `${head}\n${' '.repeat(14)}${paint(printable(formatFiring(firing).text), '2')}\n`
}
