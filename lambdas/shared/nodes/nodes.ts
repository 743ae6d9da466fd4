import type { StateStore } from '#correlate'
import type { BatchHeader } from '#events'
import type { HealthMessage } from '../bus-messages.ts'
import type { SensorFinding } from '../sensor-finding.ts'
import { Canaries } from './canary.ts'
import { isoTime } from './judge-node.ts'
import { addTally, type NodeState } from './node-state.ts'
import { noticesOf } from './notices.ts'
import { milliseconds, type NodeBatch, nodeKey, tallyItems, tallyOf } from './tally.ts'

export interface NodesOptions {
  readonly store: StateStore
  /** Milliseconds of the epoch. */
  readonly now: () => number
  /** As hex. */
  readonly sha256: (text: string) => string
}

export interface NodesResult {
  readonly findings: readonly SensorFinding[]
  readonly health: readonly HealthMessage[]
  /** What is missing around a batch of the call, in words. */
  gapsOf(header: BatchHeader): readonly string[]
}

/** Seconds that a tally waits to be swept, should nobody do it. */
const tallySeconds = 7 * 86_400
/** Milliseconds for which the state of a node is not read again. */
const rereadMs = 60_000
const mostCached = 20_000

/**
 * Takes note of which batches came. What that means for a node is worked out by the sweep: several
 * functions take turns with the batches of one node, and none of them knows what the others have seen.
 * So each call leaves a tally of all its nodes, one item, and touches no node's own.
 */
export class Nodes {
  readonly #options: NodesOptions
  readonly #canaries: Canaries
  readonly #cache = new Map<
    string,
    { readonly state: NodeState | undefined; readonly at: number }
  >()

  constructor(options: NodesOptions) {
    this.#options = options
    this.#canaries = new Canaries(options)
  }

  /** May be called again for the same batches. Rejects with `StateUnavailable`. */
  async take(batches: readonly NodeBatch[]): Promise<NodesResult> {
    const { store, now, sha256 } = this.#options
    const tallies = tallyOf(batches)
    const seconds = Math.floor(now() / 1000)
    // Taken by an earlier attempt or not: it is there.
    await store.write(
      tallyItems(tallies).map(({ key, value }) => ({
        ...{ key, value: JSON.parse(JSON.stringify(value)), from: 0 },
        ...{ due: seconds, expires: seconds + tallySeconds },
      })),
    )
    await this.#load(tallies.map(nodeKey))
    const states = new Map<string, NodeState>()
    for (const tally of tallies) {
      const key = nodeKey(tally)
      // On its own it would seem to begin in the middle, behind what is known to have gaps.
      states.set(key, addTally(undefined, tally))
    }
    const counted = batches.filter(({ sender }) => sender !== 'mismatched')
    const { findings, health } = noticesOf(counted, sha256)
    return {
      findings,
      health: [...health, ...(await this.#canaries.take(counted))],
      gapsOf: (header) => this.#gapsOf(header, states),
    }
  }

  async #load(keys: readonly string[]): Promise<void> {
    const { store, now } = this.#options
    const at = now()
    const old = keys.filter((key) => at - (this.#cache.get(key)?.at ?? 0) >= rereadMs)
    if (old.length === 0) return
    const items = await store.read(old, Math.floor(at / 1000))
    for (const key of old) {
      this.#cache.delete(key)
      this.#cache.set(key, { state: items.get(key)?.value as NodeState | undefined, at })
    }
    while (this.#cache.size > mostCached) this.#cache.delete(this.#cache.keys().next().value!)
  }

  #gapsOf(header: BatchHeader, here: ReadonlyMap<string, NodeState>): readonly string[] {
    const { cluster, node, firstTime, lastTime } = header
    const gaps = new Set<string>()
    for (const isVerified of [true, false]) {
      const key = nodeKey({ cluster, node, isVerified })
      for (const state of [this.#cache.get(key)?.state, here.get(key)]) {
        const run = state?.runs.find((one) => one.run === `${header.run}`)
        for (const { from, to, after, before } of run?.missing ?? []) {
          if (milliseconds(firstTime) > before || milliseconds(lastTime) < after) continue
          gaps.add(`batches ${from} to ${to} are missing`)
        }
      }
      const known = this.#cache.get(key)?.state?.runs.find((one) => one.run === `${header.run}`)
      if (known === undefined) continue
      for (const [place, count] of Object.entries(header.counters.lost)) {
        const fresh = count - (known.lost[place] ?? 0)
        if (fresh > 0)
          gaps.add(`${fresh} events lost at ${place} since ${isoTime(known.sealedHigh)}`)
      }
    }
    return [...gaps]
  }
}
