import { type Json, StateUnavailable } from '#correlate'
import type { HealthMessage } from '../bus-messages.ts'
import { quoted, type SensorFinding } from '../sensor-finding.ts'
import { itemKey } from '../state-key.ts'
import { type UpdateOptions, updateItems } from '../update-items.ts'
import { instanceOf, readDepartures } from './departures.ts'
import {
  dueOf,
  isoTime,
  type Judgement,
  judgeNode,
  nodeRules,
  said,
  silentFinding,
  silentMs,
} from './judge-node.ts'
import { addTally, type NodeState } from './node-state.ts'
import { type NodeTally, nodeKey } from './tally.ts'

export interface SweepOptions extends UpdateOptions {
  /** As hex. */
  readonly sha256: (text: string) => string
}

/** What a sweep found. It is to be told first, and then marked as told: in between it is told again. */
export interface Swept {
  readonly findings: readonly SensorFinding[]
  readonly health: readonly HealthMessage[]
  markTold(): Promise<void>
}

export const nothing: Swept = { findings: [], health: [], markTold: async () => {} }

const keptSeconds = 30 * 86_400
/** In a cluster of more nodes than this, none of which is heard, the way is dead, not they. */
const mostSilent = 3
/** Milliseconds without a word from any node of a cluster of many: each speaks every half minute. */
const deafMs = 90_000
const latelyMs = 300_000

/** When a cluster was last heard, and from which node. Plain JSON. */
export interface Pulse {
  readonly at: number
  readonly node: string
  /** How many nodes were heard within a sweep, lately. */
  readonly nodes: number
}

export const pulseKey = (cluster: string) => itemKey('pulse', cluster)

/** Adds what functions counted to the state of nodes. Gives the nodes that have something to tell. */
export async function sweepTallies(
  keys: readonly string[],
  options: SweepOptions,
): Promise<readonly string[]> {
  const { store, now } = options
  const items = await store.read(keys, now())
  const tallies = [...items.values()]
    .flatMap(({ value }) => (value as unknown as { nodes: readonly NodeTally[] }).nodes)
    .sort((a, b) => a.since - b.since)
  const byNode = Map.groupBy(tallies, nodeKey)
  const states = await updateItems(
    [...byNode.keys()],
    (key, item) => {
      const before = item?.value as NodeState | undefined
      const state = byNode.get(key)!.reduce<NodeState | undefined>(addTally, before)!
      return { result: state, write: writeOf(state, now()) }
    },
    options,
  )
  await notePulses(tallies, options)
  // What could not be added has rejected by now: these have done their work.
  await store.write(
    [...items].map(([key, { version }]) => ({ key, value: null, from: version, expires: now() })),
  )
  return [...states].flatMap(([key, state]) => ((dueOf(state) ?? now() + 1) <= now() ? [key] : []))
}

async function notePulses(tallies: readonly NodeTally[], options: SweepOptions): Promise<void> {
  const byCluster = Map.groupBy(tallies, ({ cluster }) => pulseKey(cluster))
  await updateItems(
    [...byCluster.keys()],
    (key, item) => {
      const heard = byCluster.get(key)!
      const before = item?.value as Pulse | undefined
      const last = heard.reduce((latest, one) => (one.at > latest.at ? one : latest))
      const isNews = last.at > (before?.at ?? 0)
      const isLately = before !== undefined && last.at - before.at < latelyMs
      const pulse: Pulse = {
        at: isNews ? last.at : before!.at,
        node: isNews ? nodeKey(last) : before!.node,
        nodes: Math.max(new Set(heard.map(nodeKey)).size, isLately ? before.nodes : 0),
      }
      const isSame = before !== undefined && !isNews && pulse.nodes === before.nodes
      if (isSame) return { result: undefined }
      const expires = options.now() + keptSeconds
      return { result: undefined, write: { value: { ...pulse }, expires } }
    },
    options,
  )
}

