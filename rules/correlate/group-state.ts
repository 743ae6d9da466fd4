import { encodeText } from '#events'
import type { Json } from './state-store.ts'
import type { Member, Point } from './window.ts'

/** A firing that was given out, as the group remembers it. */
export interface FiredRecord {
  readonly id: string
  readonly time: bigint
  /** A detection that was new when it fired: when it comes again, the answer may have been lost. */
  readonly cause: string
  readonly count: number
  readonly first: bigint
  readonly last: bigint
  readonly values: readonly string[]
  readonly members: readonly string[]
  readonly unsure?: true
}

/** What is kept of a group between batches. */
export interface GroupState {
  /** Time of the latest detection; `undefined` before the first. */
  readonly mark: bigint | undefined
  /** The verdict at the last time that no detection can change any more. */
  readonly settled: Point | undefined
  /** Sorted by time. */
  readonly members: readonly Member[]
  readonly fired: readonly FiredRecord[]
  /** It was thinned out, and did not fall quiet since. */
  readonly busy: boolean
}

const format = 1
const empty: GroupState = {
  mark: undefined,
  settled: undefined,
  members: [],
  fired: [],
  busy: false,
}

type JsonMember = readonly [time: string, id: string, part: number, value?: string, unsure?: true]
type JsonRecord = Omit<FiredRecord, 'time' | 'first' | 'last'> & {
  readonly time: string
  readonly first: string
  readonly last: string
}
interface JsonState {
  readonly format: number
  readonly mark: string
  readonly settled: readonly [time: string, holds: boolean] | null
  readonly members: readonly JsonMember[]
  readonly fired: readonly JsonRecord[]
  readonly busy: boolean
}

/** A state of another format is as good as none. */
export function decodeState(json: Json | undefined): GroupState {
  const state = json as unknown as JsonState | null | undefined
  if (state?.format !== format) return empty
  const { mark, settled, members, fired, busy } = state
  return {
    mark: BigInt(mark),
    settled: settled === null ? undefined : { time: BigInt(settled[0]), holds: settled[1] },
    members: members.map(([time, id, part, value = '', unsure]) => ({
      ...{ time: BigInt(time), id, part, value },
      ...(unsure && { unsure }),
    })),
    fired: fired.map(decodeRecord),
    busy,
  }
}

export function encodeState({ mark, settled, members, fired, busy }: GroupState): Json {
  return {
    format,
    mark: String(mark),
    settled: settled === undefined ? null : [String(settled.time), settled.holds],
    members: members.map(({ time, id, part, value, unsure }) => {
      if (unsure) return [String(time), id, part, value, unsure]
      return value === '' ? [String(time), id, part] : [String(time), id, part, value]
    }),
    fired: fired.map(encodeRecord),
    busy,
  }
}

export function decodeRecord(record: JsonRecord): FiredRecord {
  const { time, first, last } = record
  return { ...record, time: BigInt(time), first: BigInt(first), last: BigInt(last) }
}

export function encodeRecord(record: FiredRecord): { readonly [key: string]: Json } {
  const { time, first, last } = record
  return { ...record, time: String(time), first: String(first), last: String(last) }
}

/** Firings a group remembers at most; with their members they stay below a third of an item. */
export const mostFired = 16
const membersLimit = 220 << 10

/** The latest members that fit into an item. */
export function fitting(members: readonly Member[]): readonly Member[] {
  let size = 0
  let from = members.length
  while (from > 0) {
    const { id, value } = members[from - 1]!
    size += 32 + id.length + encodeText(JSON.stringify(value)).length
    if (size > membersLimit) break
    from -= 1
  }
  return from === 0 ? members : members.slice(from)
}
