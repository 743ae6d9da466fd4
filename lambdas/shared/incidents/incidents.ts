import type { IncidentMessage } from '../bus-messages.ts'
import type { Detection } from '../detection.ts'
import { type UpdateOptions, updateItems } from '../update-items.ts'
import { type Addition, advanceIncident } from './advance-incident.ts'
import { endOf } from './end-of-incident.ts'
import { type Group, groupText } from './group.ts'
import { decodeState, encodeState, type IncidentState } from './incident-state.ts'

export interface IncidentsOptions extends UpdateOptions {
  /** As hex. */
  readonly sha256: (text: string) => string
  /** Seconds without a detection after which an incident is over. */
  readonly quiet: number
  /** Where detections of that time (ISO 8601) lie. */
  readonly lakeOf: (time: string) => string
}

/** A detection with the group it belongs to and the unit it is counted with. */
export interface Grouped {
  readonly group: Group
  readonly unit: Addition['unit']
  readonly detection: Detection
}

export interface IncidentsResult {
  readonly messages: readonly IncidentMessage[]
  /** For the bus, one by one. */
  readonly onBus: readonly Detection[]
  /** All that were given, with the id of their incident. */
  readonly detections: readonly Detection[]
  readonly writes: number
}

/** Keys of incidents begin so; the sweep knows them by it. */
export const incidentPrefix = 'incident/'
/** Seconds that an incident can be looked up after its end. */
const keptSeconds = 30 * 86_400
/** Seconds after which an end that could not be said is tried again. */
const retrySeconds = 60

/** The key of an incident's group in the store, from its id. */
export function keyOfIncident(id: string): string {
  return `${incidentPrefix}${id.split('-')[0]}`
}

/** Incidents in a store. Whatever is given may be given again: it is counted and said once. */
export class Incidents {
  readonly #options: IncidentsOptions

  constructor(options: IncidentsOptions) {
    this.#options = options
  }

  /** One read and one write a group, however many detections it has. */
  async take(grouped: readonly Grouped[]): Promise<IncidentsResult> {
    const { now, sha256, quiet, lakeOf } = this.#options
    const groups = new Map<string, { group: Group; additions: Map<string, Addition> }>()
    const given = new Set<string>()
    for (const { group, unit, detection } of grouped) {
      // The same batch may come twice in one invocation.
      if (given.has(detection.lanner.id)) continue
      given.add(detection.lanner.id)
      const groupId = sha256(groupText(group)).slice(0, 20)
      const known = groups.get(groupId) ?? { group, additions: new Map() }
      groups.set(groupId, known)
      const name = JSON.stringify(unit)
      const addition = known.additions.get(name)
      const detections = addition === undefined ? [] : (addition.detections as Detection[])
      detections.push(detection)
      if (addition === undefined) known.additions.set(name, { unit, detections })
    }
    const keys = [...groups.keys()].map((groupId) => `${incidentPrefix}${groupId}`)
    const advances = await updateItems(
      keys,
      (key, item) => {
        const groupId = key.slice(incidentPrefix.length)
        const { group, additions } = groups.get(groupId)!
        const seconds = now()
        const result = advanceIncident(decodeState(item?.value), [...additions.values()], {
          ...{ group, groupId, now: seconds, sha256, lakeOf },
        })
        if (!result.changed) return { result }
        const due = seconds + quiet
        const write = { value: encodeState(result.state), expires: due + keptSeconds, due }
        return { result, write }
      },
      this.#options,
    )
    const all = [...advances.values()]
    return {
      messages: all.flatMap(({ messages }) => messages),
      onBus: all.flatMap(({ onBus }) => onBus),
      detections: all.flatMap(({ detections }) => detections),
      writes: all.filter(({ changed }) => changed).length,
    }
  }

  /**
   * Ends those of the incidents that have been quiet for long enough; the keys are those that the store
   * named as due. First it is written down that an end is about to be said, then it is said, then it is
   * final: whoever is interrupted in between says it again, under the same id. Gives how many ended.
   */
  async close(
    keys: readonly string[],
    say: (messages: readonly IncidentMessage[]) => Promise<void>,
  ): Promise<number> {
    const { now } = this.#options
    const ending = [...(await this.#announce(keys))].flatMap(([key, state]) =>
      state === undefined ? [] : [{ key, message: endOf(state, now()).message }],
    )
    if (ending.length === 0) return 0
    await say(ending.map(({ message }) => message))
    await updateItems(
      ending.map(({ key }) => key),
      (_, item) => {
        const state = decodeState(item?.value)
        if (state?.closing !== true) return { result: undefined }
        const value = encodeState(endOf(state, now()).state)
        return { result: undefined, write: { value, expires: now() + keptSeconds } }
      },
      this.#options,
    )
    return ending.length
  }

  /** Writes down which ends are about to be said; gives their states. */
  async #announce(
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, IncidentState | undefined>> {
    const { now, quiet } = this.#options
    return updateItems<IncidentState | undefined>(
      keys,
      (_, item) => {
        const state = decodeState(item?.value)
        if (state === undefined) return { result: undefined }
        const { value } = item!
        const seconds = now()
        const expires = seconds + quiet + keptSeconds
        if (state.incident.state === 'closed') {
          return { result: undefined, write: { value, expires } }
        }
        if (state.closing === true) return { result: state }
        if (state.active + quiet > seconds) {
          const due = state.active + quiet
          return { result: undefined, write: { value, expires, due } }
        }
        const closing = { ...state, closing: true }
        const due = seconds + retrySeconds
        return { result: closing, write: { value: encodeState(closing), expires, due } }
      },
      this.#options,
    )
  }
}
