import type { Json } from '#correlate'
import { itemKey } from '../../shared/state-key.ts'
import type { Ports } from './ports.ts'
import type { ResponseState } from './response-state.ts'

/**
 * Seconds for which whoever leads a response has it alone, from its last write on: longer than a function
 * may run. So whoever takes over knows that the one before is dead, and does not act meanwhile.
 */
export const leaseSeconds = 150
const keptSeconds = 90 * 86_400
const retrySeconds = 300
const prefix = 'response/'

/** A response and the version of it that was read: a write counts for that version alone. */
export interface Held {
  readonly state: ResponseState
  readonly version: number
}

/** Somebody else has changed the response since it was read. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken'
}

/** Where responses are kept, each one item with the time when somebody has to look at it again. */
export class ResponseTable {
  readonly #ports: Pick<Ports, 'store' | 'now'>

  constructor(ports: Pick<Ports, 'store' | 'now'>) {
    this.#ports = ports
  }

  async read(id: string): Promise<Held | undefined> {
    const key = itemKey('response', id)
    const item = (await this.#ports.store.read([key], this.#ports.now())).get(key)
    if (item === undefined) return undefined
    return { state: item.value as unknown as ResponseState, version: item.version }
  }

  /** Writes a response over the version that was read, 0 for none; throws {@link Overtaken}. */
  async write(state: ResponseState, from: number): Promise<Held> {
    const { store, now } = this.#ports
    const due = dueOf(state, now())
    const conflicts = await store.write([
      {
        ...{ key: itemKey('response', state.id), value: state as unknown as Json, from },
        expires: now() + keptSeconds,
        ...(due !== undefined && { due }),
      },
    ])
    if (conflicts.length > 0) throw new Overtaken(state.id)
    return { state, version: from + 1 }
  }

  /** Ids of responses whose time has come, at most `limit`. */
  async due(limit: number): Promise<string[]> {
    const keys = await this.#ports.store.due(this.#ports.now(), limit)
    return keys.flatMap((key) => (key.startsWith(prefix) ? [key.slice(prefix.length)] : []))
  }
}

/** When somebody has to look at a response again, in seconds; never when it is closed and said. */
function dueOf(state: ResponseState, now: number): number | undefined {
  const { phase, lease, lines, said, tries, errors } = state
  if (lease !== undefined) return lease.until + 1
  if (said < lines.length) return now
  if (errors > 0) return now + 30 * errors
  switch (phase) {
    case 'closed':
      return undefined
    case 'awaiting':
      return (state.approveBy ?? now) + 1
    case 'verifying':
      return state.proofAt ?? now
    case 'holding':
      return state.expiresAt ?? now
    default:
      return tries > 0 ? now + retrySeconds : now + leaseSeconds
  }
}
