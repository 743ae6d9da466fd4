import type { Correlation } from './correlation.ts'
import type { Contribution } from './firing.ts'
import type { StateStore } from './state-store.ts'

interface JsonSince {
  readonly since: string
  /** Second of the epoch of the last write. */
  readonly written: number
}

const second = 1_000_000_000n

/**
 * Knows until when the values of each correlation are only learned. The moment of its first detection
 * is an item of its own, which lives as long as the correlation is in use.
 */
export class Learning {
  readonly #store: StateStore
  readonly #sha256: (text: string) => string
  readonly #known = new Map<string, { readonly until: bigint; readonly written: number }>()

  constructor(store: StateStore, sha256: (text: string) => string) {
    this.#store = store
    this.#sha256 = sha256
  }

  /** When learning ends, or ended; 0 for correlations without it. */
  async until(contributions: readonly Contribution[], now: number): Promise<bigint> {
    const { correlation } = contributions[0]!
    const { name, learning = 0n, history = 0n } = correlation
    if (learning === 0n) return 0n
    const lifetime = Number(history / second) * 2 + 3600
    const known = this.#known.get(name)
    if (known !== undefined && now - known.written < lifetime / 4) return known.until
    const first = contributions.reduce(
      (least, { time }) => (time < least ? time : least),
      1n << 63n,
    )
    const since = await this.#since(correlation, first, now, lifetime)
    this.#known.set(name, { until: since + learning, written: now })
    return since + learning
  }

  async #since(
    { name }: Correlation,
    first: bigint,
    now: number,
    lifetime: number,
  ): Promise<bigint> {
    const key = `correlation/${this.#sha256(JSON.stringify(['learning', name]))}`
    const item = (await this.#store.read([key], now)).get(key)
    const value = item?.value as unknown as JsonSince | undefined
    if (value !== undefined && now - value.written < lifetime / 4) return BigInt(value.since)
    const since = value === undefined ? first : BigInt(value.since)
    const write = {
      ...{ key, value: { since: String(since), written: now } },
      ...{ from: item?.version ?? 0, expires: now + lifetime },
    }
    const conflicts = await this.#store.write([write])
    if (conflicts.length === 0) return since
    // somebody else began, or went on, at the same moment: theirs counts
    const theirs = (await this.#store.read([key], now)).get(key)?.value as unknown as JsonSince
    return theirs === undefined ? since : BigInt(theirs.since)
  }
}
