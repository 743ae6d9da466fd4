import type { HealthMessage } from '../bus-messages.ts'
import { quoted, type SensorFinding } from '../sensor-finding.ts'
import { isOver, type NodeState, type RunState } from './node-state.ts'

export const nodeRules = {
  missing: 'Batches of a sensor are missing',
  lost: 'Sensor lost events',
  silent: 'Sensor is silent',
  path: 'Nothing arrives from a cluster',
  changed: 'Kernel side of a sensor was changed',
} as const

/** Milliseconds that batches may be late: they are sent again out of order after a failure. */
export const lateMs = 20_000
/** Milliseconds of silence that are an alarm: for this long the word of a termination is awaited. */
export const silentMs = 180_000

/** What of a node is to be told; `next` is its state once that has been done. */
export interface Judgement {
  readonly findings: readonly SensorFinding[]
  readonly health: readonly Omit<HealthMessage, 'id'>[]
  /** It is silent, and nothing excuses that: told unless the whole way is dead. */
  readonly isSilent: boolean
  readonly next: NodeState
}

/** Why a silent node may be so, as far as others know. */
export interface Excuses {
  /** Its instance was terminated, or is being. */
  readonly hasDeparted: boolean
  /** Its sensor is heard as a verified one since. */
  readonly isHeardVerified: boolean
}

/** Says what there is to tell of a node at a time, milliseconds of the epoch. */
export function judgeNode(state: NodeState, now: number, excuses: Excuses): Judgement {
  const findings: SensorFinding[] = []
  const health: Omit<HealthMessage, 'id'>[] = []
  const runs = state.runs.map((run) => {
    const missing = run.missing.map((gap) => {
      if (gap.told || gap.since + lateMs > now) return gap
      findings.push(missingFinding(state, run, gap))
      return { ...gap, told: true }
    })
    const lost = freshLosses(run)
    if (Object.keys(lost).length > 0) findings.push(lostFinding(state, run, lost))
    return { ...run, missing, lostTold: run.lost }
  })
  if (state.isBack) health.push(said(state, 'back', 'its sensor is heard again', state.seen))
  const isQuiet = state.silence === 'none' && !isOver(state) && state.seen + silentMs <= now
  const isExcused = excuses.hasDeparted || excuses.isHeardVerified
  const silence = isQuiet ? (isExcused ? 'gone' : 'told') : state.silence
  const next: NodeState = { ...state, runs, silence, isBack: false }
  return { findings, health, isSilent: isQuiet && !isExcused, next }
}

/** Second of the epoch at which there may be something to tell; `undefined` when nothing will be. */
export function dueOf(state: NodeState): number | undefined {
  const times = state.runs.flatMap((run) => [
    ...run.missing.flatMap(({ told, since }) => (told ? [] : [since + lateMs])),
    ...(Object.keys(freshLosses(run)).length > 0 ? [state.seen] : []),
  ])
  if (state.isBack) times.push(state.seen)
  if (state.silence === 'none' && !isOver(state)) times.push(state.seen + silentMs)
  return times.length === 0 ? undefined : Math.ceil(Math.min(...times) / 1000)
}

export function silentFinding(state: NodeState): SensorFinding {
  const { seen, instance, runs } = state
  const unknown = instance === '' ? '; nobody knows its instance, so a termination cannot tell' : ''
  return {
    ...about(state, seen + silentMs),
    rule: nodeRules.silent,
    priority: 'Critical',
    text:
      `${nameOf(state)} is silent since ${isoTime(seen)}, without a goodbye and without ` +
      `a termination of its machine${unknown}`,
    fields: { 'sensor.seen': isoTime(seen), 'sensor.instance': instance },
    key: keyOf(state, runs.at(-1), isoTime(seen)),
  }
}

/** A message about a node. */
export function said(
  { cluster, node }: Pick<NodeState, 'cluster' | 'node'>,
  state: HealthMessage['state'],
  text: string,
  time: number,
): Omit<HealthMessage, 'id'> {
  return { cluster, node, state, text, time: isoTime(time) }
}

function missingFinding(
  state: NodeState,
  run: RunState,
  gap: RunState['missing'][number],
): SensorFinding {
  const { from, to, after, before, since } = gap
  const count = to - from + 1
  return {
    ...about(state, since),
    rule: nodeRules.missing,
    priority: 'Warning',
    text:
      `${count} batches of ${nameOf(state)} did not arrive: ${from} to ${to} of run ${run.run}, ` +
      `made between ${isoTime(after)} and ${isoTime(before)}`,
    fields: {
      ...{ 'sensor.run': run.run, 'batch.first': from, 'batch.last': to, 'batch.count': count },
      ...{ 'gap.after': isoTime(after), 'gap.before': isoTime(before) },
    },
    key: keyOf(state, run, `${from}`, `${to}`),
  }
}

function lostFinding(
  state: NodeState,
  run: RunState,
  lost: Readonly<Record<string, number>>,
): SensorFinding {
  const places = Object.entries(lost).map(([place, count]) => `${count} at ${place}`)
  return {
    ...about(state, run.sealedHigh),
    rule: nodeRules.lost,
    priority: 'Warning',
    text: `${nameOf(state)} lost events: ${places.join(', ')}`,
    fields: {
      'sensor.run': run.run,
      ...Object.fromEntries(Object.entries(lost).map(([place, count]) => [`lost.${place}`, count])),
    },
    key: keyOf(state, run, JSON.stringify(Object.entries(run.lostTold).sort())),
  }
}

/** What was lost and has not been told. */
function freshLosses({ lost, lostTold }: RunState): Record<string, number> {
  return Object.fromEntries(
    Object.entries(lost).flatMap(([place, count]) => {
      const fresh = count - (lostTold[place] ?? 0)
      return fresh > 0 ? [[place, fresh]] : []
    }),
  )
}

function about({ cluster, node, isVerified }: NodeState, time: number) {
  return {
    ...{ cluster, node, time: isoTime(time), tags: ['lanner', 'loss'] },
    sender: isVerified ? ('verified' as const) : ('unverified' as const),
  }
}

function keyOf(state: NodeState, run: RunState | undefined, ...more: string[]): string[] {
  const { cluster, node, isVerified } = state
  return [isVerified ? 'v' : 'u', cluster, node, run?.boot ?? '', run?.run ?? '', ...more]
}

function nameOf({ cluster, node, isVerified }: NodeState): string {
  const whose = `node ${quoted(node)} of cluster ${quoted(cluster)}`
  return isVerified ? `the sensor on ${whose}` : `the sensor that says it is on ${whose}`
}

export const isoTime = (milliseconds: number) => new Date(milliseconds).toISOString()
