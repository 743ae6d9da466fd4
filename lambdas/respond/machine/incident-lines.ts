import type { StateStore } from '#correlate'
import type { DetailType } from '../../shared/bus-messages.ts'
import { itemKey } from '../../shared/state-key.ts'
import { updateItems } from '../../shared/update-items.ts'
import type { Ports } from './ports.ts'
import type { Phase, ResponseState } from './response-state.ts'

/** Responses that are found through their incident: a pod has as many as rules answer. */
export const mostResponses = 50
/** The first and the last lines of an incident that are shown. */
export const mostLines = 20
/** Longer than the responses themselves are kept: those that are gone are stepped over. */
const keptSeconds = 200 * 86_400

interface Known {
  readonly ids: readonly string[]
  /** Responses that had no room among the ids. */
  readonly more: number
}

/** A transition of a response as its incident shows it. */
export interface IncidentLine {
  readonly response: string
  /** Its place among the lines of the response, from 0. */
  readonly n: number
  /** Seconds of the epoch. */
  readonly at: number
  readonly type: DetailType
  readonly phase: Phase
  readonly rule: string
  readonly cluster: string
  readonly target: ResponseState['target']
  /** May hold names that an attacker chose. */
  readonly text: string
}

export interface IncidentLines {
  /** By time; those of a response in its order. */
  readonly lines: readonly IncidentLine[]
  /** Lines between the first and the last that are not among them. */
  readonly omitted: number
  /** Responses that could not be looked for: there were more than {@link mostResponses}. */
  readonly more: number
}

/**
 * Writes down which responses an incident has, before they begin: a response that nobody finds is worse
 * than a name of one that never began. Names that are there are not written again.
 */
export async function noteResponses(
  incident: string,
  ids: readonly string[],
  { store, now, sleep }: Pick<Ports, 'store' | 'now' | 'sleep'>,
): Promise<void> {
  if (ids.length === 0) return
  const options = { store, now, random: Math.random, pause: sleep }
  await updateItems(
    [keyOf(incident)],
    (_, item) => {
      const known = knownIn(item?.value)
      const fresh = ids.filter((id) => !known.ids.includes(id))
      const room = mostResponses - known.ids.length
      // without room nothing tells a new one from one that was counted before
      if (fresh.length === 0 || (room <= 0 && known.more > 0)) return { result: undefined }
      const value = {
        ids: [...known.ids, ...fresh.slice(0, room)],
        more: known.more + Math.max(0, fresh.length - room),
      }
      return { result: undefined, write: { value, expires: now() + keptSeconds } }
    },
    options,
  )
}

/** All that responses to an incident did, from their own items: nothing of it is kept twice. */
export async function readIncidentLines(
  incident: string,
  store: Pick<StateStore, 'read'>,
  now: number,
): Promise<IncidentLines> {
  const key = keyOf(incident)
  const { ids, more } = knownIn((await store.read([key], now)).get(key)?.value)
  const keys = ids.map((id) => itemKey('response', id))
  const items = keys.length === 0 ? new Map() : await store.read(keys, now)
  const all = keys.flatMap((each): IncidentLine[] => {
    const state = items.get(each)?.value as unknown as ResponseState | undefined
    if (state === undefined || state.incident !== incident) return []
    const { id: response, cluster, target, rule } = state
    return state.lines.map(({ at, type, phase, text }, n) => ({
      ...{ response, n, at, type, phase, rule: rule.name, cluster, target, text },
    }))
  })
  all.sort((a, b) => a.at - b.at || compare(a.response, b.response) || a.n - b.n)
  const omitted = Math.max(0, all.length - 2 * mostLines)
  const lines = omitted === 0 ? all : [...all.slice(0, mostLines), ...all.slice(-mostLines)]
  return { lines, omitted, more }
}

function keyOf(incident: string): string {
  return itemKey('responses-of', incident)
}

function knownIn(value: unknown): Known {
  return (value as Known | undefined) ?? { ids: [], more: 0 }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