/** Looks at nodes that may have something to tell: gaps, losses, silence. */
export async function sweepNodes(keys: readonly string[], options: SweepOptions): Promise<Swept> {
  const { store, now, sha256 } = options
  const seconds = now()
  const items = await store.read(keys, seconds)
  const states = [...items].map(([key, { value, version }]) => ({
    ...{ key, version, state: value as unknown as NodeState },
  }))
  const isQuiet = (state: NodeState) => state.seen + silentMs <= seconds * 1000
  const quiet = states.filter(({ state }) => isQuiet(state)).map(({ state }) => state)
  const departed = await readDepartures(store, quiet.map(instanceOf), seconds)
  const verified = await store.read(
    quiet.flatMap((state) => (state.isVerified ? [] : [nodeKey({ ...state, isVerified: true })])),
    seconds,
  )
  const judged = states.map(({ key, version, state }) => {
    const twin = verified.get(nodeKey({ ...state, isVerified: true }))?.value as
      | NodeState
      | undefined
    const judgement = judgeNode(state, seconds * 1000, {
      hasDeparted: departed.has(instanceOf(state)),
      isHeardVerified: !state.isVerified && (twin?.seen ?? 0) >= state.seen,
    })
    return { key, version, ...judgement }
  })
  const silences = await tellSilences(judged, options)
  const health = [...judged.flatMap((one) => one.health), ...silences.health]
  return {
    findings: [...judged.flatMap((one) => one.findings), ...silences.findings],
    health: health.map((message) => {
      const { cluster, node, state, time } = message
      return { id: sha256(JSON.stringify(['health', cluster, node, state, time])), ...message }
    }),
    async markTold() {
      const conflicts = await store.write(
        judged.map(({ key, version, next }) => ({ key, from: version, ...writeOf(next, seconds) })),
      )
      // Somebody heard of them meanwhile: they stay due, and are told of again under the same ids.
      if (conflicts.length === keys.length && keys.length > 0) {
        throw new StateUnavailable(`all of ${keys.length} nodes are written by others`)
      }
    },
  }
}

/** Each silent node by itself, or one dead way of a cluster of which nobody is heard. */
async function tellSilences(
  judged: readonly Judgement[],
  { store, now }: SweepOptions,
): Promise<{ findings: SensorFinding[]; health: Omit<HealthMessage, 'id'>[] }> {
  const silent = judged.filter(({ isSilent }) => isSilent).map(({ next }) => next)
  const byCluster = Map.groupBy(silent, ({ cluster }) => cluster)
  const pulses = await store.read([...byCluster.keys()].map(pulseKey), now())
  const findings: SensorFinding[] = []
  const health: Omit<HealthMessage, 'id'>[] = []
  for (const [cluster, nodes] of byCluster) {
    const pulse = pulses.get(pulseKey(cluster))?.value as Pulse | undefined
    const heard = Math.max(pulse?.at ?? 0, ...nodes.map(({ seen }) => seen))
    const many = Math.max(nodes.length, pulse?.nodes ?? 0)
    if (many > mostSilent && heard + deafMs <= now() * 1000) {
      const text = `nothing arrives from cluster ${quoted(cluster)}, where ${many} or more nodes were heard`
      findings.push(deadPath(cluster, heard, text))
      health.push(said({ cluster, node: '' }, 'dead-path', text, heard + deafMs))
      continue
    }
    for (const state of nodes) {
      findings.push(silentFinding(state))
      const text = `its sensor is silent since ${isoTime(state.seen)}`
      health.push(said(state, 'silent', text, state.seen + silentMs))
    }
  }
  return { findings, health }
}

/** A cluster of which nothing has come since `heard`, milliseconds of the epoch. */
export function deadPath(cluster: string, heard: number, text: string): SensorFinding {
  return {
    ...{ rule: nodeRules.path, priority: 'Critical', cluster, node: '', sender: 'unverified' },
    ...{ time: isoTime(heard + deafMs), text, tags: ['lanner', 'loss'] },
    fields: { 'cluster.heard': isoTime(heard) },
    key: [cluster, isoTime(heard)],
  }
}

function writeOf(state: NodeState, now: number) {
  const due = dueOf(state)
  return {
    value: JSON.parse(JSON.stringify(state)) as Json,
    expires: now + keptSeconds,
    ...(due !== undefined && { due }),
  }
}
