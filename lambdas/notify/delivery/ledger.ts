import type { Json, StateItem, StateStore } from '#correlate'

/** What a destination was told about a subject. */
export interface Told {
  /** The newest revision that it shows; 0 for none. */
  readonly shown: number
  /** The newest revision that is on its way or shown: older ones need not be told. */
  readonly newest: number
  readonly state: 'open' | 'closed'
  /** What the destination needs to find it again: a message's time stamp, a ticket's key. */
  readonly ref: Json
  /** Who is telling it right now, and until when (milliseconds of the epoch) nobody else may. */
  readonly lease?: Lease
  /** A revision that may have been taken although no answer said so. */
  readonly unsure?: number
  /** Number of the timer that says it again while it is open. */
  readonly timer: number
  /** What responses to it did and was told, by message, the newest {@link mostLines}. */
  readonly lines?: readonly string[]
  /** Of those, what may have been taken although no answer said so. */
  readonly unsureLines?: readonly string[]
}

export interface Lease {
  readonly holder: string
  readonly until: number
  readonly revision: number
  /** The message about a response that is told; without, the revision is. */
  readonly line?: string
}

/** So many messages about responses to one incident are known to have been told. */
export const mostLines = 64

const nothing: Told = { ...{ shown: 0, newest: 0, state: 'open', ref: null, timer: 0 } }

/** An entry as it was read; writing it fails when somebody else has written since. */
export interface LedgerEntry {
  readonly key: string
  readonly told: Told
  readonly version: number
}

/** Entries outlive their incidents, so that late repeats change nothing. */
const keepSeconds = 30 * 86_400

/** Which revision of a subject each destination shows: what makes one visible message of many. */
export class Ledger {
  readonly #store: StateStore
  readonly #now: () => number

  /** `now`: milliseconds of the epoch. */
  constructor(store: StateStore, now: () => number) {
    this.#store = store
    this.#now = now
  }

  async read(destination: string, subject: string): Promise<LedgerEntry> {
    const key = `notify/${destination}/${subject}`
    const items = await this.#store.read([key], Math.floor(this.#now() / 1000))
    return entryOf(key, items.get(key))
  }

  /** The entry with its new content; `undefined` when somebody else was first. */
  async write({ key, version }: LedgerEntry, told: Told): Promise<LedgerEntry | undefined> {
    const expires = Math.floor(this.#now() / 1000) + keepSeconds
    const value = told as unknown as Json
    const refused = await this.#store.write([{ key, value, from: version, expires }])
    return refused.length > 0 ? undefined : { key, told, version: version + 1 }
  }
}

function entryOf(key: string, item: StateItem | undefined): LedgerEntry {
  if (item === undefined) return { key, told: nothing, version: 0 }
  return { key, told: item.value as unknown as Told, version: item.version }
}
