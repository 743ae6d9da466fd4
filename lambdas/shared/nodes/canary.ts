import type { StateStore } from '#correlate'
import { canarySeconds } from '#events'
import type { HealthMessage } from '../bus-messages.ts'
import { itemKey } from '../state-key.ts'
import { said } from './judge-node.ts'
import { milliseconds, type NodeBatch } from './tally.ts'

export interface CanariesOptions {
  readonly store: StateStore
  /** Milliseconds of the epoch. */
  readonly now: () => number
  readonly sha256: (text: string) => string
}

/** The first canary of a cluster in a slot of time. Plain JSON. */
export interface CanaryItem {
  readonly cluster: string
  readonly slot: number
  readonly node: string
  /** Nanoseconds of the epoch, decimal. */
  readonly time: string
  /** The next one did not come, and that was told. */
  readonly isDead: boolean
}

interface Found {
  readonly item: CanaryItem
  readonly message: HealthMessage
}

/** Seconds after the begin of a slot by which its canary must have come: jitter, way and doubt. */
export const canaryGrace = 180
const keptSeconds = 86_400
const mostCached = 5000

export function canaryKey(cluster: string, slot: number): string {
  return itemKey('canary', cluster, `${slot}`)
}

/** The slot of time that a canary of this time (milliseconds of the epoch) belongs to. */
export function slotOf(time: number): number {
  return Math.floor(time / 1000 / canarySeconds)
}

/** Marked notices that every node sends now and then: they show how long the way takes, and that it is open. */
export class Canaries {
  readonly #options: CanariesOptions
  /** Slots whose first canary has been. */
  readonly #known = new Set<string>()

  constructor(options: CanariesOptions) {
    this.#options = options
  }

  /** Messages of those that are the first of their cluster and slot; the same when they come again. */
  async take(batches: readonly NodeBatch[]): Promise<HealthMessage[]> {
    const { store, now } = this.#options
    const seconds = Math.floor(now() / 1000)
    const found = new Map<string, Found>()
    for (const batch of batches) {
      for (const { kind, time } of batch.notices) {
        if (kind !== 'canary') continue
        const slot = slotOf(milliseconds(time))
        const key = canaryKey(batch.header.cluster, slot)
        if (this.#known.has(key) || found.has(key) || isPast(slot, seconds)) continue
        found.set(key, this.#read(batch, time, slot))
      }
    }
    if (found.size === 0) return []
    const there = await store.read([...found.keys()], seconds)
    const messages: HealthMessage[] = []
    for (const [key, { item, message }] of found) {
      const first = there.get(key)?.value as CanaryItem | undefined
      // Ours, from an attempt that may have failed after it was written.
      if (first?.node === item.node && first.time === item.time) messages.push(message)
      else if (first !== undefined) this.#remember(key)
    }
    const fresh = [...found].filter(([key]) => !there.has(key))
    const lost = new Set(
      await store.write(
        fresh.map(([key, { item }]) => ({
          ...{ key, value: { ...item }, from: 0, expires: seconds + keptSeconds },
          due: (item.slot + 1) * canarySeconds + canaryGrace,
        })),
      ),
    )
    return [...messages, ...fresh.flatMap(([key, { message }]) => (lost.has(key) ? [] : [message]))]
  }

  #read({ header, arrivedAt }: NodeBatch, time: bigint, slot: number): Found {
    const { cluster, node } = header
    const made = milliseconds(time)
    const sealed = milliseconds(header.sealedAt)
    const now = this.#options.now()
    const hops = { batch: sealed - made, stream: arrivedAt - sealed, evaluate: now - arrivedAt }
    const text = `the way from node to verdict took ${now - made} ms`
    const id = this.#options.sha256(JSON.stringify(['canary', cluster, slot]))
    return {
      item: { cluster, slot, node, time: `${time}`, isDead: false },
      message: { id, ...said({ cluster, node }, 'canary', text, made), hops },
    }
  }

  #remember(key: string): void {
    if (this.#known.size >= mostCached) this.#known.clear()
    this.#known.add(key)
  }
}

/** A canary that waited on a node for long says nothing of the way as it is now. */
function isPast(slot: number, now: number): boolean {
  return (slot + 1) * canarySeconds + canaryGrace <= now
}
