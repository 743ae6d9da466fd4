import type { Advance } from './advance.ts'
import { firingOf } from './advance.ts'
import type { Correlation } from './correlation.ts'
import { type Contribution, type Firing, firingId } from './firing.ts'
import { decodeRecord, encodeRecord, type FiredRecord } from './group-state.ts'
import type { Json } from './state-store.ts'

/** A value that is seen often is written down once in so many parts of the history. */
const writesPerHistory = 14n

interface JsonTerm {
  readonly last: string
  readonly fired: Parameters<typeof decodeRecord>[0] | null
}

/**
 * Takes sightings of one value into its state. It fires when the value was not seen for longer than
 * the history, at `learned` or later. The last sighting that is on record may be older than the true
 * one by a fourteenth of the history, so that a value may count as new by so much too early.
 */
export function noteTerm(
  correlation: Correlation,
  before: Json | undefined,
  contributions: readonly Contribution[],
  learned: bigint,
  sha256: (text: string) => string,
): Advance {
  const history = correlation.history!
  const old = before as unknown as JsonTerm | null | undefined
  let last = old?.last === undefined ? undefined : BigInt(old.last)
  let record: FiredRecord | undefined
  if (old?.fired != null) record = decodeRecord(old.fired)
  let changed = false
  const fired: Firing[] = []
  for (const contribution of contributions.toSorted((a, b) => Number(a.time - b.time))) {
    const { id, time, key } = contribution
    if (record?.cause === id && !fired.some((firing) => firing.id === record!.id)) {
      fired.push(firingOf(correlation, record, contribution))
    } else if (last === undefined || time > last + history) {
      changed = true
      last = time
      if (time < learned) continue
      record = recordOf(contribution, firingId(key, time, sha256))
      fired.push(firingOf(correlation, record, contribution))
    } else if (time > last + history / writesPerHistory) {
      changed = true
      last = time
    }
  }
  const state = { last: String(last), fired: record === undefined ? null : encodeRecord(record) }
  return { state, changed, fired, late: 0, dropped: 0 }
}

function recordOf({ id, time, value, unsure }: Contribution, firing: string): FiredRecord {
  return {
    ...{ id: firing, time, cause: id, count: 1, first: time, last: time },
    ...{ values: [value], members: [id] },
    ...(unsure && { unsure }),
  }
}
