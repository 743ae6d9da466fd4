import { privateMemory } from './agent/memory.ts'
import type { KernelCounters } from './agent/sensor-link.ts'
import type { Metric } from './health.ts'
import type { PodIdentityFigures } from './kubernetes/index.ts'
import type { NodeAlerts } from './node-alerts.ts'
import type { OutletFigures } from './outlet.ts'

/** What the agent knows of itself at one moment. */
export interface NodeFigures {
  readonly kernel: KernelCounters
  /** Read from the ring, and of these: what some rule could match. */
  readonly records: number
  readonly matched: number
  readonly restarts: number
  readonly tampered: number
  readonly rules: number
  readonly rulesRefused: number
  readonly tables: Readonly<Record<string, { readonly size: number; readonly evicted: number }>>
  /** Lost on the way from the ring to the stream, by place. */
  readonly lost: Readonly<Record<string, number>>
  readonly outlet: OutletFigures | undefined
  readonly alerts: NodeAlerts['figures']
  readonly kubernetes: PodIdentityFigures | undefined
}

const one = (value: number) => [{ value }]

/** The figures under the names that dashboards and alarms use. */
export function metricsOf(figures: NodeFigures): Metric[] {
  const { kernel, outlet, kubernetes } = figures
  const metrics: Metric[] = []
  const add = (type: Metric['type'], name: string, help: string, values: Metric['values']) =>
    metrics.push({ type, name: `lanner_${name}`, help, values })
  const labelled = (label: string, values: Readonly<Record<string, number>>) =>
    Object.entries(values).map(([text, value]) => ({ labels: { [label]: text }, value }))

  add('counter', 'syscalls_wanted_total', 'System calls that the rules name.', one(kernel.seen))
  add(
    'counter',
    'syscalls_rejected_total',
    'Of these, dropped in the kernel: out of scope, open of an unwanted class, open of an unwanted path.',
    labelled('reason', kernel.rejectedFor),
  )
  add('counter', 'records_total', 'Events read from the ring buffer.', one(figures.records))
  add(
    'counter',
    'records_matched_total',
    'Of these, kept: some rule could match.',
    one(figures.matched),
  )
  add('counter', 'events_lost_total', 'Events lost, by place.', [
    ...labelled('place', prefixed('ring-', kernel.lost)),
    ...labelled('place', figures.lost),
  ])
  add(
    'counter',
    'compat_calls_unmapped_total',
    '32-bit calls without a native counterpart.',
    one(kernel.compatUnmapped),
  )
  add(
    'counter',
    'agent_restarts_total',
    'Agents started again by the sensor in this run.',
    one(figures.restarts),
  )
  add(
    'counter',
    'sensor_tampered_total',
    'Times the kernel side was changed from outside and put right.',
    one(figures.tampered),
  )
  add('gauge', 'rules', 'Rules in force.', one(figures.rules))
  add(
    'counter',
    'rules_refused_total',
    'Changed rule sets that had mistakes.',
    one(figures.rulesRefused),
  )
  add(
    'gauge',
    'table_entries',
    'Entries of the tables.',
    labelled('table', sizes(figures.tables, 'size')),
  )
  add(
    'counter',
    'table_evicted_total',
    'Entries that had to go for others.',
    labelled('table', sizes(figures.tables, 'evicted')),
  )
  add('gauge', 'memory_private_bytes', 'Memory that the agent has written.', one(privateMemory()))
  add(
    'counter',
    'alerts_total',
    'Alerts made on the node.',
    labelled('outcome', { ...figures.alerts }),
  )
  if (outlet !== undefined) {
    const { fold, limit, spool, ship, held } = outlet
    add(
      'counter',
      'events_folded_total',
      'Repeats that became part of another event.',
      one(fold.folded),
    )
    add('gauge', 'rules_held_back', 'Rules that the limit holds back.', one(limit.heldBack.length))
    add(
      'gauge',
      'ring_held_bytes',
      'Bytes of the ring kept until their events are durable.',
      one(held),
    )
    add('gauge', 'spool_bytes', 'Bytes on disk.', one(spool.bytes))
    add('gauge', 'spool_batches', 'Batches that wait to be shipped.', one(spool.waiting))
    add('counter', 'spool_torn_bytes_total', 'Bytes cut from a torn end.', one(spool.tornBytes))
    add('counter', 'batches_sent_total', 'Batches taken by the stream.', one(ship.sentBatches))
    add('counter', 'sent_bytes_total', 'Their bytes.', one(ship.sentBytes))
    add('counter', 'sent_events_total', 'Their events; a folded one is one.', one(ship.sentEvents))
    add('counter', 'send_retries_total', 'Batches sent again.', one(ship.retries))
    add(
      'counter',
      'send_failures_total',
      'Batches not taken, each time, by why.',
      labelled('kind', ship.failures),
    )
    add(
      'gauge',
      'oldest_unsent_seconds',
      'Age of the oldest batch that waits.',
      one(ship.oldestUnsentMs / 1000),
    )
  }
  if (kubernetes !== undefined) {
    const numbers = Object.entries(kubernetes).flatMap(([name, value]) =>
      typeof value === 'number' || typeof value === 'boolean'
        ? [[name, Number(value)] as const]
        : [],
    )
    add(
      'gauge',
      'kubernetes',
      'The watch over the pods of this node.',
      labelled('figure', Object.fromEntries(numbers)),
    )
  }
  return metrics
}

function prefixed(prefix: string, values: Readonly<Record<string, number>>) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]))
}

function sizes(tables: NodeFigures['tables'], key: 'size' | 'evicted') {
  return Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, table[key]]))
}
